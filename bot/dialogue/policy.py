"""What to do with a message: crisis first, then the asked field, then a new service, then talk, then clarification."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from actions.core.life import Choice
from bot.dialogue import forms, midway
from bot.dialogue.picking import picked
from bot.dialogue.steps import TALK, Clarify, Crisis, Do, Fill, Open, Registry, Say, Step

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.catalogue import Declaration
    from bot.dialogue.state import State
    from nlu.types import Parse

__all__ = ["Clarify", "Crisis", "Do", "Fill", "Open", "Registry", "Say", "Step", "decide"]

_NONE_OF_THESE = "none"
_ANSWERS = ("affirm", "deny", "cancel")


def decide(state: State, parse: Parse, registry: Registry, now: datetime) -> Step:
    """The step that answers a message. Pure: everything it depends on is an argument."""
    del now  # the state was expired against it before; kept in the signature of every pure step
    if parse.crisis is not None:
        return Crisis(kind=parse.crisis)
    parse = _leaning(state, parse, registry)
    if state.clarify:
        step = _clarified(state, parse, registry)
        if step is not None:
            return step
    if registry.words.says("resume", parse.text):
        return Do(what="resume")
    frame = state.top
    if frame is not None:
        return midway.step(frame, registry.catalogue[frame.service], parse, registry)
    return _idle(state, parse, registry)


def _leaning(state: State, parse: Parse, registry: Registry) -> Parse:
    """What lies aside is likelier to be meant: a close second that opens it again comes first."""
    first, *others = parse.ranking[:2] or (None,)
    if first is None or not others or first.intent != parse.intent:
        return parse
    (second,) = others
    opened = {service.id for service in registry.catalogue.opened_by(second.intent)}
    close = first.confidence - second.confidence < registry.clarify_margin
    if not close or not opened & {frame.service for frame in (*state.stack[:-1], *state.drafts)}:
        return parse
    ranking = (second, first, *parse.ranking[2:])
    return replace(parse, intent=second.intent, confidence=second.confidence, ranking=ranking)


def _clarified(state: State, parse: Parse, registry: Registry) -> Step | None:
    choice = picked(state.clarify, parse, registry.words, whatever=False)
    named = [each for each in state.clarify if each.value != _NONE_OF_THESE]
    if choice is None and len(named) == 1 and registry.words.says("affirm", parse.text):
        choice = named[0]
    if choice is not None and choice.value != _NONE_OF_THESE:
        return Open(service=choice.value, parse=state.unclear or parse)
    refused = registry.words.says("deny", parse.text) or registry.words.says("cancel", parse.text)
    if choice is not None or refused or parse.intent == "deny":
        return Say(wording="talk.say_otherwise")
    return None


def _idle(state: State, parse: Parse, registry: Registry) -> Step:
    words = registry.words
    if words.says("book", parse.text):
        return Clarify(choices=_options(registry, *_bookable(registry)), parse=parse)
    services = registry.catalogue.opened_by(parse.intent)
    if services and parse.confidence >= registry.open_confidence:
        return _begin(services, parse, registry)
    if parse.intent in _ANSWERS or any(words.says(kind, parse.text) for kind in (*_ANSWERS, "keep")):
        return Say(wording="talk.nothing_asked", intent=parse.intent)
    named = _of_what_is_named(parse, registry) if parse.confidence < registry.open_confidence else []
    if named:
        return Clarify(choices=_options(registry, *named[:2]), parse=parse)
    if parse.intent == "out_of_scope" or services:
        return _unsure(state, parse, registry)
    return Say(wording=f"talk.{parse.intent}" if parse.intent in TALK else "talk.not_yet", intent=parse.intent)


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


def _unsure(state: State, parse: Parse, registry: Registry) -> Step:
    if parse.impossible:
        return Say(wording="talk.no_such_time")
    if state.shelved:
        # An answer that came too late for its question: that the form was put aside has been said.
        return Do(what="missed")
    likely = [
        service.id
        for ranked in parse.ranking[:3]
        if ranked.confidence >= registry.open_confidence / 2
        for service in registry.catalogue.opened_by(ranked.intent)
    ]
    if likely and parse.ranking[0].intent != "out_of_scope":
        return Clarify(choices=_options(registry, *likely[:2]), parse=parse)
    return Say(wording="talk.out_of_scope", intent="out_of_scope")


def _bookable(registry: Registry) -> list[str]:
    """The services that give a time with a person or in a room."""
    return [service.id for service in registry.catalogue if service.life == "appointment" and service.triggers.intents]


def _of_what_is_named(parse: Parse, registry: Registry) -> list[str]:
    """The services of what a message names and says no more of: 何医生 alone may want to be booked."""
    if forms.beside(parse) > 0:
        return []
    named = {entity.name for entity in parse.entities} - {"service", "number", "person"}
    offered = ((service, field) for service in registry.catalogue for field in service.form if field.type == "offering")
    return [service.id for service, field in offered if field.entity in named and service.triggers.intents]


def _options(registry: Registry, *services: str) -> tuple[Choice, ...]:
    """What is done rather than named is offered by its title: 您是想“改预约时间”，还是…."""
    named = tuple(_option(registry.catalogue[service]) for service in dict.fromkeys(services))
    return (*named, Choice(value=_NONE_OF_THESE, label="都不是"))


def _option(declaration: Declaration) -> Choice:
    return Choice(value=declaration.id, label=declaration.short if declaration.named else declaration.title)
