"""Deadlines in working days, and when to remind of a moment. Pure functions; holidays as `workdays` knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from actions.blocks.workdays import is_working_day
from actions.core.zones import at, local, to_utc

if TYPE_CHECKING:
    from collections.abc import Iterable

#: When an office's day is over.
_CLOSES = time(17, 30)
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """When the reminder of so many hours before is due, and from when on it would say nothing new or nothing true."""

    hours_before: float
    due: datetime
    until: datetime


def working_days_after(day: date, count: int) -> date:
    """The working day so many working days after `day`, which itself does not count (《民法典》第二百零一条)."""
    while count > 0:
        day += _DAY
        count -= is_working_day(day)
    return day


def working_days_before(day: date, count: int) -> date:
    """The working day that is so many working days before `day`."""
    while count > 0:
        day -= _DAY
        count -= is_working_day(day)
    return day


def deadline(since: datetime, working_days: int, *, closes: time = _CLOSES) -> datetime:
    """The moment by which something must be done that was begun at `since`: when the last working day closes."""
    return to_utc(at(working_days_after(local(since).date(), working_days), closes))


def reminders(moment: datetime, hours_before: Iterable[float], now: datetime) -> tuple[Moment, ...]:
    """When to remind of `moment`, soonest first; what would be due already is left out.

    A reminder holds until the next one is due, or the moment is there. One that is due on an earlier day holds no
    longer than the day before: it speaks of tomorrow.
    """
    midnight = at(local(moment).date(), time())
    end, planned = moment, []
    for hours in sorted(set(hours_before)):
        due = moment - timedelta(hours=hours)
        until = min(end, midnight) if due < midnight else end
        planned.append(Moment(hours_before=hours, due=due, until=until))
        end = due
    return tuple(each for each in reversed(planned) if now < each.due < each.until)
