"""Two thousand members want one hundred places, with a share for each unit, through the real HTTP interface."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import select

from actions.activities.tables import Entry, Place
from actions.core.tables import Member, Unit
from actions.core.zones import SHANGHAI
from tests.peers.server import Server, Store, postgres_store, sqlite_store
from tests.race.conftest import say

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.peer

OFFICER, TITLE = "20100903", "名家讲堂"
MEMBERS, PLACES, UNITS, SHARE = 2_000, 100, 40, 4
# As many as knock at one moment; the others stand in line behind them, as they do before a web server.
AT_ONCE = 64
_AHEAD = re.compile(r"前面还有 (\d+) 位")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rush:
    """A server, and the senders who are going to knock."""

    store: Store
    server: Server
    key: str
    offering: int

    @property
    def senders(self) -> list[str]:
        """Everybody, of all units in turn."""
        return [f"demo-{number}" for number in range(1, MEMBERS + 1)]


def _in_units(store: Store) -> None:
    """The demo's extra members are spread over units of one size."""
    with store.session() as session, session.begin():
        units = [Unit(name=f"单位{number}") for number in range(UNITS)]
        session.add_all(units)
        session.flush()
        rows = session.scalars(select(Member).where(Member.staff_id.like("demo-%")).order_by(Member.id)).unique()
        for number, member in enumerate(rows):
            member.unit_id = units[number % UNITS].id


@pytest.fixture(params=["sqlite", "postgres"])
def rush(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rush]:
    folder = tmp_path_factory.mktemp("rush")
    if request.param == "postgres":
        store = postgres_store(folder, request.getfixturevalue("postgres"))
    else:
        store = sqlite_store(folder)
    store.bot("demo", "members", str(MEMBERS))
    _in_units(store)
    start = datetime.now(SHANGHAI) + timedelta(days=9)
    session = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=2)).isoformat()}
    spec = {"sessions": [session], "quota": {"total": PLACES, "unit": SHARE}}
    made = store.do("offerings.create", OFFICER, service="lectures", title=TITLE, spec=spec)
    key = store.bot("keys", "create", "rush").strip()
    with store.serving() as server:
        yield Rush(store=store, server=server, key=key, offering=made["data"]["offering_id"])
        assert server.stop() == 0, server.written
        assert "Traceback" not in server.written


async def all_say(client: httpx.AsyncClient, senders: list[str], text: str) -> list[dict[str, Any]]:
    """Everybody says the same, as many at once as there are connections."""
    line = asyncio.Semaphore(AT_ONCE)

    async def one(sender: str) -> dict[str, Any]:
        async with line:
            return await say(client, sender, text)

    return list(await asyncio.gather(*map(one, senders)))


async def test_one_hundred_places(rush: Rush) -> None:
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    headers = {"Authorization": f"Bearer {rush.key}"}
    async with httpx.AsyncClient(base_url=rush.server.url, headers=headers, limits=limits, timeout=1800) as client:
        for reply in await all_say(client, rush.senders, f"报名{TITLE}"):
            assert f"讲座：{TITLE}" in reply["text"], reply["text"]
        replies = await all_say(client, rush.senders, "确认")
        told = Counter("报上了" in reply["text"] for reply in replies)
        assert told == {True: PLACES, False: MEMBERS - PLACES}, replies[0]
        check_books(rush, replies)
        await check_line(rush, client)


def check_books(rush: Rush, replies: list[dict[str, Any]]) -> None:
    """None oversold, no unit beyond its share, and everybody who waits at a place of their own in the line."""
    with rush.store.session() as session:
        entries = list(session.scalars(select(Entry).where(Entry.offering_id == rush.offering)).unique())
        places = list(session.scalars(select(Place).where(Place.offering_id == rush.offering)))
    registered = [entry for entry in entries if entry.state == "registered"]
    assert len(entries) == len({entry.member_id for entry in entries}) == MEMBERS
    assert len(registered) == len(places) == PLACES
    assert sorted(place.number for place in places) == list(range(1, PLACES + 1))
    assert max(Counter(entry.unit_id for entry in registered).values()) <= SHARE
    waiting = [reply["text"] for reply in replies if "排上候补" in reply["text"]]
    ahead = [int(found[1]) if (found := _AHEAD.search(text)) else 0 for text in waiting]
    assert sorted(ahead) == list(range(MEMBERS - PLACES))


async def check_line(rush: Rush, client: httpx.AsyncClient) -> None:
    """A place that is given back is offered to the first in line who may have it."""
    with rush.store.session() as session:
        mine = Entry.offering_id == rush.offering
        leaver = session.scalars(select(Entry).where(mine, Entry.state == "registered").limit(1)).unique().one()
        counts = Counter(session.scalars(select(Entry.unit_id).where(mine, Entry.state == "registered")))
        counts[leaver.unit_id] -= 1
        line = session.scalars(select(Entry).where(mine, Entry.state == "waiting").order_by(Entry.id)).unique()
        first = next(entry.id for entry in line if counts[entry.unit_id] < SHARE)
        sender = leaver.member.staff_id
    assert "要取消的" in (await say(client, sender, f"取消{TITLE}的报名"))["text"]
    await client.post(
        "/api/v1/chat",
        json={"conversation": sender, "sender": sender, "message_id": "yes", "text": "确认", "chat": "private"},
    )
    with rush.store.session() as session:
        offered = session.scalars(select(Entry.id).where(Entry.state == "offered")).all()
    assert offered == [first]
