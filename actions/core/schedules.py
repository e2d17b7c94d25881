"""What comes due by the calendar: a row for each firing, so that it is done once by however many processes.

A clock only wakes `Schedules.sweep`; which moments are due is asked of the schedule, and which of them were done of the
rows. So a year can be gone through by moving `now`, and a process that was down makes good what is still useful.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from actions.core.tables import Firing
from actions.core.zones import at, local, to_utc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import date, time

    from actions.core.commands import Context

log = structlog.get_logger(__name__)

#: How far back a process that was down looks for what it missed.
_LOOKS_BACK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Something that comes due again and again.

    Args:
        name: what its firings are known by; another name is another schedule.
        times: the moments in a span (after, until], in order; a pure function.
        run: does it, in the transaction that holds the firing's row; is told for which moment.
        useful: how late it still does good. What is later is not done, and its row says so.

    """

    name: str
    times: Callable[[datetime, datetime], Iterable[datetime]]
    run: Callable[[Context, datetime], Awaitable[object]]
    useful: timedelta


def on_days(clock: time, wanted: Callable[[date], bool]) -> Callable[[datetime, datetime], Iterable[datetime]]:
    """The moments of a schedule that comes due at a clock time in Shanghai, on the days that are `wanted`."""

    def times(after: datetime, until: datetime) -> Iterable[datetime]:
        day = local(after).date()
        while (moment := at(day, clock)) <= until:
            if moment > after and wanted(day):
                yield to_utc(moment)
            day += timedelta(days=1)

    return times


async def claim(context: Context, name: str, moment: datetime, result: str = "done") -> bool:
    """Writes the row that makes something which is due at a moment this process's; False where it is done already."""
    if await context.session.get(Firing, (name, moment)) is not None:
        return False
    try:
        async with context.session.begin_nested():
            context.session.add(Firing(schedule=name, due_at=moment, at=context.now, result=result))
    except IntegrityError:
        return False
    return True


class Schedules:
    """All schedules; swept as the lives are."""

    def __init__(self, schedules: Sequence[Schedule]) -> None:
        """Raises ValueError where two schedules share a name: one of them would never come due."""
        names = [schedule.name for schedule in schedules]
        if len(set(names)) < len(names):
            message = f"schedules share a name: {sorted(names)}"
            raise ValueError(message)
        self._schedules = schedules

    async def sweep(self, context: Context) -> int:
        """Does what is due at `context.now` and was not done; returns how many firings.

        One that fails is logged, and is due again at the next sweep; the others are not held up.
        """
        if not self._schedules:
            return 0
        begun, done = await self._begun(context), await self._done(context)
        fired = 0
        for schedule in self._schedules:
            for moment in schedule.times(_back(schedule, context.now), context.now):
                if moment in done[schedule.name]:
                    continue
                late = context.now - moment > schedule.useful
                if not late:
                    fired += await self._fire(context, schedule, moment)
                elif schedule.name in begun and moment > begun[schedule.name]:
                    await claim(context, schedule.name, moment, "late")
        return fired

    async def _begun(self, context: Context) -> Mapping[str, datetime]:
        """Since when each schedule is known: what lies before was never missed."""
        query = select(Firing.schedule, func.min(Firing.due_at)).group_by(Firing.schedule)
        return {name: moment for name, moment in (await context.session.execute(query)).all()}  # noqa: C416 - rows are no pairs

    async def _done(self, context: Context) -> Mapping[str, set[datetime]]:
        farthest = min(_back(schedule, context.now) for schedule in self._schedules)
        query = select(Firing.schedule, Firing.due_at).where(Firing.due_at > farthest)
        done: dict[str, set[datetime]] = defaultdict(set)
        for name, moment in (await context.session.execute(query)).all():
            done[name].add(moment)
        return done

    async def _fire(self, context: Context, schedule: Schedule, moment: datetime) -> bool:
        try:
            async with context.session.begin_nested():
                if not await claim(context, schedule.name, moment):
                    return False
                await schedule.run(context, moment)
        except Exception:
            log.exception("schedule_failed", schedule=schedule.name)
            return False
        return True


def _back(schedule: Schedule, now: datetime) -> datetime:
    return now - max(schedule.useful, _LOOKS_BACK)
