"""kill -9 at random moments amid a burst of fifty dialogues, five times over; then each goes on to its end."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import select

from actions.appointments.tables import Appointment
from tests.kill.books import faults
from tests.kill.conftest import message, reply_of, working_day

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Iterator

    from tests.peers.server import Server, Store

pytestmark = pytest.mark.peer

ROUNDS = 5
AT_ONCE = 50
ROOMS = ("瑜伽室", "乒乓球室", "放松减压室")
HOURS = ("上午9点", "上午10点", "下午2点", "下午3点", "下午4点", "下午5点", "晚上7点", "晚上8点")
MOST_STEPS = 20


@dataclass(kw_only=True, slots=True)
class Dialogue:
    """A member who books a room, and sends what was not answered once more, as a client does."""

    sender: str
    text: str
    step: int = 0
    booked: bool = False

    async def go_on(self, client: httpx.AsyncClient) -> None:
        """Talks until the room is booked, or the server is gone."""
        while not self.booked:
            body = message(self.sender, str(self.step), self.text)
            try:
                answer = await client.post("/api/v1/chat", json=body)
            except httpx.TransportError:
                return
            self._take(reply_of(answer))

    def _take(self, reply: dict[str, Any]) -> None:
        self.step += 1
        assert self.step < MOST_STEPS, reply
        self.booked = "约好了" in reply["text"]
        values = [option["value"] for option in reply["options"]]
        if "确认" in values:
            self.text = "确认"
        else:
            # Somebody else was quicker: the first that is offered instead will do.
            self.text = values[0] if values else "2人"


def dialogues() -> Iterator[Dialogue]:
    """One after the other; two want the same slot each time."""
    slots = itertools.product(range(4, 20), HOURS, ROOMS)
    numbers = itertools.count(1)
    for after, hour, room in slots:
        day = working_day(after=4) + timedelta(days=after - 4)
        for _ in range(2):
            yield Dialogue(sender=f"demo-{next(numbers)}", text=f"{day.month}月{day.day}日{hour}约{room}")


async def talk(server: Server, key: str, talking: Iterable[Dialogue], meanwhile: Awaitable[None]) -> None:
    """All at once, and `meanwhile` beside them."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=60) as client:
        await asyncio.gather(meanwhile, *(dialogue.go_on(client) for dialogue in talking))


async def kill_after(server: Server, seconds: float) -> None:
    await asyncio.sleep(seconds)
    server.kill()


async def test_whenever_it_is_killed_nothing_is_half_done(store: Store) -> None:
    store.bot("demo", "members", str(AT_ONCE * (ROUNDS + 1)))
    key = store.bot("keys", "create", "kill").strip()
    moments = random.Random(20261122)
    coming = dialogues()
    everybody: list[Dialogue] = []
    for _ in range(ROUNDS):
        finished = sum(dialogue.booked for dialogue in everybody)
        everybody += itertools.islice(coming, AT_ONCE - len(everybody) + finished)
        with store.serving() as server:
            await talk(server, key, everybody, kill_after(server, moments.uniform(0.2, 2.0)))
        assert faults(store) == []
    with store.serving() as server:
        await talk(server, key, everybody, asyncio.sleep(0))
    assert all(dialogue.booked for dialogue in everybody)
    assert faults(store) == []
    assert Counter(booked(store)) == Counter(dialogue.sender for dialogue in everybody)


def booked(store: Store) -> list[str]:
    with store.session() as session:
        rows = session.scalars(select(Appointment).where(Appointment.state == "booked")).unique()
        return [row.member.staff_id for row in rows]
