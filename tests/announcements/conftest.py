"""What the tests of announcements share: people of the demo world, and short ways to tell and to look."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.announcements import commands as c
from actions.core.tables import Batch, Member, Outgoing
from actions.core.zones import local

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.commands import Command, Outcome
    from tests.conftest import World

LIN, WANG, CHEN, ZHOU, HU = "20180312", "20150108", "20130517", "20100903", "20160008"
HE = "20110415"


async def run(world: World, command: Command, who: str = "") -> Outcome:
    """One command in a unit of work of its own; the operator's where nobody is named."""
    async with world.unit_of_work(who) as context:
        return await context.bus.execute(command, context)


async def announce(world: World, to: Any = "全体", text: str = "示例通知", who: str = "", **more: Any) -> int:
    """Announces; returns the number."""
    outcome = await run(world, c.Announce(to=to, text=text, **more), who)
    return int(outcome.data["announcement_id"])


async def states(world: World, subject: str) -> Counter[str]:
    """The ledger of a subject's batches: rows by state."""
    async with world.app.house.database.read() as session:
        query = select(Outgoing.state).join(Batch, Batch.id == Outgoing.batch_id).where(Batch.subject == subject)
        return Counter((await session.execute(query)).scalars())


async def told(world: World, staff_id: str) -> list[tuple[datetime, str]]:
    """What a member was told by notices and batches, and when in Shanghai."""
    house = world.app.house
    async with house.database.read() as session:
        query = (
            select(Outgoing, Batch.content)
            .outerjoin(Batch, Batch.id == Outgoing.batch_id)
            .join(Member, Member.id == Outgoing.member_id)
            .where(Member.staff_id == staff_id, Outgoing.state.in_(("sent", "accepted")))
            .order_by(Outgoing.sent_at, Outgoing.id)
        )
        rows = (await session.execute(query)).all()
    said = []
    for row, batch in rows:
        content = house.vault.open(row.content or batch, about="outgoing")
        text = "\n".join(house.wording.text(key, params) for key, params in content["parts"])
        if row.sent_at is not None:
            said.append((local(row.sent_at), text))
    return said
