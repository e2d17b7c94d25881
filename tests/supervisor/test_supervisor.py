"""What ends is started again, however it ends, and later each time; what runs well is forgiven."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.supervisor import Role, Supervisor, back_off, child

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

SOON = timedelta(milliseconds=1)


@given(st.integers(1, 10_000))
def test_pauses_grow_and_have_an_end(ends: int) -> None:
    assert timedelta(seconds=1) <= back_off(ends) <= back_off(ends + 1) <= timedelta(minutes=1)


def test_the_first_pauses() -> None:
    assert [back_off(ends).total_seconds() for ends in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@contextlib.asynccontextmanager
async def _running(supervisor: Supervisor):
    task = asyncio.create_task(supervisor.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_an_end_and_a_fault_are_the_same_to_it() -> None:
    begun: list[str] = []
    enough = asyncio.Event()

    async def run() -> None:
        begun.append("again")
        if len(begun) == 4:
            enough.set()
            await asyncio.Event().wait()
        if len(begun) == 2:
            raise RuntimeError("what somebody said")

    pauses: list[int] = []

    def pause(ends: int) -> timedelta:
        pauses.append(ends)
        return SOON

    supervisor = Supervisor([Role(name="it", run=run)], pause=pause)
    async with _running(supervisor):
        await asyncio.wait_for(enough.wait(), 10)
        standing = supervisor.standing["it"]
        assert (standing.running, standing.ends, pauses) == (True, 3, [1, 2, 3])
    assert supervisor.standing["it"].running is False


async def test_who_ran_well_begins_anew() -> None:
    seconds = iter([0.0, 1.0, 1.0, 400.0, 400.0, 401.0, 401.0])
    pauses: list[int] = []
    enough = asyncio.Event()

    async def run() -> None:
        return None

    def pause(ends: int) -> timedelta:
        pauses.append(ends)
        if len(pauses) == 3:
            enough.set()
        return timedelta(hours=1) if len(pauses) == 3 else SOON

    supervisor = Supervisor([Role(name="it", run=run)], pause=pause, elapsed=lambda: next(seconds))
    async with _running(supervisor):
        await asyncio.wait_for(enough.wait(), 10)
    assert pauses == [1, 1, 2]


async def test_one_that_ends_keeps_no_other_waiting() -> None:
    ran = asyncio.Event()

    async def ends() -> None:
        raise OSError

    async def runs() -> None:
        ran.set()
        await asyncio.Event().wait()

    supervisor = Supervisor(
        [Role(name="a", run=ends), Role(name="b", run=runs)], pause=lambda _ends: timedelta(hours=1)
    )
    async with _running(supervisor):
        await asyncio.wait_for(ran.wait(), 10)
        assert supervisor.standing["b"].running


_CHILD = """
import os, pathlib, signal, sys, time
log, how = pathlib.Path(sys.argv[1]), sys.argv[2]
with log.open("a") as file:
    file.write(f"{os.getpid()}\\n")
lives = len(log.read_text().splitlines())
if lives < 3:
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(int(how))
time.sleep(600)
"""


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - another process writes a file
            await asyncio.sleep(0.02)


@pytest.mark.peer
@pytest.mark.parametrize(("how", "last"), [("0", "exit 0"), ("1", "exit 1"), ("killed", "exit -9")])
async def test_a_process_that_dies_is_started_again(tmp_path: Path, how: str, last: str) -> None:
    log = tmp_path / "lives"
    role = child("bridge", [sys.executable, "-c", _CHILD, str(log), how])
    supervisor = Supervisor([role], pause=lambda _ends: SOON)

    def lives() -> list[str]:
        return log.read_text().split() if log.exists() else []

    async with _running(supervisor):
        await _until(lambda: len(lives()) == 3)
        standing = supervisor.standing["bridge"]
        assert (standing.running, standing.ends, standing.last) == (True, 2, last)
    # What was begun is not left behind.
    with pytest.raises(ProcessLookupError):
        os.kill(int(lives()[-1]), 0)


@pytest.mark.peer
async def test_a_process_that_will_not_end_is_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.supervisor._GRACE_SECONDS", 0.2)
    deaf = "import signal,sys,time,pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    log = tmp_path / "pid"
    deaf += "import os; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
    run: Callable[[], Awaitable[object]] = child("deaf", [sys.executable, "-c", deaf, str(log)]).run
    task = asyncio.ensure_future(run())
    await _until(lambda: log.exists() and bool(log.read_text()))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), signal.SIGKILL)
