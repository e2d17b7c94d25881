"""Turns through the gateway, in process on SQLite: one after another against fifty at once, and where the time goes.

Each dialogue books a room of its own in three messages. `transaction` is everything in a turn but the parse.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from actions.core.zones import SHANGHAI
from bot.app import App, build, prepare
from bot.demo import add_members
from bot.logs import configure
from bot.messages import Address, Inbound
from bot.settings import ROOT, Settings
from bot.understanding import build_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nlu.pipeline import Pipeline
    from nlu.types import Parse

DIALOGUES = 100
AT_ONCE = 50
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)


class Timed:
    """The NLU, with the seconds of each parse."""

    def __init__(self, inner: Pipeline) -> None:
        self._inner = inner
        self.update_gazetteer = inner.update_gazetteer
        self.seconds: list[float] = []

    async def parse(self, text: str, now: datetime) -> Parse:
        """As the NLU does."""
        began = time.perf_counter()
        parse = await self._inner.parse(text, now)
        self.seconds.append(time.perf_counter() - began)
        return parse


def run(say: Callable[[str], None]) -> None:
    """Books rooms twice over, prints a table."""
    configure("warning")
    asyncio.run(_run(say))


async def _run(say: Callable[[str], None]) -> None:
    timed = Timed(build_pipeline(Settings(var_dir=ROOT / "var")))
    with tempfile.TemporaryDirectory(prefix="niangjiaren-bench-") as folder:
        app = build(Settings(var_dir=Path(folder)), pipeline=timed, clock=lambda: NOW)
        await prepare(app, demo=True)
        await add_members(app.house, 2 * DIALOGUES + 1, NOW)
        rooms = _rooms()
        await _book(app, 2 * DIALOGUES + 1, next(rooms))  # what is loaded once is loaded now
        timed.seconds.clear()
        alone = await _measure(app, 1, 1, rooms)
        parsing = sum(timed.seconds)
        crowd = await _measure(app, DIALOGUES + 1, AT_ONCE, rooms)
        await app.house.database.close()
    _report(say, alone, crowd, parsing)


def _rooms() -> Iterator[str]:
    days = [NOW + timedelta(days=number) for number in range(2, 26)]
    hours = (f"{hour}点" for hour in ("上午9", "上午10", "下午2", "下午3", "下午4", "下午5"))
    for hour, day, room in itertools.product(hours, days, ("瑜伽室", "乒乓球室")):
        yield f"{day.month}月{day.day}日{hour}约{room}"


async def _measure(app: App, first: int, at_once: int, rooms: Iterator[str]) -> tuple[float, list[float]]:
    """Seconds of it all, and of each turn."""
    gate = asyncio.Semaphore(at_once)

    async def one(number: int, wish: str) -> list[float]:
        async with gate:
            return await _book(app, number, wish)

    began = time.perf_counter()
    turns = await asyncio.gather(*(one(first + number, next(rooms)) for number in range(DIALOGUES)))
    return time.perf_counter() - began, [seconds for dialogue in turns for seconds in dialogue]


async def _book(app: App, number: int, wish: str) -> list[float]:
    """One dialogue of a demo member; seconds of each turn. Raises RuntimeError where no room was booked."""
    sender = f"demo-{number}"
    seconds = []
    for step, text in enumerate((wish, "5人", "确认")):
        address = Address(channel="web", conversation=sender)
        inbound = Inbound(address=address, event_id=f"{number}-{step}", sender=sender, text=text)
        began = time.perf_counter()
        (reply,) = await app.gateway.receive(inbound)
        seconds.append(time.perf_counter() - began)
    if "约好了" not in reply.text:
        raise RuntimeError(reply.text)
    return seconds


def _report(
    say: Callable[[str], None],
    alone: tuple[float, Sequence[float]],
    crowd: tuple[float, Sequence[float]],
    parsing: float,
) -> None:
    say(f"{3 * DIALOGUES} turns on each side   {'one by one':>12}{f'{AT_ONCE} at once':>12}{'ratio':>8}")
    rates = [len(turns) / seconds for seconds, turns in (alone, crowd)]
    say(f"{'turns a second':<24}{rates[0]:>12.1f}{rates[1]:>12.1f}{rates[1] / rates[0]:>8.2f}")
    for title, percent in (("p50 of a turn, ms", 50), ("p99 of a turn, ms", 99)):
        one, other = (1000 * statistics.quantiles(turns, n=100)[percent - 1] for _, turns in (alone, crowd))
        say(f"{title:<24}{one:>12.1f}{other:>12.1f}{other / one:>8.2f}")
    total = sum(alone[1])
    say(f"one by one: parse {parsing / total:.0%}, transaction {1 - parsing / total:.0%} of a turn")
