"""10,000 recipients over real worker processes, on both stores: writing the rows, the limit kept, five deaths, answers.

The platform listens in this process and takes whatever comes. The last part measures how long an answer waits while a
broadcast runs at its limit.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from actions.core.commands import SYSTEM
from actions.core.notify import Letter, send_letter
from bench.streams import processor
from bot.logs import configure
from tests.delivery.broadcast import Workers, announce, broadcast, end, limits, opened, populate
from tests.delivery.platform import CHANNEL, Platform
from tests.peers.postgres import cluster
from tests.peers.server import Store, postgres_store, sqlite_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.app import App

RECIPIENTS = 10_000
KILLS = 5
LIMIT = 30
LIMITED = 1_000
ANSWERS = 20


def run(say: Callable[[str], None]) -> None:
    """Measures one store after the other."""
    configure("error")
    with tempfile.TemporaryDirectory(prefix="niangjiaren-bench-") as folder, cluster() as postgres:
        for name, workers in (("sqlite", 1), ("postgresql", 2)):
            stores = _stores(Path(folder) / name, None if name == "sqlite" else postgres)
            say(f"{name}, {workers} worker(s)")
            asyncio.run(_measure(stores, workers, say))


def _stores(folder: Path, postgres: object) -> Callable[[], Store]:
    numbers = iter(range(100))

    def new() -> Store:
        place = folder / str(next(numbers))
        place.mkdir(parents=True)
        return sqlite_store(place) if postgres is None else postgres_store(place, postgres)  # type: ignore[arg-type]

    return new


async def _measure(new: Callable[[], Store], workers: int, say: Callable[[str], None]) -> None:
    async with opened(new()) as app:
        await populate(app, RECIPIENTS)
        _, seconds = await announce(app)
    say(f"  rows of {RECIPIENTS} recipients in one transaction: {seconds:.2f} s")
    free = await broadcast(new(), RECIPIENTS, workers=workers)
    say(f"  no limit: {RECIPIENTS / free.seconds:.0f} a second; {dict(free.ledger.states)}")
    deaths = await broadcast(new(), RECIPIENTS, workers=workers, kills=KILLS)
    say(
        f"  {KILLS} times kill -9: missed {deaths.missed}, repeated {len(deaths.repeated)}, "
        f"of them not marked unknown {len(deaths.repeated - deaths.doubted)}; marked {len(deaths.doubted)}; "
        f"said again {deaths.recovered:.0f} s after the last death; {deaths.seconds:.0f} s in all; "
        f"{dict(deaths.ledger.states)}"
    )
    await _limited(new(), workers, say)


async def _limited(store: Store, workers: int, say: Callable[[str], None]) -> None:
    """At a limit: the share of it that is used, the fullest second, and how long answers wait meanwhile."""
    async with opened(store) as app, Platform().open() as platform:
        await populate(app, LIMITED)
        await announce(app)
        team = Workers(store, platform, limits(per_second=LIMIT))
        running = [await team.start() for _ in range(workers)]
        await platform.until(LIMITED * 9 // 10)
        # The first second is full at once: the rate is that of the seconds after it.
        times = [each.at for each in platform.arrived]
        rate = (len(times) - LIMIT) / (max(times) - min(times) - 1)
        waits = sorted([await _answer(app, platform, f"asks-{number}") for number in range(ANSWERS)])
        await platform.until(LIMITED + ANSWERS)
        used = sum(processor(worker.pid) for worker in running)
        for worker in running:
            await end(worker)
    fullest = platform.most_within(1.0)
    say(f"  limit {LIMIT} a second: {rate:.1f} a second = {rate / LIMIT:.1%}; fullest second {fullest}")
    say(f"  processor meanwhile: {used / (LIMITED + ANSWERS) * 1000:.1f} ms a message, waiting and starting included")
    say(f"  an answer written by another process: median {statistics.median(waits):.2f} s, longest {waits[-1]:.2f} s")


async def _answer(app: App, platform: Platform, name: str) -> float:
    """Seconds from the commit of an answer until it arrives."""
    async with app.house.database.write() as session:
        letter = Letter(channel=CHANNEL, conversation=name, wording="talk.thanks", kind="reply")
        await send_letter(app.house.context(session, SYSTEM, app.clock()), letter)
    began = time.monotonic()
    async with platform.changed:
        await platform.changed.wait_for(lambda: any(each.to == name for each in platform.arrived))
    return time.monotonic() - began
