"""Keeps roles running: what ends, however it ends, is started again, later each time it ends soon.

A role is anything that runs until it is stopped: a channel that takes messages in, a bridge in a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.messages import Channel, Inlet

log = structlog.get_logger(__name__)

_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=1)
#: A role that ran so long was well: its next end is the first one again.
WELL_AFTER = timedelta(minutes=5)
#: How long a child has to end by itself.
_GRACE_SECONDS = 10.0


def back_off(ends: int) -> timedelta:
    """The pause before a role is started again, after it ended so many times in a row: 1 s, doubled, a minute at most.

    `ends` is from 1 on.
    """
    doubled: int = 2 ** min(max(ends, 1) - 1, 10)
    return min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """Something that is to run always. `run` returns or raises when it has ended, and ends when it is cancelled."""

    name: str
    run: Callable[[], Awaitable[object]]


@dataclass(kw_only=True, slots=True)
class Standing:
    """How a role is: whether it runs, how often it ended, and how it ended last (for the operator; no content)."""

    running: bool = False
    ends: int = 0
    last: str = ""


@dataclass(slots=True)
class Supervisor:
    """Runs roles until it is cancelled.

    `pause(ends)` is how long to wait before the next start, `well_after` when earlier ends are forgotten; `elapsed`
    tells seconds that only grow.
    """

    roles: Sequence[Role]
    pause: Callable[[int], timedelta] = back_off
    well_after: timedelta = WELL_AFTER
    elapsed: Callable[[], float] = time.monotonic
    standing: Mapping[str, Standing] = field(init=False)

    def __post_init__(self) -> None:
        """A standing for each role."""
        self.standing = {role.name: Standing() for role in self.roles}

    async def run(self) -> None:
        """Runs all roles side by side; one that ends keeps no other waiting."""
        async with asyncio.TaskGroup() as tasks:
            for role in self.roles:
                tasks.create_task(self._always(role))

    async def _always(self, role: Role) -> None:
        standing, in_a_row = self.standing[role.name], 0
        while True:
            began = self.elapsed()
            standing.running = True
            try:
                ended = await _end_of(role)
            finally:
                standing.running = False
            well = self.elapsed() - began >= self.well_after.total_seconds()
            in_a_row = 1 if well else in_a_row + 1
            standing.ends += 1
            standing.last = ended
            seconds = self.pause(in_a_row).total_seconds()
            log.warning("role_ended", role=role.name, how=ended, in_a_row=in_a_row, again_in=seconds)
            await asyncio.sleep(seconds)


async def _end_of(role: Role) -> str:
    """Runs a role to its end, and says how it ended."""
    try:
        result = await role.run()
    except Exception as error:
        # The supervisor is here for what nobody foresaw. What the error says may hold content: the log has its kind.
        log.exception("role_failed", role=role.name)
        return type(error).__name__
    return "ended" if result is None else str(result)


def taking_in(channel: Channel, inlet: Inlet) -> Role:
    """The role of a channel in this process."""

    async def run() -> None:
        try:
            await channel.start(inlet)
        finally:
            await channel.stop()

    return Role(name=channel.name, run=run)


def child(name: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Role:
    """The role of a process of its own. It ends with the process (`exit 0` is an end like any other).

    Cancelled, it is asked to end (SIGTERM), and made to after ten seconds. `environment` is the whole of it; without,
    this process' own.
    """

    async def run() -> str:
        process = await asyncio.create_subprocess_exec(*argv, env=None if environment is None else dict(environment))
        try:
            return f"exit {await process.wait()}"
        finally:
            await _put_down(process)

    return Role(name=name, run=run)


async def _put_down(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), timeout=_GRACE_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
