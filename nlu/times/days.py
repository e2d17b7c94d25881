"""Rules that turn the name of a day into days of the calendar; the conventions are those of the contract (Times)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING

from nlu.times.model import NoSuchTimeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlu.times.model import DayRule, Days

    Tail = Callable[[int, int], Days]
    """(year, month) -> days of that month."""

    YearOf = Callable[[date], int]
    """today -> the year that was named."""


def _date(year: int, month: int, day: int) -> date:
    """Build a date, or raise NoSuchTimeError."""
    try:
        return date(year, month, day)
    except ValueError as fault:
        raise NoSuchTimeError(f"{year}-{month}-{day}") from fault


def plus(day: date, days: int) -> date:
    """Move by days; raises NoSuchTimeError beyond the calendar's end."""
    try:
        return day + timedelta(days=days)
    except OverflowError as fault:
        raise NoSuchTimeError(f"{day} + {days}") from fault


def plus_months(day: date, months: int) -> date:
    """Move by months; the 31st becomes the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not date.min.year <= year <= date.max.year:
        raise NoSuchTimeError(f"{day} + {months} months")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def monday(day: date) -> date:
    """Monday of the calendar week of `day`."""
    return plus(day, -day.weekday())


# --- parts of a month


def the(first: int, last: int | None = None) -> Tail:
    """The day `first` of a month, or the days `first` to `last`."""
    return lambda year, month: (_date(year, month, first), _date(year, month, last or first))


def third(name: str) -> Tail:
    """初 and 底 are three days; 上旬, 中旬 (also 中) and 下旬 are 1-10, 11-20 and 21 to the end; "" is all of it."""

    def days(year: int, month: int) -> Days:
        length = monthrange(year, month)[1]
        first, last = {
            "": (1, length), "初": (1, 3), "上旬": (1, 10), "中旬": (11, 20), "中": (11, 20), "下旬": (21, length),
            "底": (length - 2, length), "末": (length - 2, length),
        }[name]  # fmt: skip
        return date(year, month, first), date(year, month, last)

    return days


def nth_weekday(nth: int, weekday: int) -> Tail:
    """The nth such weekday of a month (Monday is 0); nth -1 is the last one."""

    def days(year: int, month: int) -> Days:
        if nth < 0:
            end = date(year, month, monthrange(year, month)[1])
            day = plus(end, -((end.weekday() - weekday) % 7))
        else:
            begin = date(year, month, 1)
            day = plus(begin, (weekday - begin.weekday()) % 7 + 7 * (nth - 1))
        if nth == 0 or day.month != month:
            raise NoSuchTimeError(f"{year}-{month}: {nth}, {weekday}")
        return day, day

    return days


# --- rules


def fixed(year: int, month: int, day: int) -> DayRule:
    """A date with its year."""
    return lambda _today, _floor: (_date(year, month, day), _date(year, month, day))


def relative(first: int, last: int | None = None) -> DayRule:
    """So many days from today, or a run of days."""
    return lambda today, _floor: (plus(today, first), plus(today, first if last is None else last))


def months_away(months: int, days: int) -> DayRule:
    """The day so many months and days from today."""

    def rule(today: date, _floor: date) -> Days:
        day = plus(plus_months(today, months), days)
        return day, day

    return rule


def month_day(month: int, tail: Tail, year: YearOf | None = None) -> DayRule:
    """A part of a month of the year; with no year named, next year's when it has gone by this year."""

    def rule(today: date, floor: date) -> Days:
        if not 1 <= month <= 12:
            raise NoSuchTimeError(f"month {month}")
        if year is not None:
            return tail(year(today), month)
        if month < floor.month:
            return tail(floor.year + 1, month)
        days = tail(floor.year, month)
        return days if days[1] >= floor else tail(floor.year + 1, month)

    return rule


def this_month(tail: Tail, shift: int = 0) -> DayRule:
    """A part of the month so many months from this one."""

    def rule(today: date, _floor: date) -> Days:
        first = plus_months(today.replace(day=1), shift)
        return tail(first.year, first.month)

    return rule


def next_month_with(tail: Tail) -> DayRule:
    """A part of a month that was not named: this month's, or the next one's that has such days and not behind it."""

    def rule(_today: date, floor: date) -> Days:
        for shift in range(13):
            first = plus_months(floor.replace(day=1), shift)
            try:
                days = tail(first.year, first.month)
            except NoSuchTimeError:
                continue
            if days[1] >= floor:
                return days
        raise NoSuchTimeError("no month has it")

    return rule


def next_weekday(weekday: int, until: int | None = None) -> DayRule:
    """The next such weekday not before the floor (Monday is 0), or from it to the next weekday `until`."""

    def rule(_today: date, floor: date) -> Days:
        first = plus(floor, (weekday - floor.weekday()) % 7)
        return first, first if until is None else plus(first, (until - first.weekday()) % 7)

    return rule


def of_week(week: int, first: int, last: int | None = None) -> DayRule:
    """Weekdays of the calendar week so many weeks from this one."""

    def rule(today: date, _floor: date) -> Days:
        begin = plus(monday(today), 7 * week)
        end = first if last is None else last
        return plus(begin, first), plus(begin, end if end >= first else end + 7)

    return rule


def whole_year(year: YearOf, months: tuple[int, int] = (1, 12)) -> DayRule:
    """A year, or a run of its months."""

    def rule(today: date, _floor: date) -> Days:
        number, (first, last) = year(today), months
        return _date(number, first, 1), _date(number, last, monthrange(number, last)[1])

    return rule


def shifted(rule: DayRule, days: int) -> DayRule:
    """The one day so many days from the first day of another rule's."""

    def moved(today: date, floor: date) -> Days:
        day = plus(rule(today, floor)[0], days)
        return day, day

    return moved


def beside(rule: DayRule, weekday: DayRule, days: int) -> DayRule:
    """The first such weekday not before the day so many days from another rule's."""
    return lambda today, floor: weekday(today, plus(rule(today, floor)[0], days))


def never(_today: date, _floor: date) -> Days:
    """A day that no calendar has, such as 星期八."""
    raise NoSuchTimeError("no such day")
