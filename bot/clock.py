"""APScheduler wakes, rows decide: what is due is looked up each time, so a missed or doubled firing does no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger(__name__)


class Clock:
    """Wakes what looks for due rows."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})

    def every(self, seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Runs `work` every so many seconds; one that fails is logged and runs again."""

        async def guarded() -> None:
            try:
                await work()
            except Exception:
                log.exception("clock_job_failed", job=name)

        self._scheduler.add_job(guarded, "interval", seconds=seconds, id=name, name=name)

    def start(self) -> None:
        """Begins to wake; needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Wakes no more."""
        self._scheduler.shutdown(wait=False)
