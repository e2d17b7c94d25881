"""When the bridge looks, waits and tries again. Pure, but for the clock it is given."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: Seconds. The longest pause and one try that leads nowhere (CONNECT) stay well under fifteen.
_FIRST, _LONGEST = 0.5, 6.0
CONNECT = 4.0
#: A line that is dead and does not know it is found out by a beat that is not answered.
BEAT, ANSWERED_WITHIN = 5.0, 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Time:
    """A clock that only goes on (seconds), and how to wait on it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def faster(times: float) -> Time:
    """A clock that goes so many times as fast as the machine's."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / times)

    return Time(now=lambda: time.monotonic() * times, sleep=sleep)


def pause(tries: int, chance: float) -> float:
    """Seconds before the next try, after so many that failed in a row.

    Half a second, doubled, six at most; from half of that upward as `chance` (0 to 1) falls, so that many who were
    cut off together do not all come back together.
    """
    doubled: float = _FIRST * 2.0 ** min(max(tries, 0), 10)
    longest = min(doubled, _LONGEST)
    return longest * (1 + min(max(chance, 0.0), 1.0)) / 2
