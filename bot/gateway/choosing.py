"""Several services share an intent: what they offer decides, or is listed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.errors import DomainError
from actions.core.life import Choice
from actions.core.tables import Offering
from bot.dialogue.policy import NONE_OF_THESE, OFFERED

if TYPE_CHECKING:
    from actions.core.catalogue import Catalogue, Declaration
    from actions.core.commands import Context
    from bot.dialogue.steps import Choose, Registry
    from bot.gateway.forms import FormRunner
    from nlu.types import Parse

# What fits into one message of a chat.
_MOST = 12


async def knowing(context: Context, registry: Registry, parse: Parse) -> Registry:
    """The registry with the services that offer what a message names; one query, where it names anything."""
    entities = _entities(registry.catalogue)
    named = {entity.value for entity in parse.entities if entity.name in entities}
    if not named:
        return registry
    query = select(Offering.service, Offering.title).where(Offering.state == "open", Offering.title.in_(named))
    offered: dict[tuple[str, str], set[str]] = defaultdict(set)
    for service, title in (await context.session.execute(query)).all():
        if service in registry.catalogue and (entity := entity_of(registry.catalogue[service])):
            offered[entity, title].add(service)
    return replace(registry, offered={key: frozenset(services) for key, services in offered.items()})


def _entities(catalogue: Catalogue) -> set[str]:
    return {entity for service in catalogue if (entity := entity_of(service))}


def entity_of(service: Declaration) -> str:
    """The NLU entity of what a service offers; empty where its offerings have no names of their own."""
    return next((field.entity for field in service.form if field.type == "offering" and field.entity), "")


async def choose(step: Choose, runner: FormRunner) -> None:
    """Lists what the services offer. What the message names counts alone; the only service that is left begins."""
    found = [(service, choice) for service in step.services for choice in await _offers(runner, service)]
    values = {entity.value for entity in step.parse.entities}
    meant = [(service, choice) for service, choice in found if choice.value.partition("@")[0] in values] or found
    services = {service for service, _choice in meant}
    if not meant:
        runner.saying.say("talk.nothing_open")
        return
    if len(services) == 1:
        await runner.open(services.pop(), step.parse)
        return
    choices = [Choice(value=f"{service}{OFFERED}{choice.value}", label=choice.label) for service, choice in meant]
    shown = (*choices[:_MOST], Choice(value=NONE_OF_THESE, label="都不是"))
    runner.state = runner.state.but(clarify=shown, unclear=step.parse)
    runner.saying.say("talk.choose", {"more": len(choices[_MOST:])})
    runner.saying.offer(shown)


async def _offers(runner: FormRunner, service: str) -> tuple[Choice, ...]:
    """What a service has open for who speaks; a private one is not named where others read along."""
    declaration = runner.registry.catalogue[service]
    if declaration.elsewhere is not None or (declaration.private and not runner.context.actor.private):
        return ()
    roles = declaration.who.roles
    if roles and not any(runner.context.actor.holds(role, service=service) for role in roles):
        return ()
    key = next(field.key for field in declaration.form if field.type == "offering")
    try:
        return await runner.context.lives[declaration.life].choices(runner.context, declaration, {}, key)
    except DomainError:
        return ()
