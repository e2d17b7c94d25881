"""接龙: who is found in hand-written lines (data/evaluation/jielong.jsonl), and how surely.

A line's key: "+3" member 3 is in, beyond doubt; "?3" an officer has to pick, and 3 must be among the candidates; "!" is
nobody of the roster; "-3" has called off; "*1" one companion; nothing: the line is no entry. Set `a` was written before
the parser, `b` after it had been finished on `a`, `c` after `b`.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actions.blocks.jielong import Mention, read_jielong
from actions.blocks.jielong_roster import Person, Roster
from bot.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

DATA = ROOT / "data" / "evaluation" / "jielong.jsonl"
_KEY = re.compile(r"(?P<off>-?)(?P<kind>[+?!]?)(?P<id>\d*)(?:\*(?P<more>\d+))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """What a person of a line is, in the evaluation."""

    certainty: str
    id: int | None
    companions: int
    called_off: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One pasted 接龙 with the key of each line."""

    part: str
    activity: str
    lines: tuple[tuple[str, tuple[Key, ...]], ...]


def load(path: Path = DATA) -> tuple[Roster, tuple[Case, ...]]:
    """The roster and the cases. Raises ValueError for a key that cannot be read."""
    first, *rest = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    people = [
        Person(id=ref, name=name, unit=unit, staff_id=staff_id, phone=phone)
        for ref, name, unit, staff_id, phone in first["roster"]
    ]
    cases = [
        Case(
            part=row["set"],
            activity=row["activity"],
            lines=tuple((text, tuple(_key(word) for word in keys.split())) for text, keys in row["lines"]),
        )
        for row in rest
    ]
    return Roster(people), tuple(cases)


def _key(word: str) -> Key:
    found = _KEY.fullmatch(word)
    if found is None:
        raise ValueError(word)
    certainty = {"+": "sure", "?": "unsure", "!": "unknown", "": "sure"}[found["kind"]]
    ref = int(found["id"]) if found["id"] else None
    return Key(certainty=certainty, id=ref, companions=int(found["more"] or 0), called_off=bool(found["off"]))


def judge(case: Case, roster: Roster) -> Iterator[tuple[str, str, Key | None, Mention | None]]:
    """What became of each person: (verdict, line, key, mention).

    Verdicts: right, wrong (sure of somebody else, or in for out), hidden (sure, though an officer had to pick), asked
    (unsure, though there was no doubt), lost (not found, or not among the candidates), invented (nobody stands there).
    """
    read = read_jielong("\n".join(text for text, _ in case.lines), roster)
    for place, (text, keys) in enumerate(case.lines, start=1):
        found = [mention for mention in read.mentions if mention.place == place]
        for key in keys:
            best = min(found, key=lambda mention: _distance(key, mention), default=None)
            if best is not None and _distance(key, best) < 9:
                found.remove(best)
            else:
                best = None
            yield _verdict(key, best), text, key, best
        for mention in found:
            yield "invented", text, None, mention


def _distance(key: Key, mention: Mention) -> int:
    if key.id is None:
        return 0 if not mention.candidates else 5
    if key.id in mention.candidates:
        return mention.candidates.index(key.id)
    return 9 if mention.candidates else 6


def _verdict(key: Key, mention: Mention | None) -> str:
    if mention is None:
        return "lost"
    if mention.certainty == "sure":
        same = mention.candidates[0] == key.id and mention.called_off == key.called_off
        if not same or mention.companions != key.companions:
            return "wrong"
        return "right" if key.certainty == "sure" else "hidden"
    if key.certainty == "unknown":
        return "right" if not mention.candidates else "asked"
    if key.id not in mention.candidates:
        return "lost"
    return "right" if key.certainty == "unsure" else "asked"


def figures(cases: Sequence[Case], roster: Roster) -> tuple[dict[str, float], list[str]]:
    """Precision and recall, and the lines that went wrong."""
    rows = [row for case in cases for row in judge(case, roster)]
    certain = [row for row in rows if row[3] is not None and row[3].certainty == "sure"]
    plain = [row for row in rows if row[2] is not None and row[2].certainty == "sure"]
    doubtful = [row for row in rows if row[2] is not None and row[2].certainty == "unsure"]
    strangers = [row for row in rows if row[2] is not None and row[2].certainty == "unknown"]

    def share(part: Sequence[tuple[str, str, Key | None, Mention | None]]) -> float:
        return sum(1 for row in part if row[0] == "right") / len(part) if part else 1.0

    offered = sum(1 for row in doubtful if row[0] == "right") / max(1, len(doubtful))
    counts = Counter(row[0] for row in rows)
    values = {
        "lines": float(sum(len(case.lines) for case in cases)),
        "entries": float(sum(1 for case in cases for _, keys in case.lines if keys)),
        "people": float(len(plain) + len(doubtful) + len(strangers)),
        "precision of sure": share(certain),
        "recall of sure": share(plain),
        "offered when unsure": offered,
        "strangers known as such": share(strangers),
        "invented": float(counts["invented"]),
    }
    faults = [f"{verdict}: {text!r} {key} {mention}" for verdict, text, key, mention in rows if verdict != "right"]
    return values, faults


def run(say: Callable[[str], None]) -> None:
    """Prints the figures of each set and of all, the faults, and the time of one reading."""
    roster, cases = load()
    parts = {part: [case for case in cases if case.part == part] for part in dict.fromkeys(case.part for case in cases)}
    table = {part: figures(chosen, roster) for part, chosen in {**parts, "all": list(cases)}.items()}
    say(f"{'':<26}" + "".join(f"{part:>8}" for part in table))
    for name in next(iter(table.values()))[0]:
        cells = [values[name] for values, _ in table.values()]
        say(
            f"{name:<26}"
            + "".join(f"{cell:>8.0f}" if cell > 1 or name == "invented" else f"{cell:>8.3f}" for cell in cells)
        )
    for fault in table["all"][1]:
        say(fault)
    began = time.perf_counter()
    for case in cases:
        read_jielong("\n".join(text for text, _ in case.lines), roster)
    say(f"{(time.perf_counter() - began) / len(cases) * 1000:.1f} ms a 接龙, {len(roster.people)} members")
