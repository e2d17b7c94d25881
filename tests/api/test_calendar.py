"""A booking as a card in the chat, a file for the phone's calendar and a QR code."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from icalendar import Calendar
from sqlalchemy import select

from actions.appointments.tables import Appointment
from actions.core.errors import DomainError
from actions.core.zones import SHANGHAI
from bot.api import create_api
from bot.api.calendar import calendar_file
from bot.gateway import calendar_entry
from tests.api.conftest import client

if TYPE_CHECKING:
    from actions.core.entries import CalendarEntry

START = datetime(2026, 11, 25, 14, 0, tzinfo=SHANGHAI)
ROOM = {
    "ref": "appointment:12",
    "member_id": 3,
    "title": "功能室预约",
    "about": "瑜伽室",
    "place": "健康驿站",
    "starts_at": START,
    "ends_at": START + timedelta(hours=1),
    "reminders": [24, 2],
}
PRIVATE = {**ROOM, "title": "", "about": "", "place": ""}


async def book_room(world, *, who: str = "20180312", people: int = 5, **where: str):
    """Books the yoga room; the last reply."""
    await world.say(f"下周三下午三点想订瑜伽室，{people}个人", who=who, **where)
    return (await world.say("确认", who=who, **where))[0]


async def entry_now(world, token: str) -> CalendarEntry:
    """What a token opens, which is there."""
    entry = await calendar_entry(world.app.house, token, world.clock())
    assert entry is not None
    return entry


async def test_a_booking_comes_with_a_card(world):
    [reply] = [await book_room(world)]
    assert reply.text.startswith("约好了")
    assert reply.card.title == "功能室预约"
    assert reply.card.rows == (
        ("时间", "11月25日(周三)15:00–16:00"),
        ("内容", "瑜伽室"),
        ("地点", "健康驿站（示例）"),
    )
    entry = await entry_now(world, reply.card.token)
    assert (entry["about"], entry["reminders"]) == ("瑜伽室", [24, 2])


async def test_the_same_event_gives_the_same_card(world):
    await world.say("下周三下午三点想订瑜伽室，5个人")
    first = await world.say("确认", event="once")
    assert first[0].card
    assert await world.say("确认", event="once") == first


async def test_a_private_booking_gives_the_time_alone(world):
    await world.say("下周三下午两点想约心理咨询，何医生，线上")
    await world.say("同意")
    await world.say("王芳 13912345678")
    [reply] = await world.say("确认")
    assert (reply.card.title, reply.card.rows) == ("预约", (("时间", "11月25日(周三)14:00–14:50"),))
    entry = await entry_now(world, reply.card.token)
    file = calendar_file(entry, world.app.house.wording.text, world.clock()).decode()
    assert "SUMMARY:预约\r\n" in file
    assert not any(word in file for word in ("咨询", "何医生", "LOCATION"))


async def test_the_file_follows_the_booking_until_it_is_cancelled(world):
    token = (await book_room(world)).card.token
    await world.say("改到周四下午四点")
    moved = await world.say("确认")
    assert moved[0].card.rows[0] == ("时间", "11月26日(周四)16:00–17:00")
    entry = await entry_now(world, token)
    assert entry["starts_at"] == datetime(2026, 11, 26, 16, 0, tzinfo=SHANGHAI)
    await world.say("取消预约")
    await world.say("确认")
    assert await calendar_entry(world.app.house, token, world.clock()) is None


async def test_the_token_ends_with_the_booking(world):
    token = (await book_room(world)).card.token
    world.clock.move(days=4)
    assert await calendar_entry(world.app.house, token, world.clock()) is None


async def test_a_token_is_no_other_record_s(world):
    token = (await book_room(world)).card.token
    version, key, body = token.split(".")
    changed = f"{version}.{key}.{'B' if body[20] != 'B' else 'C'}".join((body[:20], body[21:]))
    for wrong in (
        changed,
        "v1.t1.AAAA",
        "x",
        "v1.other.AAAA",
        world.app.house.vault.seal(["appointment:1", 1], about="x"),
    ):
        with pytest.raises(DomainError):
            await calendar_entry(world.app.house, wrong, world.clock())
    # A record of another member is not opened by anybody's token.
    stolen = world.app.house.vault.seal(["appointment:1", 2], about="calendar")
    assert await calendar_entry(world.app.house, stolen, world.clock()) is None


async def test_a_request_has_no_card_until_it_is_approved(world):
    await world.say("下周三下午三点想订多功能室，南湖校区，30个人")
    [reply] = await world.say("确认")
    assert reply.card is None
    await world.sent()
    [approval] = await world.say("同意", who="20100903")
    assert approval.card is None
    told = next(one for one in await world.sent() if one.address.conversation == "20180312")
    assert told.card.rows[1] == ("内容", "多功能室")


async def test_nothing_of_a_card_is_said_in_a_group(world):
    reply = await book_room(world, group="club", people=5)
    assert reply.text.startswith("约好了")
    assert reply.card is None


@pytest.mark.parametrize("entry", [ROOM, PRIVATE], ids=["room", "private"])
def test_the_file_is_a_calendar_s(entry, wording):
    now = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)
    [calendar] = Calendar.from_ical(calendar_file(entry, wording.text, now), multiple=True)
    assert calendar["METHOD"] == "PUBLISH"
    [event] = calendar.walk("VEVENT")
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (START, START + timedelta(hours=1))
    assert [alarm.decoded("trigger") for alarm in event.walk("VALARM")] == [timedelta(hours=-24), timedelta(hours=-2)]
    later = Calendar.from_ical(calendar_file(entry, wording.text, now + timedelta(minutes=5))).walk("VEVENT")[0]
    assert later["UID"] == event["UID"]
    assert later.decoded("sequence") > event.decoded("sequence")


async def test_the_file_and_its_code_over_http(parts, union):
    union.entries = {"v1.k1.good": ROOM, "v1.k1.over": None}
    async with client(create_api(parts)) as phone:
        file = await phone.get("/api/v1/calendar/v1.k1.good.ics")
        assert file.headers["content-type"] == "text/calendar; charset=utf-8"
        assert "SUMMARY:功能室预约：瑜伽室" in file.text
        code = await phone.get("/api/v1/calendar/v1.k1.good.svg")
        assert code.headers["content-type"] == "image/svg+xml"
        assert code.text.lstrip().startswith("<?xml") or code.text.startswith("<svg")
        for kind in ("ics", "svg"):
            gone = await phone.get(f"/api/v1/calendar/v1.k1.over.{kind}")
            assert (gone.status_code, gone.json()["error"]["code"]) == (410, "calendar_gone")
            assert "取消" in gone.json()["error"]["message"]
            assert (await phone.get(f"/api/v1/calendar/nonsense.{kind}")).status_code == 404


async def test_the_database_holds_one_booking_for_one_card(world):
    await book_room(world)
    async with world.app.house.database.read() as session:
        rows = (await session.execute(select(Appointment))).unique().scalars().all()
    assert [row.state for row in rows] == ["booked"]
