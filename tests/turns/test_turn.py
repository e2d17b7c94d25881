"""One turn: what a member reads and what the database holds."""

from datetime import datetime

from sqlalchemy import func, select

from actions.appointments.tables import Appointment, Seat
from actions.core.tables import Outgoing, Turn
from nlu.types import Parse
from tests.conftest import World


async def _book(world: World, who: str = "20180312") -> str:
    for text in ("下周三下午三点想约心理咨询", "何医生", "线上", "同意", "王芳 13912345678"):
        await world.say(text, who=who)
    return await world.told("确认", who=who)


async def test_a_member_books_from_a_message_to_a_confirmed_slot(either_world: World) -> None:
    assert "约好了：11月25日(周三)15:00" in await _book(either_world)
    async with either_world.app.house.database.read() as session:
        booked = (await session.execute(select(Appointment))).unique().scalar_one()
        seats = (await session.execute(select(func.count()).select_from(Seat))).scalar_one()
    assert (booked.state, booked.fields, seats) == ("booked", {"mode": "线上"}, 1)


async def test_the_same_event_is_answered_the_same_and_done_once(either_world: World) -> None:
    first = await either_world.say("下周三下午想约心理咨询", event="same")
    again = await either_world.say("下周三下午想约心理咨询", event="same")
    assert [reply.text for reply in again] == [reply.text for reply in first]
    async with either_world.app.house.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Turn))).scalar_one() == 1


async def test_reminders_come_in_time_and_give_nothing_away(either_world: World) -> None:
    await _book(either_world)
    either_world.clock.now = either_world.clock.now.replace(day=24, hour=15, minute=0)
    reminders = [message for message in await either_world.sent() if message.address.conversation == "20180312"]
    assert [message.text for message in reminders] == [
        "温馨提醒：您明天 15:00 有一个预约。要改时间或取消，回我一句就行。"
    ]


async def test_no_reminder_after_a_cancellation(either_world: World) -> None:
    await _book(either_world)
    await either_world.say("取消预约")
    assert "取消了" in await either_world.told("确认")
    either_world.clock.move(days=4)
    assert [message for message in await either_world.sent() if "提醒" in message.text] == []


async def test_what_is_said_in_private_is_sealed_in_the_database(world: World) -> None:
    await _book(world)
    async with world.app.house.database.read() as session:
        rows = (await session.execute(select(Outgoing))).scalars().all()
    assert rows
    assert all("心理" not in row.content and "王芳" not in row.content for row in rows)


class Alarmed:
    """An NLU that hears a cry for help in everything."""

    async def parse(self, text: str, now: datetime) -> Parse:
        del now
        return Parse(text=text, intent="crisis", confidence=1.0, crisis="despair")


async def test_a_click_is_no_cry_for_help(world: World) -> None:
    (asked,) = await world.say("我想约功能室")
    world.app.gateway._pipeline = Alarmed()
    assert "12356" not in await world.told(asked.options[0].label)
    assert "12356" in await world.told("随便说点什么")
