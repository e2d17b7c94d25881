"""The names that the NLU should know: of services, of what runs, of units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.core.tables import Offering, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.catalogue import Catalogue
    from bot.demo import World
    from nlu.types import Gazetteer


async def names_of(session: AsyncSession, catalogue: Catalogue) -> Gazetteer:
    """The names of the catalogue and of what is open in the database."""
    rows = (await session.execute(select(Offering).where(Offering.state == "open"))).scalars().all()
    units = (await session.execute(select(Unit.name))).scalars().all()
    known = [(row.service, row.title, row.spec.get("also", ())) for row in rows]
    return gazetteer(catalogue, known, units)


def demo_gazetteer(catalogue: Catalogue, world: World) -> Gazetteer:
    """The names of the catalogue and the demo world, for a parse without a database."""
    known = [(item.service, item.title, item.spec.get("also", ())) for item in world.offerings]
    return gazetteer(catalogue, known, world.units)


def gazetteer(catalogue: Catalogue, known: Sequence[tuple[str, str, Any]], units: Sequence[str]) -> Gazetteer:
    """Surface forms by entity: services by title and short name, offerings under the entity their form names."""
    names: dict[str, dict[str, str]] = {"service": {}, "unit": {unit: unit for unit in units}}
    for declaration in (each for each in catalogue if each.named):
        for surface in (declaration.title, declaration.short, *declaration.also):
            names["service"][surface] = declaration.id
    for service, title, also in known:
        entity = next((item.entity for item in catalogue[service].form if item.entity and item.type == "offering"), "")
        if entity:
            names.setdefault(entity, {}).update(dict.fromkeys((title, *also), title))
    return names
