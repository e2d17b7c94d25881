"""An alert goes down the duty list until somebody says 收到, once for each person in need."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from actions.core.errors import DomainError
from actions.core.tables import Account, Member, Prompt
from actions.safety import Acknowledge, Alert, AlertNotice, RaiseAlert, people
from tests.records.world import NOW
from tests.safety.duty import alerts, call, staff, told, told_since

if TYPE_CHECKING:
    from datetime import datetime

    from tests.records.world import World

PATIENCE = timedelta(minutes=10)


async def told_names(world: World) -> list[str]:
    return [name for name, _ in await told(world)]


async def pass_time(world: World, times: int, start: datetime = NOW) -> datetime:
    """Lets the patience run out so many times."""
    for step in range(1, times + 1):
        await world.sweep(start + step * PATIENCE)
    return start + times * PATIENCE


# --- once for each person


async def test_a_second_message_answers_again_and_raises_no_second_alert(world: World):
    first = await call(world, "林一帆")
    second = await call(world, "林一帆", NOW + timedelta(minutes=3))
    assert world.say(second) == world.say(first)
    assert (len(await alerts(world)), await told_names(world)) == (1, ["何医生"])


async def test_a_member_is_one_person_on_every_channel(world: World):
    await call(world, "林一帆")
    async with world.database.write() as session:
        session.add(
            Account(channel="telegram", sender="tg-1", member_id=world.people["林一帆"], heard_at=NOW, conversation="1")
        )
        actor = await world.actor(session, "林一帆", channel="telegram", sender="tg-1")
        await world.bus.execute(RaiseAlert(kind="despair"), world.context(session, actor))
    assert len(await alerts(world)) == 1


async def test_two_people_raise_two_alerts(world: World):
    await call(world, "林一帆")
    await call(world, "stranger")
    await call(world, "another")
    assert len(await alerts(world)) == 3


async def test_within_the_hour_after_it_was_acknowledged_too(world: World):
    await call(world, "林一帆")
    await world.run(Acknowledge(alert_id=1), "何医生", NOW + timedelta(minutes=5))
    await call(world, "林一帆", NOW + timedelta(minutes=59))
    assert len(await alerts(world)) == 1
    await call(world, "林一帆", NOW + timedelta(minutes=61))
    assert len(await alerts(world)) == 2


async def test_a_call_after_an_alert_that_nobody_heard_raises_a_new_one(world: World):
    """An alert that went round three times in vain must not swallow the call of the next day."""
    await call(world, "林一帆")
    await pass_time(world, 9)
    await call(world, "林一帆", NOW + timedelta(days=1))
    assert [alert.open_key is not None for alert in await alerts(world)] == [False, True]


async def test_calls_at_once_raise_one_alert(world: World):
    outcomes = await asyncio.gather(*(call(world, "林一帆") for _ in range(8)))
    assert len({outcome.subject for outcome in outcomes}) == 1
    assert (len(await alerts(world)), await told_names(world)) == (1, ["何医生"])


async def test_the_database_refuses_a_second_open_alert(world: World):
    await call(world, "林一帆")
    person = (await alerts(world))[0].person
    with pytest.raises(IntegrityError):
        async with world.database.write() as session:
            session.add(Alert(raised_at=NOW, kind="despair", person=person, state="open", open_key=person))


# --- who is told


async def test_the_list_is_counsellors_then_officers_named_for_it(world: World):
    async with world.database.read() as session:
        context = world.context(session, await world.actor(session, "林一帆"))
        duty = await people.duty_list(context, "counseling")
    assert [member.name for member in duty] == ["何医生", "高老师", "沈主席"]


async def test_it_goes_down_the_list_three_times_and_then_to_administrators_once(world: World):
    await call(world, "林一帆")
    await pass_time(world, 12)
    order = ["何医生", "高老师", "沈主席"] * 3
    assert await told_names(world) == [*order, "管理员"]
    assert "都还没有回应" in (await told(world))[-1][1]


async def test_it_waits_its_time_out(world: World):
    await call(world, "林一帆")
    assert await world.sweep(NOW + PATIENCE - timedelta(seconds=1)) == 0
    assert await world.sweep(NOW + PATIENCE) == 1
    assert await world.sweep(NOW + PATIENCE) == 0
    assert await told_names(world) == ["何医生", "高老师"]


async def test_a_counsellor_in_need_is_not_their_own_helper(world: World):
    await call(world, "何医生")
    await pass_time(world, 2)
    assert await told_names(world) == ["高老师", "沈主席", "高老师"]
    with pytest.raises(DomainError, match="forbidden"):
        await world.run(Acknowledge(alert_id=1), "何医生")


async def test_who_left_or_cannot_be_reached_is_passed_over(world: World):
    async with world.database.write() as session:
        gone = await session.get(Member, world.people["何医生"])
        account = (
            await session.execute(select(Account).where(Account.member_id == world.people["高老师"]))
        ).scalar_one()
        assert gone is not None
        gone.status, account.conversation = "left", None
    await call(world, "林一帆")
    assert await told_names(world) == ["沈主席"]


async def test_administrators_learn_once_that_the_list_is_empty(empty: World):
    await call(empty, "林一帆")
    await call(empty, "林一帆", NOW + timedelta(minutes=1))
    assert await told_names(empty) == ["管理员"]


async def test_once_somebody_is_on_duty_the_next_message_reaches_them(empty: World):
    await call(empty, "林一帆")
    await staff(empty)
    outcome = await call(empty, "林一帆", NOW + timedelta(minutes=1))
    assert outcome.params["told"]
    assert await told_names(empty) == ["管理员", "何医生"]


async def test_with_the_list_emptied_meanwhile_administrators_are_told(world: World):
    await call(world, "林一帆")
    async with world.database.write() as session:
        for name in ("何医生", "高老师", "沈主席"):
            member = await session.get(Member, world.people[name])
            assert member is not None
            member.status = "left"
    await pass_time(world, 3)
    assert await told_names(world) == ["何医生", "管理员"]


# --- worse than before


async def test_danger_after_despair_is_told_to_who_was_told_last(world: World):
    await call(world, "林一帆")
    outcome = await call(world, "林一帆", NOW + timedelta(minutes=4), kind="danger_now")
    assert [alert.kind for alert in await alerts(world)] == ["danger_now"]
    assert await told_names(world) == ["何医生", "何医生"]
    assert (await told(world))[1][1].startswith(outcome.params["told"])
    assert "眼下可能有生命危险" in outcome.params["told"]


async def test_danger_after_it_was_acknowledged_opens_it_anew(world: World):
    await call(world, "林一帆")
    await world.run(Acknowledge(alert_id=1), "高老师", NOW + timedelta(minutes=2))
    await call(world, "林一帆", NOW + timedelta(minutes=30), kind="danger_now")
    assert await told_names(world) == ["何医生", "高老师"]
    await pass_time(world, 1, NOW + timedelta(minutes=30))
    assert await told_names(world) == ["何医生", "高老师", "高老师"]
    await world.run(Acknowledge(alert_id=1), "高老师", NOW + timedelta(minutes=41))
    assert (await alerts(world))[0].state == "acknowledged"


async def test_less_than_before_tells_nobody_anew(world: World):
    first = await call(world, "林一帆", kind="danger_now")
    second = await call(world, "林一帆", kind="despair")
    assert (second.wording, second.params["told"]) == ("safety.despair", first.params["told"])
    assert await told_names(world) == ["何医生"]


# --- 收到


async def test_acknowledged_it_goes_no_further_and_prompts_are_closed(world: World):
    await call(world, "林一帆")
    await pass_time(world, 1)
    outcome = await world.run(Acknowledge(alert_id=1), "高老师", NOW + timedelta(minutes=12))
    assert "13800000001" in world.say(outcome)
    assert await world.sweep(NOW + timedelta(hours=5)) == 0
    async with world.database.read() as session:
        closed = list((await session.execute(select(Prompt.closed_at))).scalars())
    assert len(closed) == 2
    assert all(closed)
    alert = (await alerts(world))[0]
    assert (alert.acknowledged_by, alert.acknowledged_at) == (world.people["高老师"], NOW + timedelta(minutes=12))


async def test_who_comes_later_learns_who_sees_to_it(world: World):
    await call(world, "林一帆")
    await world.run(Acknowledge(alert_id=1), "高老师")
    with pytest.raises(DomainError, match="already_acknowledged") as refused:
        await world.run(Acknowledge(alert_id=1), "何医生")
    said = world.wording.text("errors.already_acknowledged", refused.value.params)
    assert said.startswith("这一条已经由高老师在跟进")


async def test_an_administrator_who_was_told_may_see_to_it(world: World):
    await call(world, "林一帆")
    with pytest.raises(DomainError, match="forbidden"):
        await world.run(Acknowledge(alert_id=1), "管理员")
    await pass_time(world, 9)
    await world.run(Acknowledge(alert_id=1), "管理员")
    assert (await alerts(world))[0].state == "acknowledged"


@pytest.mark.parametrize(("who", "code"), [("王敏", "forbidden"), ("周涛", "forbidden"), ("stranger", "not_bound")])
async def test_nobody_else_may_acknowledge(world: World, who: str, code: str):
    await call(world, "林一帆")
    with pytest.raises(DomainError, match=code):
        await world.run(Acknowledge(alert_id=1), who)


async def test_an_alert_that_is_not_there(world: World):
    with pytest.raises(DomainError, match="not_found"):
        await world.run(Acknowledge(alert_id=7), "何医生")


# --- kept, and deleted


async def test_old_alerts_are_deleted_with_who_was_told(world: World):
    await call(world, "林一帆")
    await world.run(Acknowledge(alert_id=1), "何医生")
    await call(world, "stranger", NOW + timedelta(days=100))
    await world.run(Acknowledge(alert_id=2), "何医生", NOW + timedelta(days=100))
    await world.sweep(NOW + timedelta(days=102))
    assert await world.sweep(NOW + timedelta(days=180)) == 0
    assert await world.sweep(NOW + timedelta(days=180, seconds=1)) == 1
    assert [alert.id for alert in await alerts(world)] == [2]
    async with world.database.read() as session:
        assert list((await session.execute(select(AlertNotice.alert_id))).scalars()) == [2]
        assert set((await session.execute(select(Prompt.subject))).scalars()) == {"alert:2", "check:2"}


async def test_a_replay_lists_what_was_told_turn_by_turn(world: World):
    await world.add_person("副管理员")
    await world.grant("副管理员", "administrator")
    outcome = await call(world, "林一帆")
    [first] = await told_since(world)
    assert (first.kind, first.to, first.text) == ("despair", ("何医生",), outcome.params["told"])
    assert await told_since(world, first.id) == []
    await pass_time(world, 9)
    later = await told_since(world, first.id)
    assert [entry.to for entry in later[:2]] == [("高老师",), ("沈主席",)]
    assert later[-1].to == ("管理员", "副管理员")
    assert await told_since(world, later[-1].id) == []
