"""A platform that takes messages over the wire, keeps what it was given, and says what it pleases.

It lives in the test's own process: whatever happens to a worker, what arrived is known. A message is one line of JSON,
an answer one line: {} took it, {"accepted": true} took it and promises nothing, {"error": …} did not.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.messages import Outbound, Receipt, SendError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CHANNEL = "post"


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """One message as it arrived: the row's id, the conversation, the text, and seconds of a clock that only goes on."""

    row: int
    to: str
    text: str
    at: float


@dataclass(slots=True)
class Platform:
    """What has arrived. `answer` decides what is said to a message; what it refuses has not arrived."""

    answer: Callable[[Arrived], dict[str, Any]] = lambda _arrived: {}
    arrived: list[Arrived] = field(default_factory=list)
    port: int = 0
    calls: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Platform]:
        """Listens on a free port for as long as the block lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._open):
                writer.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._take(json.loads(line))).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return  # a worker that was killed in the middle of a line
        finally:
            self._open.discard(writer)
            writer.close()

    async def _take(self, message: dict[str, Any]) -> dict[str, Any]:
        arrived = Arrived(**message, at=time.monotonic())
        answer = self.answer(arrived)
        self.calls += 1
        if "error" not in answer:
            self.arrived.append(arrived)
        async with self.changed:
            self.changed.notify_all()
        return answer

    async def until(self, count: int) -> None:
        """Waits until so many messages have arrived."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.arrived) >= count)

    @property
    def repeated(self) -> set[int]:
        """Rows that arrived more than once."""
        return {row for row, count in Counter(each.row for each in self.arrived).items() if count > 1}

    def most_within(self, seconds: float, *, to: str = "") -> int:
        """The most messages that arrived within any such time, in all or in one conversation."""
        times = sorted(each.at for each in self.arrived if not to or each.to == to)
        first = most = 0
        for last, moment in enumerate(times):
            while moment - times[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most


class PostChannel:
    """The sending half of the platform; connections are kept."""

    name = CHANNEL
    pulled = False

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, message: Outbound) -> Receipt | None:
        """Raises SendError for whatever the platform refuses, and where it is away."""
        body = {"row": message.id, "to": message.address.conversation, "text": message.text}
        try:
            reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(json.dumps(body).encode() + b"\n")
            line = await reader.readline()
        except OSError as error:
            raise SendError(type(error).__name__) from error
        if not line:
            raise SendError("the platform hung up")
        self._idle.append((reader, writer))
        answer = json.loads(line)
        if "error" in answer:
            raise SendError(
                answer["error"],
                permanent=answer.get("permanent", False),
                retry_after=answer.get("retry_after"),
                everybody=answer.get("everybody", False),
            )
        return Receipt(confirmed=not answer.get("accepted", False))

    async def close(self) -> None:
        """Hangs up."""
        while self._idle:
            _, writer = self._idle.pop()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
