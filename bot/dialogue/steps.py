"""What can be decided of a message, and what the decision knows of the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.core.catalogue import Catalogue
    from actions.core.life import Choice
    from bot.dialogue.forms import Taken
    from bot.dialogue.words import Words
    from nlu.types import CrisisKind, Parse


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """What the policy knows of the house: services, set phrases, thresholds, and the intents by their kind.

    `offered` tells the services of what a message names and several may offer, by (entity, value).
    """

    catalogue: Catalogue
    words: Words
    kinds: dict[str, str]
    open_confidence: float
    clarify_margin: float
    offered: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)


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
    """A service begins, with what this (or the unclear earlier) message already says; `offering` was picked."""

    service: str
    parse: Parse
    offering: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choose:
    """One of several services that share an intent: what they offer is listed, and the choice opens its service."""

    services: tuple[str, ...]
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A question, answered from knowledge; an open form is asked again after it.

    `about` is what it follows up, `pick` the candidate that was chosen. With `otherwise` it is answered only where
    that is plain, and else this step is taken.
    """

    service: str
    parse: Parse
    about: str = ""
    pick: str = ""
    otherwise: Step | None = None


Step = Crisis | Say | Open | Choose | Fill | Do | Clarify | Answer

#: Talk that is answered with a sentence of its own.
TALK = ("greet", "thanks", "goodbye", "help", "human")
#: From this confidence on a message within a form may be about another matter.
SURE = 0.6
