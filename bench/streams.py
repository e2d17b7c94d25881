"""500 pages that listen, on one process: memory of each, processor time while nothing happens, one notice to each.

A stream is a real connection over loopback to a real `bot serve`, each of a session of its own. The notices are written
into the database as any other process would write them; they go out with the next turn.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from actions.core.tables import Outgoing, WebSession
from bench.start import memory
from tests.peers.server import Server, Store, sqlite_store, start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

STREAMS = 500
IDLE_SECONDS = 10.0
WAIT_SECONDS = 120.0


def run(say: Callable[[str], None]) -> None:
    """Opens the streams, waits, says something to each, prints a table."""
    with tempfile.TemporaryDirectory(prefix="niangjiaren-bench-") as folder:
        store = sqlite_store(Path(folder))
        server = start(store.env, "--no-demo", log=store.var / "serve.log")
        try:
            for title, value in asyncio.run(_measured(store, server)):
                say(f"{title:<48}{value:>10}")
        finally:
            server.stop()


async def _measured(store: Store, server: Server) -> list[tuple[str, str]]:
    limits, pid = httpx.Limits(max_connections=None), server.process.pid
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=WAIT_SECONDS, limits=limits) as client,
        AsyncExitStack() as open_,
    ):
        cookies = [await _session(client) for _ in range(STREAMS)]
        await _talk(client, cookies[0], "1")
        before = memory(pid)
        began = time.perf_counter()
        pages = [await _page(client, cookie, open_) for cookie in cookies]
        opening, after = time.perf_counter() - began, memory(pid)
        used = processor(pid)
        await asyncio.sleep(IDLE_SECONDS)
        idle = (processor(pid) - used) / IDLE_SECONDS
        await asyncio.to_thread(_write_notices, store)
        began = time.perf_counter()
        heard = asyncio.gather(*(_next_notice(page) for page in pages))
        await _talk(client, cookies[0], "2")
        told = await heard
        telling = time.perf_counter() - began
    return [
        ("streams open", f"{len(pages)}"),
        ("seconds to open them", f"{opening:.2f}"),
        ("memory before, MB", f"{before:.1f}"),
        ("memory with all of them, MB", f"{after:.1f}"),
        ("memory of each, kB", f"{(after - before) * 1024 / STREAMS:.1f}"),
        ("processor while nothing happens, % of a core", f"{idle * 100:.1f}"),
        ("notices heard", f"{sum(told)}"),
        ("seconds until every page has its notice", f"{telling:.2f}"),
    ]


async def _session(client: httpx.AsyncClient) -> str:
    answer = await client.post("/api/v1/session", json={})
    answer.raise_for_status()
    client.cookies.clear()
    return answer.headers["set-cookie"].partition(";")[0]


async def _talk(client: httpx.AsyncClient, cookie: str, message_id: str) -> None:
    said = {"message_id": message_id, "text": "你好"}
    (await client.post("/api/v1/chat", json=said, headers={"Cookie": cookie})).raise_for_status()


async def _page(client: httpx.AsyncClient, cookie: str, open_: AsyncExitStack) -> AsyncIterator[str]:
    """An open stream, read up to its first line: the server has begun to listen."""
    # From now on: what was said to warm up is not counted.
    where = f"/api/v1/events?after={int(time.time() * 1_000_000)}"
    response = await open_.enter_async_context(client.stream("GET", where, headers={"Cookie": cookie}))
    response.raise_for_status()
    lines = response.aiter_lines()
    await anext(lines)
    return lines


async def _next_notice(page: AsyncIterator[str]) -> int:
    """1 once a notice has come that is no answer to anybody."""
    async with asyncio.timeout(WAIT_SECONDS):
        async for line in page:
            if line.startswith("data: {") and '"reply":false' in line:
                return 1
    return 0


def _write_notices(store: Store) -> None:
    content = store.vault.seal({"parts": [["talk.thanks", {}]], "options": []}, about="outgoing")
    with store.session() as session:
        for visitor in session.query(WebSession).all():
            session.add(
                Outgoing(
                    channel="web",
                    conversation=visitor.conversation,
                    content=content,
                    due_at=datetime.now(UTC),
                    state="queued",
                )
            )
        session.commit()


def processor(pid: int) -> float:
    """Seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
