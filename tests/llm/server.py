"""An OpenAI-compatible server on the loopback that answers as it is told to: well, late, wrongly, for ever."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ENDLESS, HANGS, CUTS, DRIPS = "endless", "hangs", "cuts", "drips"


@dataclass
class Server:
    """`behaves` is one of the ways above, or a raw body; `heard` holds the bodies of what was asked."""

    url: str = ""
    status: int = 200
    location: str = ""
    behaves: str | bytes = b""
    heard: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    def says(self, content: object, *, tokens: tuple[int, int] = (100, 20)) -> None:
        """Completes with this: an object as JSON, a text as it stands."""
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
        self.behaves = json.dumps({"choices": [{"message": {"content": text}}], "usage": usage}).encode()

    @property
    def told(self) -> str:
        """All that was ever shown to it, but for what every request says."""
        return "\n".join(message["content"] for body in self.heard for message in body["messages"])

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as long as it lasts."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(int(row.split(":")[1]) for row in head.lower().split("\r\n") if "content-length" in row)
                self.headers.append(head)
                self.heard.append(json.loads(await reader.readexactly(length)))
                await self._answer(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        match self.behaves:
            case "hangs":
                await asyncio.sleep(60)
            case "cuts":
                raise ConnectionError
            case "endless" | "drips":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                while True:
                    writer.write(b"x" * (1 if self.behaves == "drips" else 8192))
                    await writer.drain()
                    await asyncio.sleep(0.01 if self.behaves == "drips" else 0)
            case bytes() as body:
                more = f"Location: {self.location}\r\n" if self.location else ""
                head = f"HTTP/1.1 {self.status} X\r\n{more}Content-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """The server, on a free port."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(server.connected(reader, writer)))

    listener = await asyncio.start_server(begin, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
