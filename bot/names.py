"""The names that the NLU should know: of services, of what runs, of units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.catalogue import Catalogue
    from bot.world import World
    from nlu.types import Gazetteer


def demo_gazetteer(catalogue: Catalogue, world: World) -> Gazetteer:
    """The names of the catalogue and the demo world, for a parse without a database."""
    known = [(item.service, item.title, item.spec) for item in world.offerings]
    return gazetteer(catalogue, known, world.units)


def gazetteer(
    catalogue: Catalogue, known: Sequence[tuple[str, str, Mapping[str, Any]]], units: Sequence[str]
) -> Gazetteer:
    """Surface forms by entity: services by title and short name, offerings and what can be chosen of them.

    Args:
        catalogue: all services; the form of each names the entity of its offerings.
        known: service, title and spec of each offering.
        units: names of units.

    """
    names: dict[str, dict[str, str]] = {"service": {}, "unit": {unit: unit for unit in units}}
    for declaration in (each for each in catalogue if each.named):
        for surface in (declaration.title, declaration.short, *declaration.also):
            names["service"][surface] = declaration.id
    for service, title, spec in known:
        also, options = spec.get("also", ()), spec.get("options", ())
        entity = next((item.entity for item in catalogue[service].form if item.entity and item.type == "offering"), "")
        if entity:
            names.setdefault(entity, {}).update(dict.fromkeys((title, *also), title))
        chosen = next((item.entity for item in catalogue[service].form if item.entity and item.type == "option"), "")
        for option in options if chosen else ():
            names.setdefault(chosen, {}).update(
                dict.fromkeys((option["title"], *option.get("also", ())), option["title"])
            )
    return names
