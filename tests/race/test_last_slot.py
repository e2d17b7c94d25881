"""Two hundred bound members race for the last slot, through the real HTTP interface: one has it, all may choose."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from actions.appointments.tables import Appointment, Seat
from actions.core.tables import Offering
from actions.core.zones import at, spoken
from tests.race.conftest import RACERS, Hall, all_say, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import httpx

    from tests.peers.server import Store

pytestmark = pytest.mark.peer

OFFICER = "20100903"
ORDINARY = "20180312"


def block(hall: Hall, title: str, start: datetime, end: datetime) -> None:
    """An officer closes a calendar for a while."""
    with hall.store.session() as session:
        (offering,) = session.scalars(select(Offering.id).where(Offering.title == title))
    hall.store.do(
        "appointments.block", OFFICER, offering_id=offering, start=start.isoformat(), end=end.isoformat(), reason="培训"
    )


def taken(store: Store, service: str, start: datetime) -> tuple[list[tuple[str, str]], int]:
    """Who has the slot in which state, and how many seats of it are gone."""
    mine = Appointment.service == service, Appointment.starts_at == start
    with store.session() as session:
        rows = session.execute(select(Appointment).where(*mine)).unique().scalars()
        booked = [(row.member.staff_id, row.state) for row in rows]
        seats = session.scalar(select(func.count()).select_from(Seat).join(Appointment).where(*mine)) or 0
    return booked, seats


async def race(client: httpx.AsyncClient, racers: Sequence[str], *texts: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Everybody says everything but the last text, then all the last one at once; who won, and what the others read."""
    for text in texts[:-1]:
        for reply in await all_say(client, racers, text):
            assert not reply["text"].startswith(("没太明白", "抱歉")), reply["text"]
    replies = dict(zip(racers, await all_say(client, racers, texts[-1]), strict=True))
    winners = [sender for sender, reply in replies.items() if "没问题就回“确认”" in reply["text"]]
    assert len(winners) == 1, replies[racers[0]]
    (winner,) = winners
    del replies[winner]
    return winner, replies


def check_losers(replies: dict[str, dict[str, Any]], lost: datetime) -> None:
    """Each one reads that it is gone, and what there is instead: other times, and the waitlist."""
    assert len(replies) == RACERS - 1
    for reply in replies.values():
        assert "刚被别人约走了" in reply["text"]
        *times, waitlist = [option["label"] for option in reply["options"]]
        assert len(times) >= 2
        assert spoken(lost) not in times
        assert waitlist == "排候补"


async def test_the_last_hour_of_counselling(hall: Hall) -> None:
    day, four = hall.day, at(hall.day, time(16))
    block(hall, "高老师", at(day, time(9)), at(day, time(18)))
    block(hall, "何医生", at(day, time(9)), four)
    date = f"{day.month}月{day.day}日"
    racers = [f"demo-{number}" for number in range(1, RACERS + 1)]
    async with hall.clients() as client:
        # The other hour that is left is booked by somebody, as it happens in life.
        await book(client, f"{date}下午5点想约何医生的心理咨询，线上", "同意", "王芳 13912345678", "确认")
        wish = f"{date}下午4点想约心理咨询，线上"
        winner, others = await race(client, racers, wish, "同意", "王芳 13912345678")
        check_losers(others, four)
        assert taken(hall.store, "counseling", four) == ([(winner, "held")], 1)
        assert "约好了" in (await say(client, winner, "确认"))["text"]
        assert taken(hall.store, "counseling", four) == ([(winner, "booked")], 1)
        await choose_another(client, next(iter(others)), others)


async def book(client: httpx.AsyncClient, *texts: str) -> None:
    """An ordinary member books something."""
    for text in texts:
        last = await say(client, ORDINARY, text)
    assert "约好了" in last["text"]


async def choose_another(client: httpx.AsyncClient, loser: str, replies: dict[str, dict[str, Any]]) -> None:
    """What was offered instead is to be had: a click on it goes on to the read-back."""
    offered = replies[loser]["options"][0]
    read_back = await say(client, loser, offered["value"])
    assert f"时间：{offered['label']}" in read_back["text"]
    assert "没问题就回“确认”" in read_back["text"]


async def test_the_last_hour_of_a_room(hall: Hall) -> None:
    day = hall.day + timedelta(days=1)
    four = at(day, time(16))
    block(hall, "瑜伽室", at(day, time(8)), four)
    block(hall, "瑜伽室", at(day, time(18)), at(day, time(21)))
    date = f"{day.month}月{day.day}日"
    racers = [f"demo-{number}" for number in range(RACERS + 1, 2 * RACERS + 1)]
    async with hall.clients() as client:
        await book(client, f"{date}下午5点约瑜伽室", "2人", "确认")
        winner, others = await race(client, racers, f"{date}下午4点约瑜伽室", "8人")
        check_losers(others, four)
        assert taken(hall.store, "health_room", four) == ([(winner, "held")], 1)
        assert "约好了" in (await say(client, winner, "确认"))["text"]
        assert taken(hall.store, "health_room", four) == ([(winner, "booked")], 1)
        await wait_for(client, next(iter(others)))


async def wait_for(client: httpx.AsyncClient, loser: str) -> None:
    """Who would rather wait than take another time is on the list after the read-back."""
    assert "没问题就回“确认”" in (await say(client, loser, "排候补"))["text"]
    assert "排上候补了" in (await say(client, loser, "确认"))["text"]
