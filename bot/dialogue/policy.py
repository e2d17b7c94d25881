"""What to do with a message: crisis first, then the asked field, then a new service, then talk, then clarification."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from actions.core.life import Choice
from bot.dialogue import forms, midway, naming, questions
from bot.dialogue.picking import picked
from bot.dialogue.steps import TALK, Answer, Choose, Clarify, Crisis, Do, Fill, Open, Registry, Say, Step

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.catalogue import Declaration
    from bot.dialogue.state import State
    from nlu.types import Parse

__all__ = ["Answer", "Choose", "Clarify", "Crisis", "Do", "Fill", "Open", "Registry", "Say", "Step", "decide"]

#: Value of the choice that refuses all others.
NONE_OF_THESE = "none"
#: Between a service and what was picked of it, in the value of a choice.
OFFERED = "#"
_ANSWERS = ("affirm", "deny", "cancel")
#: Where nothing can be given up, what is this likely (0 to 1) is what was meant.
_NEARLY = 0.2


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
    followed = questions.following(state, parse, registry)
    if frame is not None:
        step = midway.step(frame, frame.declared(registry.catalogue), parse, registry)
        if step == Do(what="missed"):
            return followed or questions.attempt(parse, step)
        return step
    return followed or _idle(state, parse, registry)


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
    named = [each for each in state.clarify if each.value != NONE_OF_THESE]
    if choice is None and len(named) == 1 and registry.words.says("affirm", parse.text):
        choice = named[0]
    if choice is not None and choice.value != NONE_OF_THESE:
        service, _, offering = choice.value.partition(OFFERED)
        return questions.opening(registry.catalogue[service], state.unclear or parse, offering=offering)
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
        return _unasked(parse, registry)
    unsure = parse.confidence < registry.open_confidence or parse.intent == "out_of_scope"
    named = _of_what_is_named(parse, registry) if unsure else []
    if named:
        return Clarify(choices=_options(registry, *named[:2]), parse=parse)
    if parse.intent == "out_of_scope" or services:
        return _unsure(state, parse, registry)
    return Say(wording=f"talk.{parse.intent}" if parse.intent in TALK else "talk.not_yet", intent=parse.intent)


def _unasked(parse: Parse, registry: Registry) -> Step:
    """A yes or no to nothing; 跳绳不报了 and 取消候补 are about what is on record."""
    near = any(each.intent == "withdraw" and each.confidence >= _NEARLY for each in parse.ranking[:2])
    if parse.intent == "cancel" and (near or _of_what_is_named(parse, registry, alone=False)):
        return Open(service=registry.catalogue.opened_by("withdraw")[0].id, parse=parse)
    return Say(wording="talk.nothing_asked", intent=parse.intent)


def _begin(services: tuple[Declaration, ...], parse: Parse, registry: Registry) -> Step:
    meant = naming.named(services, parse, registry)
    if len(meant) == 1 and (len(services) > 1 or meant[0] not in services):
        return Open(service=meant[0].id, parse=parse)
    if len(services) > 1 and (listing := naming.listing(services)) is not None:
        return Open(service=listing.id, parse=parse)
    if len(services) > 1 and all(map(naming.offers, services)):
        return Choose(services=tuple(service.id for service in meant or services), parse=parse)
    close = _close_second(parse, registry)
    if close:
        return Clarify(choices=_options(registry, services[0].id, close), parse=parse)
    if len(services) > 1:
        return Clarify(choices=_options(registry, *(service.id for service in services)), parse=parse)
    return questions.opening(services[0], parse)


def _close_second(parse: Parse, registry: Registry) -> str:
    """A second service so close behind the first that asking is better than guessing."""
    if len(parse.ranking) < 2 or parse.ranking[0].intent != parse.intent:
        return ""
    first, second = parse.ranking[:2]
    services = registry.catalogue.opened_by(second.intent)
    if len(services) > 1 and any(map(naming.offers, services)):
        return ""
    if questions.all_questions((*registry.catalogue.opened_by(first.intent), *services)):
        return ""
    return services[0].id if services and first.confidence - second.confidence < registry.clarify_margin else ""


def _unsure(state: State, parse: Parse, registry: Registry) -> Step:
    if parse.impossible:
        return Say(wording="talk.no_such_time")
    if state.shelved:
        # An answer that came too late for its question: that the form was put aside has been said.
        return Do(what="missed")
    likely = [
        service
        for ranked in parse.ranking[:3]
        if ranked.confidence >= registry.open_confidence / 2
        for service in _standing_for(ranked.intent, parse, registry)
    ]
    if likely and parse.ranking[0].intent != "out_of_scope":
        if questions.all_questions(registry.catalogue[service] for service in likely[:2]):
            return Answer(service=likely[0], parse=parse)
        return questions.attempt(parse, Clarify(choices=_options(registry, *likely[:2]), parse=parse))
    return questions.attempt(parse, Say(wording="talk.out_of_scope", intent="out_of_scope"))


def _standing_for(intent: str, parse: Parse, registry: Registry) -> list[str]:
    """The services that are asked about where an intent is likely: of many the one that is named, or their list."""
    services = registry.catalogue.opened_by(intent)
    if len(services) < 2 or not any(map(naming.offers, services)):
        return [service.id for service in services]
    meant = naming.named(services, parse, registry)
    lists = [each for each in registry.catalogue if each.life == services[0].life and not each.form]
    return [service.id for service in (meant if len(meant) == 1 else lists)]


def _bookable(registry: Registry) -> list[str]:
    """The services that give a time with a person or in a room."""
    return [service.id for service in registry.catalogue if service.life == "appointment" and service.triggers.intents]


def _of_what_is_named(parse: Parse, registry: Registry, *, alone: bool = True) -> list[str]:
    """The services of what a message names and (`alone`) says no more of: 何医生 alone may want to be booked."""
    if alone and forms.beside(parse) > 0:
        return []
    known = [service for found in parse.entities for service in registry.offered.get((found.name, found.value), ())]
    if known:
        return list(dict.fromkeys(known))
    named = {entity.name for entity in parse.entities} - {"service", "number", "person"}
    offered = ((service, field) for service in registry.catalogue for field in service.form if field.type == "offering")
    return [service.id for service, field in offered if field.entity in named and service.triggers.intents]


def _options(registry: Registry, *services: str) -> tuple[Choice, ...]:
    """What is done rather than named is offered by its title: 您是想“改预约时间”，还是…."""
    named = tuple(_option(registry.catalogue[service]) for service in dict.fromkeys(services))
    return (*named, Choice(value=NONE_OF_THESE, label="都不是"))


def _option(declaration: Declaration) -> Choice:
    return Choice(value=declaration.id, label=declaration.short if declaration.named else declaration.title)
