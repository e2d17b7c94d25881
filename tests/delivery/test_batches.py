"""A batch: everybody once, in one transaction; paused, resumed, taken back; counted in one query."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from actions.core import batches
from actions.core.batches import Mailing, Place, add_members, add_places, open_batch
from actions.core.tables import Batch, Member, Outgoing
from bot.delivery import Limits, Window
from bot.messages import SendError
from tests.delivery.conftest import CHANNEL, NOON

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actions.core.commands import Context
    from bot.messages import Outbound
    from tests.delivery.conftest import Office

ONE_A_SECOND = Limits(overall=(Window(count=1, seconds=1),))


async def turn(office: Office, batch: int, how: Callable[[Context, int], Awaitable[int]]) -> int:
    async with office.database.write() as session:
        return await how(office.context(session), batch)


async def test_everybody_is_in_it_once_and_nobody_who_left(office: Office):
    async with office.database.write() as session:
        await session.execute(update(Member).where(Member.id == office.people[2]).values(status="left"))
        context = office.context(session)
        batch = await open_batch(context, Mailing(title="通知", wording="say", params={"text": "通知"}))
        some = select(Member.id).where(Member.id == office.people[0])
        written = [await add_members(context, batch, query) for query in (some, select(Member.id), select(Member.id))]
    assert written == [1, 1, 0]
    assert [row.member_id for row in await office.rows()] == office.people[:2]
    await office.delivery().flush()
    assert office.platform.heard == {"m0": 1, "m1": 1}


async def test_half_a_batch_is_never_there(office: Office):
    async def half() -> None:
        async with office.database.write() as session:
            context = office.context(session)
            batch = await open_batch(context, Mailing(title="通知", wording="say", params={"text": "通知"}))
            await add_members(context, batch, select(Member.id))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await half()
    async with office.database.read() as session:
        assert (await session.execute(select(Batch))).all() == []
    assert await office.rows() == []


async def test_who_is_left_out_stands_in_the_ledger_with_the_rule(office: Office):
    async with office.database.write() as session:
        context = office.context(session)
        batch = await open_batch(context, Mailing(title="通知", wording="say", params={"text": "通知"}))
        await add_members(context, batch, select(Member.id).where(Member.id == office.people[0]), rule="answered")
        await add_members(context, batch, select(Member.id))
    await office.delivery().flush()
    ledger = await office.tally(batch.id)
    assert (ledger.states, ledger.reasons) == ({"suppressed": 1, "sent": 2}, {("suppressed", "answered"): 1})


async def test_groups_are_told_once_each(office: Office):
    async with office.database.write() as session:
        context = office.context(session)
        batch = await open_batch(context, Mailing(title="通知", wording="say", params={"text": "通知"}))
        places = [Place(channel=CHANNEL, conversation=name) for name in ("甲", "乙", "甲")]
        assert [await add_places(context, batch, places) for _ in range(2)] == [2, 0]
    await office.delivery().flush()
    assert office.platform.heard == {"甲": 1, "乙": 1}
    assert {row.chat for row in await office.rows()} == {"group"}


async def test_its_text_is_kept_once_and_sealed(office: Office):
    batch = await office.announce("元旦福利")
    async with office.database.read() as session:
        content = (await session.execute(select(Batch.content).where(Batch.id == batch))).scalar_one()
    assert "元旦" not in content
    assert {row.content for row in await office.rows()} == {""}


async def test_it_is_paused_in_the_middle_and_goes_on(office: Office):
    batch = await office.announce()
    delivery = office.delivery(limits=ONE_A_SECOND)
    await delivery.flush()
    assert await turn(office, batch, batches.pause) == 2
    assert await turn(office, batch, batches.pause) == 0
    office.clock.move(hours=1)
    assert await delivery.flush() == []
    assert (await office.tally(batch)).states == {"sent": 1, "paused": 2}
    assert await turn(office, batch, batches.resume) == 2
    for _ in range(2):
        await delivery.flush()
        office.clock.move(seconds=2)
    assert (await office.tally(batch)).states == {"sent": 3}


async def test_what_may_have_arrived_is_not_said_again_once_it_is_taken_back(office: Office):
    batch = await office.announce()
    async with office.database.write() as session:
        doubtful = (await session.execute(select(Outgoing).order_by(Outgoing.id).limit(1))).scalar_one()
        doubtful.state, doubtful.doubts = "unknown", 1
    assert await turn(office, batch, batches.cancel) == 3
    await office.delivery().flush()
    ledger = await office.tally(batch)
    assert (ledger.states, ledger.doubts) == ({"cancelled": 3}, 1)
    assert not office.platform.heard


@pytest.mark.parametrize("paused", [False, True])
async def test_what_is_taken_back_is_not_said(office: Office, paused: bool):
    batch = await office.announce()
    delivery = office.delivery(limits=ONE_A_SECOND)
    await delivery.flush()
    if paused:
        await turn(office, batch, batches.pause)
    assert await turn(office, batch, batches.cancel) == 2
    assert await turn(office, batch, batches.resume) == 0
    office.clock.move(hours=1)
    await delivery.flush()
    ledger = await office.tally(batch)
    assert (ledger.states, ledger.waiting, ledger.total) == ({"sent": 1, "cancelled": 2}, 0, 3)


@pytest.mark.parametrize(("how", "state"), [(batches.pause, "paused"), (batches.cancel, "cancelled")])
async def test_what_comes_back_from_the_platform_meanwhile_waits_as_its_batch_does(office: Office, how, state):
    def refuse(_message: Outbound) -> None:
        raise SendError("500")

    office.platform.refuse = refuse
    batch = await office.announce()
    async with office.database.write() as session:
        context = office.context(session)
        await session.execute(update(Outgoing).values(state="sending", worker="dead", channel=CHANNEL))
        await how(context, batch)
    office.clock.move(minutes=1)
    await office.delivery().flush()
    ledger = await office.tally(batch)
    assert (ledger.states, ledger.doubts, office.platform.calls) == ({state: 3}, 3, 0)


async def test_recipients_that_come_later_are_told_as_the_batch_stands(office: Office):
    batch = await office.announce(due=NOON + timedelta(hours=1))
    await turn(office, batch, batches.pause)
    await office.populate(1)
    async with office.database.write() as session:
        found = await session.get_one(Batch, batch)
        assert await add_members(office.context(session), found, select(Member.id)) == 1
    assert (await office.tally(batch)).states == {"paused": 4}
