"""The demo world in a database. Everything in it is 示例."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from actions.blocks.deadlines import working_days_after, working_days_before
from actions.core.commands import SYSTEM, actor_for
from actions.core.offerings import CreateOffering
from actions.core.tables import Account, Member, Outgoing, RoleGrant, Unit
from actions.core.zones import at, local

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.database import Database
    from bot.gateway import House
    from bot.world import DemoMember, World

#: Channels on which the demo's people are known by their 工号.
CHANNELS = ("web", "terminal")
_MOMENT = re.compile(r"([+-])(\d{1,3})([dw]) (\d\d:\d\d)")


async def fill(house: House, world: World, now: datetime) -> None:
    """Fills an empty database with the demo world, in one transaction."""
    async with house.database.write() as session:
        units = {name: Unit(name=name) for name in world.units}
        session.add_all(units.values())
        await session.flush()
        for person in world.members:
            await _add_member(session, person, units, now)
        context = house.context(session, SYSTEM, now)
        for offering in world.offerings:
            spec = dated(offering.spec, now)
            await context.bus.execute(
                CreateOffering(**offering.model_dump(exclude={"spec"}), spec=spec, example=True), context
            )
        for done in world.commands:
            member = (await session.execute(select(Member).where(Member.staff_id == done.by))).unique().scalar_one()
            actor = await actor_for(session, member)
            await context.bus.execute(context.bus.command(done.command, done.arguments), context.acting_as(actor))
        await session.flush()
        # What went before the demo begins has been told; the questions about it are still open.
        await session.execute(delete(Outgoing))


def dated(spec: Any, now: datetime) -> Any:
    """A spec with its moments laid out from `now`: "+10d 14:30" is in ten days, "+7w 14:30" in seven working days.

    The demo world is as old as the database that it fills, so that what is open in it stays open.
    """
    if isinstance(spec, dict):
        return {key: dated(value, now) for key, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [dated(value, now) for value in spec]
    match = _MOMENT.fullmatch(spec) if isinstance(spec, str) else None
    if match is None:
        return spec
    today, count = local(now).date(), int(match[2])
    day = working_days_after(today, count) if match[3] == "w" else today + timedelta(days=count)
    if match[1] == "-":
        day = working_days_before(today, count) if match[3] == "w" else today - timedelta(days=count)
    return at(day, time.fromisoformat(match[4])).isoformat()


async def _add_member(session: AsyncSession, person: DemoMember, units: dict[str, Unit], now: datetime) -> None:
    member = Member(
        staff_id=person.staff_id,
        name=person.name,
        sex=person.sex,
        unit_id=units[person.unit].id,
        phone=person.phone,
        tags=list(person.tags),
    )
    session.add(member)
    await session.flush()
    session.add_all(
        RoleGrant(
            member_id=member.id,
            role=grant.role,
            service=grant.service,
            unit_id=units[grant.unit].id if grant.unit else None,
        )
        for grant in person.roles
    )
    session.add_all(
        _account(channel, person.staff_id, member.id if person.bound else None, now) for channel in CHANNELS
    )


def _account(channel: str, sender: str, member_id: int | None, now: datetime) -> Account:
    """An account whose private conversation is known, as if the person had spoken before."""
    return Account(
        channel=channel,
        account="",
        sender=sender,
        conversation=sender,
        member_id=member_id,
        bound_at=now if member_id else None,
        heard_at=now,
    )


async def is_demo(database: Database, world: World) -> bool:
    """Whether a database holds the demo world and nobody else: only there may a visitor choose who to be."""
    ours = {member.staff_id for member in world.members}
    async with database.read() as session:
        found = set((await session.execute(select(Member.staff_id))).scalars())
    return ours <= found and all(name in ours or name.startswith("demo-") for name in found)


async def add_members(house: House, count: int, now: datetime) -> tuple[str, str]:
    """Adds bound members `demo-1`…`demo-N` of the web channel; returns the first and the last new sender."""
    async with house.database.write() as session:
        names = (await session.execute(select(Member.staff_id).where(Member.staff_id.like("demo-%")))).scalars()
        taken = max((int(name.removeprefix("demo-")) for name in names), default=0)
        numbers = range(taken + 1, taken + count + 1)
        members = [Member(staff_id=f"demo-{n}", name=f"示例{n}", phone=f"1370{n:07d}", tags=[]) for n in numbers]
        session.add_all(members)
        await session.flush()
        session.add_all(_account("web", member.staff_id, member.id, now) for member in members)
    return f"demo-{numbers.start}", f"demo-{numbers.stop - 1}"


#: 工号 and name of the demo's union officer, who gets the first password.
OFFICER = ("20100903", "周涛")
