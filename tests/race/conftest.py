"""A hall full of members before one last slot, on each store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from actions.blocks.workdays import is_working_day
from actions.core.zones import SHANGHAI
from tests.peers.server import Server, Store, postgres_store, sqlite_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

RACERS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Hall:
    """A server with many members; `day` is a working day in which nothing is booked yet."""

    store: Store
    server: Server
    key: str
    day: date

    def clients(self) -> httpx.AsyncClient:
        """As many connections as there are members: each one has a telephone of their own."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.AsyncClient(base_url=self.server.url, headers=headers, limits=limits, timeout=60)


async def say(client: httpx.AsyncClient, sender: str, text: str) -> dict[str, Any]:
    """One message of a member; the one reply to it. Fails on any status but 200."""
    message = {"conversation": sender, "sender": sender, "message_id": text, "text": text, "chat": "private"}
    answer = await client.post("/api/v1/chat", json=message)
    assert answer.status_code == 200, answer.text
    (reply,) = answer.json()["replies"]
    told: dict[str, Any] = reply
    return told


async def all_say(client: httpx.AsyncClient, senders: Sequence[str], text: str) -> list[dict[str, Any]]:
    """Everybody says the same at once; the replies in the order of the senders."""
    return list(await asyncio.gather(*(say(client, sender, text) for sender in senders)))


def working_day(after: int) -> date:
    """The first working day at least so many days from today."""
    day = datetime.now(SHANGHAI).date() + timedelta(days=after)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """One server for the races of a module; a racer of one race takes no part in another."""
    folder = tmp_path_factory.mktemp("hall")
    if request.param == "postgres":
        store = postgres_store(folder, request.getfixturevalue("postgres"))
    else:
        store = sqlite_store(folder)
    store.bot("demo", "members", str(2 * RACERS))
    key = store.bot("keys", "create", "race").strip()
    with store.serving() as server:
        yield Hall(store=store, server=server, key=key, day=working_day(after=4))
        assert server.stop() == 0, server.written
        assert "Traceback" not in server.written
