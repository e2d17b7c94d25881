"""Working days of China: statutory holidays and make-up workdays, from the State Council's yearly notice.

`chinesecalendar` knows the years that have been published; later years fall back to Monday to Friday, and
`known(year)` tells so that an operator can be warned.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

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


def known(year: int) -> bool:
    """Whether the holidays of a year have been published and are in the library."""
    import chinese_calendar  # noqa: PLC0415

    return any(day.year == year for day in chinese_calendar.holidays)
