"""Working days of China: statutory holidays and make-up workdays, from the State Council's yearly notice.

`chinesecalendar` knows the years that have been published; later years fall back to Monday to Friday, and
`known(year)` tells so that an operator can be warned.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Whether offices are open on a day; Monday to Friday where the year has not been published."""
    import chinese_calendar  # noqa: PLC0415 - 20 ms that a reply without dates need not pay

    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def day_kind(day: date) -> Literal["workday", "weekend", "holiday"]:
    """What kind of day it is: a make-up workday is a workday; weekends within a statutory holiday belong to it.

    Where the year has not been published no day is a holiday.
    """
    import chinese_calendar  # noqa: PLC0415

    if is_working_day(day):
        return "workday"
    try:
        _, holiday = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return "weekend"
    return "weekend" if holiday is None else "holiday"


def known(year: int) -> bool:
    """Whether the holidays of a year have been published and are in the library."""
    import chinese_calendar  # noqa: PLC0415

    return any(day.year == year for day in chinese_calendar.holidays)
