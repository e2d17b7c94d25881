"""Which times a calendar has: a pure function of its rules and a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from actions.appointments.rules import WEEKDAYS, AppointmentRules, CalendarSpec, Hours
from actions.blocks.workdays import is_working_day
from actions.core.zones import at, local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date


def opens(spec: CalendarSpec, day: date) -> bool:
    """Whether a calendar works on a day at all."""
    return spec.works == "daily" or is_working_day(day)


def starts(spec: CalendarSpec, rules: AppointmentRules, day: date) -> Iterator[datetime]:
    """Starts of all slots of a day in Shanghai time, in order; taken or not, past or not."""
    if not opens(spec, day):
        return
    length = timedelta(minutes=rules.minutes)
    step = length + timedelta(minutes=rules.buffer_minutes)
    for hours in spec.hours:
        if not _on(hours, day):
            continue
        start, end = at(day, hours.start), at(day, hours.end)
        while start + length <= end:
            if not _interrupted(spec, day, start, start + length):
                yield start
            start += step


def starts_between(spec: CalendarSpec, rules: AppointmentRules, low: datetime, high: datetime) -> Iterator[datetime]:
    """Starts of all slots with low <= start < high."""
    day = local(low).date()
    while at(day, datetime.min.time()) < high:
        yield from (start for start in starts(spec, rules, day) if low <= start < high)
        day += timedelta(days=1)


def _on(hours: Hours, day: date) -> bool:
    return not hours.days or WEEKDAYS[day.weekday()] in hours.days


def _interrupted(spec: CalendarSpec, day: date, start: datetime, end: datetime) -> bool:
    resting = any(start < at(day, rest.end) and at(day, rest.start) < end for rest in spec.breaks if _on(rest, day))
    return resting or any(closure.covers(start, end) for closure in spec.closures)
