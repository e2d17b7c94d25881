"""How well an engine understands labelled messages: what `bot eval` and the benchmark print."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from html import escape
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nlu.pipeline import OUT_OF_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from nlu.data import Example
    from nlu.types import Parse

_WORST = 10  # confusions that are told
_SHOWN = 3  # messages shown of each


class Parser(Protocol):
    """What turns a message into a parse: `nlu.pipeline.Pipeline`."""

    async def parse(self, text: str, now: datetime) -> Parse:
        """See `Pipeline.parse`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A message, what it means and what was made of it.

    `in_scope` is how sure the engine is that the message is any of the intents but out_of_scope, 0 to 1.
    """

    text: str
    intent: str
    said: str
    in_scope: float
    milliseconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PerIntent:
    """One intent: messages that mean it, and precision, recall and F1 (0 to 1)."""

    intent: str
    messages: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Confusion:
    """What is taken for something else, how often, and a few of the messages."""

    intent: str
    said: str
    times: int
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The figures of one evaluation; shares are 0 to 1, latencies milliseconds.

    `auroc` is the chance that a message of a service is held to be one more surely than a message of none;
    None where the data has only one of the two. `false_affirm` is the share of all messages that are no affirm
    and came back as one.
    """

    messages: int
    accuracy: float
    macro_f1: float
    auroc: float | None
    false_affirm: float
    latency: Mapping[str, float]
    intents: tuple[PerIntent, ...]
    confusions: tuple[Confusion, ...]

    def to_json(self) -> dict[str, Any]:
        """Every figure, as `bot eval --json` prints it."""
        return asdict(self)

    def table(self) -> str:
        """The figures for a terminal."""
        auroc = "-" if self.auroc is None else f"{self.auroc:.4f}"
        head = (
            f"messages {self.messages}   accuracy {self.accuracy:.4f}   macro-F1 {self.macro_f1:.4f}   "
            f"out-of-scope AUROC {auroc}   false affirm {self.false_affirm:.2%}"
        )
        speed = "latency ms   " + "   ".join(f"{name} {value:.2f}" for name, value in self.latency.items())
        rows = [f"{'intent':<20} {'messages':>8} {'precision':>9} {'recall':>7} {'F1':>6}"]
        rows += [
            f"{each.intent:<20} {each.messages:>8} {each.precision:>9.3f} {each.recall:>7.3f} {each.f1:>6.3f}"
            for each in self.intents
        ]
        worst = [
            f"{each.times:>4}  {each.intent} taken for {each.said}: {' / '.join(each.texts)}"
            for each in self.confusions
        ]
        return "\n".join([head, speed, "", *rows, "", "worst confusions", *(worst or ["   none"])])


async def judge(parser: Parser, examples: Sequence[Example], now: datetime) -> list[Judged]:
    """Parse every message one by one, as it happens in a chat."""
    if examples:
        await parser.parse(examples[0].text, now)  # what is loaded at the first message is no latency
    found = []
    for example in examples:
        began = perf_counter()
        parse = await parser.parse(example.text, now)
        took = (perf_counter() - began) * 1000
        in_scope = max((r.confidence for r in parse.ranking if r.intent != OUT_OF_SCOPE), default=0.0)
        found.append(
            Judged(text=example.text, intent=example.intent, said=parse.intent, in_scope=in_scope, milliseconds=took)
        )
    return found


def report(judged: Sequence[Judged]) -> Report:
    """The figures of judged messages. Raises ValueError where there are none."""
    if not judged:
        raise ValueError("there is no message to judge")
    others = [each for each in judged if each.intent != "affirm"]
    per_intent = tuple(_per_intent(judged))
    return Report(
        messages=len(judged),
        accuracy=sum(each.said == each.intent for each in judged) / len(judged),
        macro_f1=float(np.mean([each.f1 for each in per_intent])),
        auroc=auroc(
            [each.in_scope for each in judged if each.intent != OUT_OF_SCOPE],
            [each.in_scope for each in judged if each.intent == OUT_OF_SCOPE],
        ),
        false_affirm=sum(each.said == "affirm" for each in others) / max(1, len(others)),
        latency={
            f"p{share}": float(np.percentile([each.milliseconds for each in judged], share)) for share in (50, 95, 99)
        },
        intents=per_intent,
        confusions=tuple(_confusions(judged)),
    )


def auroc(wanted: Sequence[float], unwanted: Sequence[float]) -> float | None:
    """The chance that a score of the first kind is above one of the second; ties count half. None for empty sides."""
    if not wanted or not unwanted:
        return None
    low = np.sort(np.asarray(unwanted))
    below, upto = np.searchsorted(low, wanted, side="left"), np.searchsorted(low, wanted, side="right")
    return float((below + upto).mean() / 2 / len(low))


def _per_intent(judged: Sequence[Judged]) -> list[PerIntent]:
    meant, said = Counter(each.intent for each in judged), Counter(each.said for each in judged)
    right = Counter(each.intent for each in judged if each.said == each.intent)
    found = []
    for intent in sorted(meant):
        precision = right[intent] / said[intent] if said[intent] else 0.0
        recall = right[intent] / meant[intent]
        f1 = 2 * precision * recall / (precision + recall) if right[intent] else 0.0
        found.append(PerIntent(intent=intent, messages=meant[intent], precision=precision, recall=recall, f1=f1))
    return found


def _confusions(judged: Sequence[Judged]) -> list[Confusion]:
    mixed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in judged:
        if each.said != each.intent:
            mixed[each.intent, each.said].append(each.text)
    worst = sorted(mixed.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:_WORST]
    return [
        Confusion(intent=intent, said=said, times=len(texts), texts=tuple(texts[:_SHOWN]))
        for (intent, said), texts in worst
    ]


def picture(judged: Sequence[Judged]) -> str:
    """The confusion matrix as an SVG document: a row for what was meant, a column for what was said.

    A cell is the darker the larger its share of the row; what is right lies on the diagonal, in green.
    """
    names = sorted({each.intent for each in judged} | {each.said for each in judged})
    place = {name: number for number, name in enumerate(names)}
    cells, rows = Counter((each.intent, each.said) for each in judged), Counter(each.intent for each in judged)
    size, margin = 16, 150
    side = margin + size * len(names) + 10
    size_of = f'width="{side}" height="{side}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size_of} font-family="sans-serif" font-size="10">'
    drawn = [opening, f'<rect {size_of} fill="#fff"/>']
    for name, number in place.items():
        middle = margin + size * number + size * 0.7
        drawn.append(f'<text x="{margin - 6}" y="{middle}" text-anchor="end">{escape(name)}</text>')
        drawn.append(f'<text transform="translate({middle} {margin - 6}) rotate(-60)">{escape(name)}</text>')
    for (intent, said), count in sorted(cells.items()):
        share, hue = count / rows[intent], "46,125,50" if intent == said else "183,28,28"
        x, y = margin + size * place[said], margin + size * place[intent]
        drawn.append(
            f'<rect x="{x}" y="{y}" width="{size - 1}" height="{size - 1}" fill="rgba({hue},{max(share, 0.15):.2f})">'
            f"<title>{escape(intent)} → {escape(said)}: {count}</title></rect>"
        )
    return "\n".join([*drawn, "</svg>\n"])
