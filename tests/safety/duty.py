"""Who is on duty in the tests, and what they and the person in need have been told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.core.commands import SYSTEM
from actions.core.tables import Member, Outgoing
from actions.safety import Alert, RaiseAlert
from tests.records.world import NOW

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.commands import Outcome
    from actions.safety import Kind, Told
    from tests.records.world import World


async def staff(world: World) -> None:
    """Fills the duty list: two counsellors and one union officer. 周涛 is an officer of everything, and not on it."""
    for name, role, service in (
        ("何医生", "counsellor", "counseling"),
        ("周涛", "union_officer", ""),
        ("沈主席", "union_officer", "safety"),
        ("高老师", "counsellor", "counseling"),
    ):
        await world.add_person(name)
        await world.grant(name, role, service)


async def call(world: World, who: str, now: datetime = NOW, kind: Kind = "despair", **more: Any) -> Outcome:
    """Somebody calls for help."""
    return await world.run(RaiseAlert(kind=kind, **more), who, now)


async def told(world: World) -> list[tuple[str, str]]:
    """Who has been sent what, in order: (name, text)."""
    async with world.database.read() as session:
        rows = (await session.execute(select(Outgoing).order_by(Outgoing.id))).scalars().all()
        names = {row.id: row.name for row in await session.execute(select(Member.id, Member.name))}
        sent = []
        for row in rows:
            for key, params in world.vault.open(row.content, about="outgoing")["parts"]:
                sent.append((names[row.member_id or 0], world.wording.text(key, params)))
        return sent


async def alerts(world: World) -> list[Alert]:
    """All alerts, oldest first."""
    async with world.database.read() as session:
        return list((await session.execute(select(Alert).order_by(Alert.id))).scalars())


async def told_since(world: World, notice_id: int = 0) -> list[Told]:
    """The alerts as a replay lists them."""
    async with world.database.read() as session:
        return await world.safety.alerts_since(world.context(session, SYSTEM), notice_id)
