"""What to do with a message: crisis first, then the asked field, then a new service, then talk, then clarification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actions.core.life import Choice
from bot.dialogue import forms, reading
from bot.dialogue.words import bare

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.catalogue import Catalogue, Declaration
    from bot.dialogue.state import Frame, State
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

    taken: forms.Taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Do:
    """Something done to the top form."""

    what: Literal["commit", "drop", "revise", "why", "refuse_consent", "other_time", "resume", "missed"]
    field: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clarify:
    """您是想…还是…？"""

    choices: tuple[Choice, ...]
    parse: Parse


Step = Crisis | Say | Open | Fill | Do | Clarify

#: Where a question about a form's answer ends and another matter begins.
_SURE = 0.6
_TALK = ("greet", "thanks", "goodbye", "help", "human")
_NONE_OF_THESE = "none"


def decide(state: State, parse: Parse, registry: Registry, now: datetime) -> Step:
    """The step that answers a message. Pure: everything it depends on is an argument."""
    del now  # the state was expired against it before; kept in the signature of every pure step
    if parse.crisis is not None:
        return Crisis(kind=parse.crisis)
    if state.clarify:
        step = _clarified(state, parse, registry)
        if step is not None:
            return step
    if registry.words.says("resume", parse.text):
        return Do(what="resume")
    frame = state.top
    if frame is not None:
        return _in_form(frame, registry.catalogue[frame.service], parse, registry)
    return _idle(parse, registry)


def _clarified(state: State, parse: Parse, registry: Registry) -> Step | None:
    choice = reading.picked(state.clarify, parse, registry.words)
    if choice is not None and choice.value != _NONE_OF_THESE:
        return Open(service=choice.value, parse=state.unclear or parse)
    refused = registry.words.says("deny", parse.text) or registry.words.says("cancel", parse.text)
    if choice is not None or refused or parse.intent == "deny":
        return Say(wording="talk.say_otherwise")
    return None


def _in_form(frame: Frame, declaration: Declaration, parse: Parse, registry: Registry) -> Step:
    words = registry.words
    if words.says("why", parse.text):
        return Do(what="why", field=frame.asked)
    asked = declaration.field(frame.asked) if frame.asked else None
    steering = _steering(frame, declaration, parse, registry)
    if steering is not None:
        return steering
    taken = forms.take(declaration, frame, parse, words)
    other = _other_service(declaration, parse, registry)
    if other and not _is_answer(frame, declaration, taken, parse):
        return Open(service=other, parse=parse)
    if asked is not None and asked.type == "consent" and taken.frame.values.get(asked.key) is False:
        return Do(what="refuse_consent")
    if taken.changed:
        return Fill(taken=taken)
    return _untaken(frame, asked.type if asked else "", parse, registry)


def _steering(frame: Frame, declaration: Declaration, parse: Parse, registry: Registry) -> Step | None:
    """Words that steer rather than answer: give up, confirm, change something."""
    words = registry.words
    free_text = bool(frame.asked) and declaration.field(frame.asked).type == "text"
    if words.says("cancel", parse.text) or (parse.intent == "cancel" and not free_text and not parse.times):
        return Do(what="drop")
    if frame.phase == "confirming":
        return _at_read_back(frame, declaration, parse, registry)
    if frame.phase == "revising":
        choice = reading.picked(frame.choices, parse, words)
        return Do(what="revise", field=choice.value) if choice else None
    return None


def _at_read_back(frame: Frame, declaration: Declaration, parse: Parse, registry: Registry) -> Step | None:
    words = registry.words
    choice = reading.picked(frame.choices, parse, words)
    if choice is not None and choice.value.startswith("field:"):
        return Do(what="revise", field=choice.value.removeprefix("field:"))
    if choice is not None and choice.value in ("commit", "drop", "revise"):
        return Do(what="commit" if choice.value == "commit" else "drop" if choice.value == "drop" else "revise")
    if words.says("affirm", parse.text):
        return Do(what="commit")
    changed = forms.take(declaration, frame, parse, words).changed
    if parse.intent == "affirm" and not changed:
        return Do(what="commit")
    if (words.says("deny", parse.text) or parse.intent == "deny") and not changed:
        return Do(what="revise")
    return None


def _other_service(declaration: Declaration, parse: Parse, registry: Registry) -> str:
    """Another service that the message is sure to ask for."""
    if parse.confidence < _SURE:
        return ""
    for service in registry.catalogue.opened_by(parse.intent):
        if service.id != declaration.id:
            return service.id
    return ""


def _is_answer(frame: Frame, declaration: Declaration, taken: forms.Taken, parse: Parse) -> bool:
    """Whether a message is an answer and little else: what it says beside the answer is a word or two."""
    if not taken.changed:
        return False
    asked = declaration.field(frame.asked) if frame.asked else None
    if asked is not None and asked.type == "text":
        return True
    named = sum(len(time.text) for time in parse.times) + sum(e.end - e.start for e in parse.entities)
    return len(bare(parse.text)) - named <= 4


def _untaken(frame: Frame, asked_type: str, parse: Parse, registry: Registry) -> Step:
    """Nothing was said to the form: talk, or a message that has to be asked again."""
    if parse.impossible:
        return Say(wording="talk.no_such_time")
    kind = registry.kinds.get(parse.intent, "")
    if parse.intent in _TALK and not (parse.intent == "greet" and asked_type == "name"):
        return Say(wording=f"talk.{parse.intent}", intent=parse.intent)
    if kind == "ask" and parse.confidence >= registry.open_confidence:
        return Say(wording="talk.not_yet", intent=parse.intent)
    if asked_type == "slot" and frame.choices and (registry.words.says("deny", parse.text) or parse.intent == "deny"):
        return Do(what="other_time")
    return Do(what="missed")


def _idle(parse: Parse, registry: Registry) -> Step:
    services = registry.catalogue.opened_by(parse.intent)
    if services and parse.confidence >= registry.open_confidence:
        return _begin(services, parse, registry)
    if parse.intent == "out_of_scope" or services:
        return _unsure(parse, registry)
    if parse.intent in ("affirm", "deny", "cancel"):
        return Say(wording="talk.nothing_asked", intent=parse.intent)
    talk = parse.intent in _TALK
    return Say(wording=f"talk.{parse.intent}" if talk else "talk.not_yet", intent=parse.intent)


def _begin(services: tuple[Declaration, ...], parse: Parse, registry: Registry) -> Step:
    close = _close_second(parse, registry)
    if close:
        return Clarify(choices=_options(registry, services[0].id, close), parse=parse)
    if len(services) > 1:
        return Clarify(choices=_options(registry, *(service.id for service in services)), parse=parse)
    return Open(service=services[0].id, parse=parse)


def _close_second(parse: Parse, registry: Registry) -> str:
    """A second service so close behind the first that asking is better than guessing."""
    if len(parse.ranking) < 2 or parse.ranking[0].intent != parse.intent:
        return ""
    first, second = parse.ranking[:2]
    services = registry.catalogue.opened_by(second.intent)
    return services[0].id if services and first.confidence - second.confidence < registry.clarify_margin else ""


def _unsure(parse: Parse, registry: Registry) -> Step:
    """Not sure enough to begin: ask between the likeliest services, or say what can be done."""
    likely = [
        service.id
        for ranked in parse.ranking[:3]
        if ranked.confidence >= registry.open_confidence / 2
        for service in registry.catalogue.opened_by(ranked.intent)
    ]
    if likely and parse.ranking[0].intent != "out_of_scope":
        return Clarify(choices=_options(registry, *likely[:2]), parse=parse)
    if parse.impossible:
        return Say(wording="talk.no_such_time")
    return Say(wording="talk.out_of_scope", intent="out_of_scope")


def _options(registry: Registry, *services: str) -> tuple[Choice, ...]:
    named = tuple(Choice(value=name, label=registry.catalogue[name].short) for name in dict.fromkeys(services))
    return (*named, Choice(value=_NONE_OF_THESE, label="都不是"))
