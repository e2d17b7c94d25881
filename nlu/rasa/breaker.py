"""A circuit breaker: a peer that fails again and again is left alone for a while, then tried with one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Breaker:
    """Closed: calls go through. Open: they do not. After the pause one call is let through to see.

    Args:
        failures: how many calls in a row must fail to open it.
        pause: seconds that it stays open.
        clock: seconds that only grow (`time.monotonic`).

    """

    def __init__(self, *, failures: int, pause: float, clock: Callable[[], float]) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._failed = 0
        self._until = 0.0

    @property
    def closed(self) -> bool:
        """Whether calls go through as usual."""
        return self._failed < self._limit

    def allows(self) -> bool:
        """Whether a call may be made now. One that is let through after the pause is the only one for a pause more."""
        if self.closed:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._pause
        return True

    def succeeded(self) -> None:
        """A call was answered: closed again."""
        self._failed = 0

    def failed(self) -> None:
        """A call was not answered as it should be."""
        self._failed += 1
        if not self.closed:
            self._until = self._clock() + self._pause
