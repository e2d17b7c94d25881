"""How often somebody may knock. Kept in memory: each process counts for itself, and that is enough against floods."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_KEYS_KEPT = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Messages per minute of a cookie session; new sessions per hour, and sign-ins per ten minutes, of an address.

    A whole campus may share one address, so that the number of new sessions is large.
    """

    messages_per_minute: int = 40
    sessions_per_hour: int = 600
    sign_ins_per_ten_minutes: int = 30
    streams_per_session: int = 6


class Limiter:
    """At most `most` times within `seconds` for each key."""

    def __init__(self, most: int, seconds: float, now: Callable[[], datetime]) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._taken: dict[str, deque[float]] = {}

    def take(self, key: str, most: int | None = None) -> int:
        """0 where it may go on, and counts it; else whole seconds to wait, and counts nothing.

        `most` is for who may knock more or less often than the others.
        """
        most = self._most if most is None else most
        moment = self._now().timestamp()
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] <= moment - self._seconds:
            taken.popleft()
        if len(taken) >= most:
            return max(1, math.ceil(taken[0] + self._seconds - moment))
        taken.append(moment)
        if len(self._taken) > _KEYS_KEPT:
            self._forget(moment - self._seconds)
        return 0

    def _forget(self, before: float) -> None:
        self._taken = {key: taken for key, taken in self._taken.items() if taken and taken[-1] > before}
