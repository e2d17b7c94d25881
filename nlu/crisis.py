"""Signs of danger in a message, found by rules that can be read, argued about and tested one by one.

What is harmless is struck out first (idioms, lectures on the matter, telephone calls), then the rules look at what is
left: so 累死了 alone passes and 累死了，真的不想活了 does not. A miss is worse than a false alarm.
Kinds follow the answers the assistant has for them: danger at this moment, violence at home, despair or self-harm.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from nlu import danger
from nlu.text import normalise, syllables

if TYPE_CHECKING:
    from nlu.types import CrisisKind

#: Code points looked at: a farewell may come at the end of a long letter.
LONGEST: Final = 12_000

_PAUSES = re.compile(r"[,。?!;:、…\n]+")
_CLUTTER = re.compile(r"[^\w,]+|_+")
_STRUCK, _BLANKED = "○", "□"
# What a book or a film is called says nothing of its reader; but 《遗书》 may be one.
_TITLE = re.compile(r"《[^》遗]{1,40}》")
_CUE = re.compile(
    r"[死杀跳割刀掐勒打踹揍扇砸推血药遗救撑熬醒睡伤逃疤痛疼]|(?<!生)活|松手|挣扎|不用等|世界|世上|人世|消失|解脱|绝望|累赘|自己|结束|抑郁|离开|告别"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What is looked for and what it means; `pattern` reads the characters, or the syllables when `heard`."""

    kind: CrisisKind
    pattern: re.Pattern[str]
    heard: bool = False


def detect(text: str) -> CrisisKind | None:
    """The danger a message speaks of, its writer's or somebody else's; None when there is none.

    Args:
        text: any string, as it was sent.

    Returns:
        danger_now before violence_at_home before despair when there is more than one.

    """
    words = readable(text)
    sounds = f" {' '.join(syllables(words))} "
    found = (rule.kind for rule in rules() if rule.pattern.search(sounds if rule.heard else words))
    return next(found, None)


def readable(text: str) -> str:
    """A message with blanks and clutter gone, pauses as commas, and what is harmless struck out."""
    words = _TITLE.sub(_STRUCK, normalise(text, limit=LONGEST))
    words = _CLUTTER.sub("", _PAUSES.sub(",", words)).replace("俺", "我")
    for pattern in _harmless():
        words = pattern.sub(_STRUCK, words)
    return _neutral().sub(_BLANKED, words)


# How many are coming: 就我自己一个人 answers that, and says no more.
_ALONE = re.compile(r"[,\s]*(?:就|只有|只)?我(?:自己)?(?:一个人?|一人)?(?:来|去|用)?[吧呀啊哦]?[,\s]*")


def doubt(text: str) -> float:
    """How sure a classifier must be to be believed about a crisis that no rule names (see `nlu.pipeline`).

    Little where a word of danger is in the message, much where one is only part of an idiom.
    """
    words = readable(text)
    if _ALONE.fullmatch(words):
        return math.inf
    if _STRUCK in words:
        return 0.9
    return 0.2 if _CUE.search(words) else 0.4


def kind_of(text: str) -> CrisisKind:
    """The kind for a message that is known to be a crisis by other means than these rules."""
    return detect(text) or ("violence_at_home" if _blows().search(readable(text)) else "despair")


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule in the order in which they decide; compiled at the first message, which takes about 0.1 s."""
    return (
        *(Rule(kind="danger_now", pattern=pattern) for pattern in _compiled(danger.DANGER_NOW)),
        *(Rule(kind="violence_at_home", pattern=pattern) for pattern in _compiled(danger.VIOLENCE_AT_HOME)),
        *(Rule(kind="violence_at_home", pattern=re.compile(line), heard=True) for line in danger.VIOLENCE_HEARD),
        *(Rule(kind="despair", pattern=pattern) for pattern in _compiled(danger.DESPAIR)),
        *(Rule(kind="despair", pattern=re.compile(line), heard=True) for line in danger.DESPAIR_HEARD),
    )


@cache
def _harmless() -> tuple[re.Pattern[str], ...]:
    return _compiled(danger.HARMLESS)


@cache
def _neutral() -> re.Pattern[str]:
    return _compiled(danger.NEUTRAL)[0]


@cache
def _blows() -> re.Pattern[str]:
    return _compiled("<hit>|暴力|动手|威胁")[0]


def _compiled(block: str) -> tuple[re.Pattern[str], ...]:
    """One pattern a line, an indented line going on with it; # begins a comment; <name> stands for a word list."""
    lines = _CONTINUED.sub("", block).splitlines()
    return tuple(re.compile(_NAME.sub(_spelled, line)) for line in lines if line and not line.startswith("#"))


_NAME = re.compile(r"<([a-z]+)>")
_CONTINUED = re.compile(r"\n +")


def _spelled(match: re.Match[str]) -> str:
    return f"(?:{_NAME.sub(_spelled, danger.WORDS[match[1]])})"
