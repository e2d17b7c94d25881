"""The day after, whoever saw to a call for help asks after the person; nothing is said to who called."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from actions.core.errors import DomainError
from actions.core.tables import Member, Prompt
from actions.safety import Acknowledge, CheckedBack
from tests.records.world import NOW, World
from tests.safety.duty import alerts, call, told

MORNING = (NOW + timedelta(days=1)).replace(hour=9, minute=30)


async def _acknowledged(world: World, by: str = "高老师") -> None:
    await call(world, "林一帆")
    await world.run(Acknowledge(alert_id=1), by, NOW + timedelta(minutes=3))


async def test_the_next_morning_who_saw_to_it_is_asked_once(world: World):
    await _acknowledged(world)
    before = len(await told(world))
    assert await world.sweep(MORNING - timedelta(seconds=1)) == 0
    assert await world.sweep(MORNING) == 1
    assert await world.sweep(MORNING + timedelta(minutes=1)) == 0
    ((who, text),) = (await told(world))[before:]
    assert who == "高老师"
    assert "林一帆" in text
    assert "问候过了" in text
    assert "轻生" not in text
    assert "！" not in text


async def test_done_is_done(world: World):
    await _acknowledged(world)
    await world.sweep(MORNING)
    outcome = await world.run(CheckedBack(alert_id=1), "高老师", MORNING + timedelta(hours=1))
    assert world.say(outcome) == "好，记下了。"
    assert (await alerts(world))[0].checked_at == MORNING + timedelta(hours=1)
    async with world.database.read() as session:
        assert all((await session.execute(select(Prompt.closed_at))).scalars())


async def test_nobody_is_asked_about_an_alert_that_nobody_saw_to(world: World):
    await call(world, "林一帆")
    await world.sweep(NOW + timedelta(hours=5))
    before = len(await told(world))
    await world.sweep(MORNING + timedelta(hours=2))
    assert not any("问候" in text for _who, text in (await told(world))[before:])


async def test_where_the_helper_has_left_the_first_on_duty_is_asked(world: World):
    await _acknowledged(world)
    async with world.database.write() as session:
        helper = await session.get(Member, world.people["高老师"])
        assert helper is not None
        helper.status = "left"
    before = len(await told(world))
    await world.sweep(MORNING)
    assert [who for who, _text in (await told(world))[before:]] == ["何医生"]


@pytest.mark.parametrize("who", ["何医生", "管理员", "林一帆"])
async def test_only_who_has_the_task_can_close_it(world: World, who: str):
    await _acknowledged(world)
    await world.sweep(MORNING)
    with pytest.raises(DomainError, match="forbidden"):
        await world.run(CheckedBack(alert_id=1), who)


async def test_danger_anew_before_the_morning_waits_for_a_new_acknowledgement(world: World):
    await _acknowledged(world)
    await call(world, "林一帆", NOW + timedelta(minutes=20), "danger_now")
    assert (await alerts(world))[0].check_at is None
    await world.run(Acknowledge(alert_id=1), "何医生", NOW + timedelta(minutes=22))
    before = len(await told(world))
    await world.sweep(MORNING)
    assert [who for who, _text in (await told(world))[before:]] == ["何医生"]
