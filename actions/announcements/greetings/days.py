"""Falls which days of the year something falls: solar and lunar dates, solar terms, working days, cron. Pure.

Lunar dates and solar terms are those of the Chinese calendar (GB/T 33661-2017), as lunar-python has them; working days
follow the State Council's yearly notice (see blocks.workdays).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from actions.blocks.workdays import is_working_day
from actions.core.zones import SHANGHAI, to_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAY = timedelta(days=1)
#: The 24 solar terms, from the first of the solar year.
TERMS = (
    "小寒", "大寒", "立春", "雨水", "惊蛰", "春分", "清明", "谷雨", "立夏", "小满", "芒种", "夏至",
    "小暑", "大暑", "立秋", "处暑", "白露", "秋分", "寒露", "霜降", "立冬", "小雪", "大雪", "冬至",
)  # fmt: skip


class LunarDay(NamedTuple):
    """A day of the lunar calendar: `month` is negative in a leap month; `term` is the solar term of the day, or ""."""

    month: int
    day: int
    term: str


@lru_cache(maxsize=2048)
def lunar(day: date) -> LunarDay:
    """A date as the lunar calendar has it."""
    from lunar_python.Solar import Solar  # noqa: PLC0415 - its tables are slow to load, and most processes need none

    found = Solar.fromYmd(day.year, day.month, day.day).getLunar()
    return LunarDay(found.getMonth(), found.getDay(), found.getJieQi())


def is_lunar(day: date, month: int, of_month: int) -> bool:
    """Whether a date is that day of a lunar month, leap months left out: a festival is kept once."""
    found = lunar(day)
    return (found.month, found.day) == (month, of_month)


def is_new_years_eve(day: date) -> bool:
    """除夕: the last month has 29 or 30 days, so the eve is known by the day behind it."""
    return is_lunar(day + _DAY, 1, 1)


def is_term(day: date, name: str) -> bool:
    """Whether a solar term begins on a date."""
    return lunar(day).term == name


def is_birthday(day: date, month: int, of_month: int) -> bool:
    """Whether somebody born on that day of the year has their birthday; of 29 February, the 28th in a common year."""
    if (month, of_month) == (2, 29) and (day + _DAY).month == 3:
        return day.month == 2
    return (day.month, day.day) == (month, of_month)


def is_last_working_day(day: date) -> bool:
    """The last working day of its month."""
    if not is_working_day(day):
        return False
    after = day + _DAY
    while after.month == day.month:
        if is_working_day(after):
            return False
        after += _DAY
    return True


def is_first_working_day(day: date) -> bool:
    """The first working day of its month."""
    if not is_working_day(day):
        return False
    return not any(is_working_day(day.replace(day=number)) for number in range(1, day.day))


def add_working_days(day: date, count: int) -> date:
    """The working day that is `count` of them after a date; with 0 the date, or the first working day behind it."""
    while not is_working_day(day):
        day += _DAY
    for _ in range(count):
        day += _DAY
        while not is_working_day(day):
            day += _DAY
    return day


def cron_times(expression: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """The moments of a cron expression of five fields, in Shanghai, within (after, until]; weekdays by name (mon-fri).

    Raises ValueError for what is no such expression.
    """
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - needed where a calendar has cron alone

    if any(sign.isdigit() for sign in expression.rsplit(maxsplit=1)[-1]):
        message = "write weekdays by name (mon-fri): their numbers differ between programs"
        raise ValueError(message)
    trigger = CronTrigger.from_crontab(expression, timezone=SHANGHAI)
    moment = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
    while moment is not None and moment <= until:
        yield to_utc(moment)
        moment = trigger.get_next_fire_time(moment, moment + timedelta(microseconds=1))


def until_evening(clock: time) -> timedelta:
    """How late a greeting still does good: until 20:00 of its day."""
    begins = timedelta(hours=clock.hour, minutes=clock.minute)
    return max(timedelta(hours=20) - begins, timedelta(hours=1))
