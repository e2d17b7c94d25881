"""The assistant within the tests' process, on a clock of its own: for what depends on the hour and the day."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from bot.api import create_api
from bot.app import build, prepare
from bot.demo import OFFICER
from bot.rosters import create_administrator
from bot.serving import _api_parts
from bot.world import load_world
from tests.conftest import MovableClock, _settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from nlu.pipeline import Pipeline

_START_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Weekday:
    """A running assistant; `password` is the demo officer's, for one use."""

    url: str
    password: str
    clock: MovableClock


@contextlib.contextmanager
def weekday(var: Path, pipeline: Pipeline, now: datetime) -> Iterator[Weekday]:
    """Serves the demo world in `var` at `now`, in a thread, until the block ends."""
    clock = MovableClock(now)
    ready = threading.Event()
    found: list[tuple[str, str]] = []
    faults: list[Exception] = []
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def main() -> None:
        app = build(_settings(var), pipeline=pipeline, clock=clock)
        await prepare(app, demo=True)
        password = await create_administrator(app, *OFFICER)
        api = create_api(_api_parts(app, stopping, load_world(app.settings.data_dir)))
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(api, log_config=None, lifespan="off", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        async with app.running():
            # Not `serve`: that one takes over the signals, which are pytest's here.
            serving = asyncio.create_task(server._serve([listener]))
            found.append((f"http://127.0.0.1:{listener.getsockname()[1]}", password))
            ready.set()
            await stopping.wait()
            server.should_exit = True
            await serving

    def run() -> None:
        try:
            loop.run_until_complete(main())
        except Exception as error:
            faults.append(error)
        finally:
            loop.close()
            ready.set()

    thread = threading.Thread(target=run, name="weekday")
    thread.start()
    try:
        if not ready.wait(_START_SECONDS) or faults:
            raise RuntimeError("the assistant did not start") from (faults[0] if faults else None)
        url, password = found[0]
        yield Weekday(url=url, password=password, clock=clock)
    finally:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stopping.set)
        thread.join(_START_SECONDS)
        assert faults == []
