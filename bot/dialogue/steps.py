"""What can be decided of a message, and what the decision knows of the house."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from actions.core.catalogue import Catalogue
    from actions.core.life import Choice
    from bot.dialogue.forms import Taken
    from bot.dialogue.words import Words
    from nlu.types import CrisisKind, Parse


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """What the policy knows of the house: services, set phrases, thresholds, and the intents by their kind."""

    catalogue: Catalogue
    words: Words
    kinds: dict[str, str]
    open_confidence: float
    clarify_margin: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Crisis:
    """The fixed answer, and nothing else."""

    kind: CrisisKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Say:
    """Talk: a sentence, and the open question again where there is one."""

    wording: str
    intent: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """A service begins, with what this (or the unclear earlier) message already says."""

    service: str
    parse: Parse


@dataclass(frozen=True, kw_only=True, slots=True)
class Fill:
    """The top form was answered or corrected."""

    taken: Taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Do:
    """Something done to the top form; `missed` with no form open says nothing more than was said already."""

    what: Literal["commit", "drop", "revise", "why", "refuse_consent", "other_time", "resume", "missed"]
    field: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clarify:
    """您是想…还是…？"""

    choices: tuple[Choice, ...]
    parse: Parse


Step = Crisis | Say | Open | Fill | Do | Clarify

#: Talk that is answered with a sentence of its own.
TALK = ("greet", "thanks", "goodbye", "help", "human")
#: From this confidence on a message within a form may be about another matter.
SURE = 0.6
