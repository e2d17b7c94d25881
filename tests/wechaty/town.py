"""The assistant, its bridge and a gateway, all of them real: people write in WeChat, and read their answers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import socket
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import uvicorn
from sqlalchemy import select

from actions.core.commands import SYSTEM
from actions.core.notify import Letter, send_letter
from actions.core.tables import Account, Member, Outgoing
from bot.api import create_api
from bot.channels.wechaty.bridge import Bridge
from bot.channels.wechaty.inward import Rules
from bot.channels.wechaty.link import Link
from bot.channels.wechaty.seen import Place
from bot.serving import _api_parts
from tests.conftest import NOW
from tests.peers.wechaty import TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from bot.app import App
    from bot.channels.wechaty.desk import WechatyChannel
    from bot.channels.wechaty.pace import Time
    from tests.peers.wechaty import Gateway

#: Longer than anything may take here, and only waited out where something is wrong.
PATIENCE = 60.0
_numbers = itertools.count(1)


class RunningClock:
    """Begins at NOW and goes on; `ahead` is how much was skipped."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._began = time.monotonic()

    def skip(self, **duration: float) -> None:
        """Lets time pass (`minutes=2`)."""
        self.ahead += timedelta(**duration)

    def __call__(self) -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - self._began) + self.ahead


async def until(holds: Callable[[], Awaitable[Any]], seconds: float = PATIENCE) -> Any:
    """What it gives as soon as that is something. Fails where that does not come."""
    async with asyncio.timeout(seconds):
        while not (found := await holds()):  # noqa: ASYNC110 - another process tells of nothing by itself
            await asyncio.sleep(0.05)
    return found


@dataclass
class Town:
    """Where it all happens."""

    app: App
    gateway: Gateway
    desk: WechatyChannel
    clock: RunningClock
    bridge: Bridge | None = None
    url: str = ""
    key: str = "a key of the tests"
    rules: Rules = field(default_factory=Rules)
    time: Time | None = None
    take_over: float = 60.0
    _served: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _port: int = 0

    # --- the assistant's door

    async def serve(self) -> None:
        """Opens the assistant's interface, on the port that it had before."""
        listening = socket.create_server(("127.0.0.1", self._port))
        self._port = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        stopping = asyncio.Event()
        parts = replace(_api_parts(self.app, stopping, None), channels=[self.desk], bridge=self.desk, stopping=stopping)
        await self._served.enter_async_context(_under_uvicorn(create_api(parts), listening, stopping))

    async def close(self) -> None:
        """Shuts it."""
        await self._served.aclose()

    # --- the bridge

    @contextlib.asynccontextmanager
    async def bridged(self, **place: Any) -> AsyncIterator[Bridge]:
        """A bridge at work until the block ends; `place` is where its gateway is, the town's where nothing is said."""
        where = Place(**{"host": "127.0.0.1", "port": self.gateway.port, "token": TOKEN, **place})
        link = Link(self.url, self.key)
        bridge = self.bridge = Bridge(where, link, self.rules, time=self.time, take_over=self.take_over)
        running = asyncio.create_task(bridge.run())
        try:
            yield bridge
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def ready(self, seconds: float = PATIENCE) -> None:
        """Waits until the account is signed in and the assistant knows it."""

        async def is_ready() -> bool:
            return self.desk.ready

        await until(is_ready, seconds)

    # --- people

    def stranger(self, name: str = "") -> str:
        """Somebody whom the assistant does not know; returns their id in WeChat."""
        key = f"wx-{next(_numbers)}-{secrets.token_hex(3)}"
        self.gateway.people(**{key: name or key})
        return key

    async def member(self, staff_id: str, name: str = "") -> str:
        """A member who has bound their account in WeChat; returns its id."""
        key = self.stranger(name)
        async with self.app.house.database.write() as session:
            member = (await session.execute(select(Member).where(Member.staff_id == staff_id))).unique().scalar_one()
            now = self.app.clock()
            session.add(
                Account(
                    channel="wechaty", sender=key, conversation=key, member_id=member.id, bound_at=now, heard_at=now
                )
            )
        return key

    def room(self, title: str, *members: str) -> str:
        """A group that the account is in; returns its id."""
        key = f"room-{next(_numbers)}-{secrets.token_hex(3)}@chatroom"
        self.gateway.room(key, title, members)
        return key

    # --- what is said

    async def read(self, conversation: str, count: int = 1) -> list[str]:
        """The texts that were sent in a conversation, as soon as there are so many."""

        async def there() -> list[str]:
            said = [each["text"] for each in await self.gateway.sent(conversation) if "text" in each]
            return said if len(said) >= count else []

        found: list[str] = await until(there)
        return found

    async def answer(self, who: str, text: str, **more: Any) -> str:
        """Somebody says something; what they are answered (`room`: there)."""
        where = more.get("room") or who
        before = len(await self.gateway.sent(where))
        await self.gateway.say(who, text, **more)
        return (await self.read(where, before + 1))[-1]

    async def answer_to_file(self, who: str, name: str, content: bytes, **more: Any) -> str:
        """Somebody sends a file; what they are answered."""
        before = len(await self.gateway.sent(who))
        await self.gateway.send(who, name, content, **more)
        return (await self.read(who, before + 1))[-1]

    async def write(self, conversation: str, text: str, *, chat: Literal["private", "group"] = "private") -> None:
        """The union says something by itself."""
        async with self.app.house.database.write() as session:
            context = self.app.house.context(session, SYSTEM, self.app.clock())
            letter = Letter(
                channel="wechaty", conversation=conversation, wording="groups.said", params={"text": text}, chat=chat
            )
            await send_letter(context, letter)
        self.app.delivery.wake()

    async def settled(self) -> None:
        """Waits until everything that was heard has been told, and nothing waits to be sent now."""
        assert self.bridge is not None
        await asyncio.wait_for(self.bridge.inward.drained(), PATIENCE)

        async def nothing_waits() -> bool:
            return not await self.waiting()

        await until(nothing_waits)

    async def waiting(self) -> list[Outgoing]:
        """What is to be sent in WeChat now and is not."""
        query = select(Outgoing).where(
            Outgoing.channel == "wechaty",
            Outgoing.state.in_(("queued", "sending", "unknown")),
            Outgoing.due_at <= self.app.clock(),
        )
        async with self.app.house.database.read() as session:
            return list((await session.execute(query)).scalars())


@contextlib.asynccontextmanager
async def _under_uvicorn(api: Any, listening: socket.socket, stopping: asyncio.Event) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(api, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag and no event
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        stopping.set()
        server.should_exit = True
        await running
