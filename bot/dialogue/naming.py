"""Which of the services that one intent opens is meant: by what it offers, or by its own name. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.dialogue import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actions.core.catalogue import Declaration
    from bot.dialogue.steps import Registry
    from nlu.types import Parse


def named(services: Sequence[Declaration], parse: Parse, registry: Registry) -> tuple[Declaration, ...]:
    """The services that a message names; none where it names none of them.

    What a service offers (跳绳) says more than its name (运动会). What only another service of the same life offers is
    that one's, where both their intents are shared by several: 报跳绳 is no lecture, whatever the engine made of it.
    """
    offered = _once(
        registry.catalogue[service]
        for entity in parse.entities
        for service in sorted(registry.offered.get((entity.name, entity.value), ()))
    )
    own = tuple(service for service in offered if service in services)
    if own:
        return own
    values = {entity.value for entity in parse.entities if entity.name == "service"}
    by_name = tuple(service for service in services if service.id in values)
    if by_name or len(services) < 2 or listing(services) is not None:
        return by_name
    if not any(map(offers, services)):
        return _answered(services, parse)
    lives = {service.life for service in services}
    return tuple(service for service in offered if service.life in lives and _shares(service, registry))


def _answered(services: Sequence[Declaration], parse: Parse) -> tuple[Declaration, ...]:
    """The one service of which a message answers a question with fixed choices: 我结婚了 asks for one of two."""
    found = tuple(
        service
        for service in services
        if any(field.type == "choice" and reading.mention(field, parse) for field in service.form)
    )
    return found if len(found) == 1 else ()


def _once(services: Iterable[Declaration]) -> tuple[Declaration, ...]:
    return tuple({service.id: service for service in services}.values())


def _shares(service: Declaration, registry: Registry) -> bool:
    """Whether other services are opened by the same intent."""
    return any(len(registry.catalogue.opened_by(intent)) > 1 for intent in service.triggers.intents)


def listing(services: Sequence[Declaration]) -> Declaration | None:
    """The one of several services that asks nothing: it tells what the others offer."""
    return next((service for service in services if not service.form), None)


def offers(service: Declaration) -> bool:
    """Whether a service is one of offerings that are known by their names."""
    return any(field.type == "offering" and field.entity for field in service.form)
