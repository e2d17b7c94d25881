"""Who may take a hand-over: one of those on duty, and only one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Member
from actions.handover import Handover, HandoverTaker, Reply, Request, Say, Take
from tests.handover.office import HU, LIN, MONDAY, SUN, ZHOU

if TYPE_CHECKING:
    from tests.handover.office import Office


async def attempt(office: Office, who: str, command: Take | Reply) -> str:
    """A command of an officer in a unit of work of its own; "" or the code of the refusal."""
    try:
        async with office.world.unit_of_work(who) as context:
            await context.bus.execute(command, context)
    except DomainError as error:
        return error.code
    return ""


async def test_taken_by_one_of_two_and_the_other_is_told(office: Office):
    await office.appoint(HU)
    await office.says(LIN, "人工")
    await office.says(LIN, "在吗")
    assert [len(office.news(who)) for who in (ZHOU, HU)] == [2, 2]
    await office.clicks(HU, "接手")
    assert office.news(ZHOU) == ["林一帆（文学院）已由胡雅琴老师接手，您不用管了。"]
    assert "已经处理过了" in await office.clicks(ZHOU, "接手")
    await office.says(LIN, "谢谢胡老师")
    assert (office.news(ZHOU), office.news(HU)) == ([], ["林一帆（文学院）：谢谢胡老师"])


async def test_of_all_who_click_at_once_one_has_it(either_office: Office):
    office = either_office
    others = [f"201600{number:02}" for number in range(8, 14)]
    for who in others:
        await office.appoint(who)
    await office.says(LIN, "人工")
    (row,) = await office.handovers()
    results = await asyncio.gather(*(attempt(office, who, Take(handover_id=row.id)) for who in (ZHOU, *others)))
    assert sorted(results) == ["", *["handover_taken"] * len(others)]
    assert len(await office.takers()) == 1
    await office.delivered()
    assert len([text for text in office.news(LIN) if "老师来了" in text]) == 1


async def test_the_database_lets_only_one_have_it(office: Office):
    await office.says(LIN, "人工")
    await office.clicks(ZHOU, "接手")
    (row,) = await office.handovers()
    async with office.world.app.house.database.read() as session:
        other = (await session.execute(select(Member.id).where(Member.staff_id == HU))).scalar_one()
    with pytest.raises(IntegrityError):
        async with office.world.app.house.database.write() as session:
            session.add(HandoverTaker(handover_id=row.id, member_id=other, taken_at=MONDAY))


async def test_the_database_lets_a_chat_have_one_live_hand_over(office: Office):
    await office.says(LIN, "人工")
    (row,) = await office.handovers()
    copy = {column.key: getattr(row, column.key) for column in Handover.__table__.columns if column.key != "id"}
    with pytest.raises(IntegrityError):
        async with office.world.app.house.database.write() as session:
            session.add(Handover(**copy))


async def test_who_came_first_is_named_to_who_came_late(office: Office):
    await office.appoint(HU)
    await office.says(LIN, "人工")
    (row,) = await office.handovers()
    await office.clicks(ZHOU, "接手")
    async with office.world.unit_of_work(HU) as context:
        with pytest.raises(DomainError) as refused:
            await context.bus.execute(Reply(handover_id=row.id, reason="您好"), context)
    assert (refused.value.code, refused.value.params) == ("handover_taken", {"by": "周涛"})
    assert "您好" not in "".join(office.news(LIN))


async def test_officers_named_for_this_duty_come_before_all_others(office: Office):
    await office.appoint(HU, "handover")
    await office.says(LIN, "人工")
    assert (len(office.news(HU)), office.news(ZHOU)) == (1, [])


async def test_officers_of_another_service_or_unit_are_not_on_duty(office: Office):
    await office.appoint(HU, "proposal")
    await office.says(LIN, "人工")
    assert office.news(HU) == []
    (row,) = await office.handovers()
    assert await attempt(office, HU, Take(handover_id=row.id)) == "forbidden"
    assert await attempt(office, SUN, Take(handover_id=row.id)) == "forbidden"


async def test_nobody_is_put_through_to_themselves(office: Office):
    assert "现在没有值班老师" in await office.says(ZHOU, "人工")
    await office.appoint(HU)
    assert "我去请值班老师" in await office.says(ZHOU, "人工")
    assert (len(office.news(HU)), office.news(ZHOU)) == (1, [])
    (row,) = await office.handovers()
    assert await attempt(office, ZHOU, Take(handover_id=row.id)) == "handover_own"


async def test_with_nobody_to_reach_that_is_said_at_once(office: Office):
    await office.unreachable(ZHOU)
    told = await office.says(LIN, "人工")
    assert "现在没有值班老师" in told
    assert "0516-0000-0001" in told
    assert await office.states() == []
    assert "小助手" in await office.says(LIN, "你好")


async def test_who_lost_the_role_reads_no_more(talk: Office):
    await talk.dismiss(ZHOU)
    assert "现在没有值班老师" in await talk.says(LIN, "我的存折丢了")
    assert talk.news(ZHOU) == []
    assert "没有等您处理的事" in await talk.says(ZHOU, "待办")
    assert await talk.states() == ["closed"]


async def test_nobody_speaks_in_anothers_name(talk: Office):
    (row,) = await talk.handovers()
    async with talk.world.unit_of_work(SUN) as context:
        with pytest.raises(ForbiddenError):
            await context.bus.execute(Say(handover_id=row.id, text="我不是林一帆"), context)


async def test_a_hand_over_is_opened_from_a_chat_alone(office: Office):
    async with office.world.unit_of_work(LIN) as context:
        with pytest.raises(DomainError) as refused:
            await context.bus.execute(Request(), context)
    assert refused.value.code == "handover_in_chat"


async def test_what_is_over_cannot_be_taken_or_answered(talk: Office):
    await talk.says(LIN, "回来")
    (row,) = await talk.handovers()
    assert await attempt(talk, ZHOU, Take(handover_id=row.id)) == "handover_over"
    assert await attempt(talk, ZHOU, Reply(handover_id=row.id, reason="您好")) == "handover_over"
    assert await attempt(talk, ZHOU, Take(handover_id=99)) == "not_found"
    assert talk.news(LIN) == []
