"""Teams of the demo world's tournament, for the tests of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.activities.store import open_key
from actions.activities.tables import Entry, Person
from actions.core.tables import Member, Offering, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Outcome
    from tests.conftest import World

OFFICER = "20100903"
UNITS = ("文学院", "机电学院", "矿业学院", "图书馆")


async def offering_of(world: World, title: str) -> int:
    """Id of an offering by its title."""
    async with world.app.house.database.read() as session:
        return (await session.execute(select(Offering.id).where(Offering.title == title))).scalars().one()


async def enter_teams(world: World, title: str, units: Sequence[str] = UNITS) -> dict[str, int]:
    """Registers a team of two for each unit; entry ids by unit."""
    async with world.unit_of_work() as context:
        session = context.session
        offering = (await session.execute(select(Offering).where(Offering.title == title))).scalars().one()
        found = {}
        for name in units:
            unit = (await session.execute(select(Unit).where(Unit.name == name))).scalar_one()
            query = select(Member).where(Member.unit_id == unit.id).order_by(Member.id).limit(2)
            members = list((await session.execute(query)).unique().scalars())
            entry = Entry(
                service=offering.service,
                offering_id=offering.id,
                member_id=members[0].id,
                unit_id=unit.id,
                kind="team",
                state="registered",
                fields={},
                created_at=context.now,
                people=[Person(member=one, open_key=open_key(offering.id, one.id)) for one in members],
            )
            session.add(entry)
            await session.flush()
            found[name] = entry.id
    return found


async def do(world: World, command: str, *, who: str = OFFICER, **arguments: Any) -> Outcome:
    """Runs a command as a member; what it did can be said."""
    async with world.unit_of_work(who) as context:
        outcome = await context.bus.execute(context.bus.command(command, arguments), context)
    assert world.app.house.wording.text(outcome.wording, outcome.params)
    return outcome
