"""A server in Rasa's place that answers as it is told to: late, wrongly, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Faulty:
    """`answers` are raw HTTP bodies by turns, the last one for ever; None hangs, b"" cuts the line."""

    url: str = ""
    status: int = 200
    answers: list[bytes | None] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def parse(self, *ranking: tuple[str, float]) -> None:
        """Answers with this ranking, as Rasa would."""
        rows = [{"name": name, "confidence": confidence} for name, confidence in ranking]
        body: dict[str, Any] = {"text": "…", "intent": rows[0], "intent_ranking": rows, "entities": []}
        self.answers = [json.dumps(body).encode()]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answered(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # whoever asked has gone, or the test has
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; False where the line is to be cut."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(row.split(":")[1]) for row in head.lower().split("\r\n") if "content-length" in row)
        self.heard.append(head.splitlines()[0] + (await reader.readexactly(length)).decode())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            await asyncio.sleep(60)
        if not answer:
            return False
        writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
        await writer.drain()
        return True


@contextlib.asynccontextmanager
async def faulty() -> AsyncIterator[Faulty]:
    """Such a server on a free port of the loopback."""
    peer, tasks = Faulty(), set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await peer._connected(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield peer
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
