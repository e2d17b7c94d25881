"""Festivals: solar, lunar, solar terms, and those on the nth Sunday of a month; each the one day of its next coming."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from nlu.times.days import never, nth_weekday
from nlu.times.model import NoSuchTimeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlu.times.days import YearOf
    from nlu.times.model import DayRule, Days

    Yearly = Callable[[int], Iterator[date]]
    """A year -> the festival's days that belong to that (solar or lunar) year."""

SOLAR = {
    "元旦": (1, 1), "情人": (2, 14), "三八": (3, 8), "妇女": (3, 8), "女神": (3, 8), "女生": (3, 7), "植树": (3, 12),
    "愚人": (4, 1), "五一": (5, 1), "劳动": (5, 1), "五四": (5, 4), "青年": (5, 4), "护士": (5, 12), "六一": (6, 1),
    "儿童": (6, 1), "七一": (7, 1), "建党": (7, 1), "八一": (8, 1), "建军": (8, 1), "教师": (9, 10), "国庆": (10, 1),
    "十一": (10, 1), "记者": (11, 8), "光棍": (11, 11), "双十一": (11, 11), "双11": (11, 11), "平安夜": (12, 24),
    "圣诞": (12, 25),
}  # fmt: skip
LUNAR = {
    "春节": (1, 1), "元宵": (1, 15), "端午": (5, 5), "七夕": (7, 7), "中元": (7, 15), "中秋": (8, 15), "重阳": (9, 9),
    "腊八": (12, 8), "小年": (12, 23),
}  # fmt: skip
TERMS = ("清明", "冬至", "夏至", "春分", "秋分", "立春", "立夏", "立秋", "立冬")
SUNDAYS = {"母亲": (5, 2, 6), "父亲": (6, 3, 6), "感恩": (11, 4, 3)}
"""month, nth, weekday."""

_JULIAN_DAY_OF_ORDINAL_0 = 1721424.5
"""Julian day number of midnight at the proleptic Gregorian ordinal 0."""


def _from_julian(julian_day: float) -> date:
    return date.fromordinal(int(julian_day - _JULIAN_DAY_OF_ORDINAL_0))


@lru_cache(maxsize=512)
def lunar_to_solar(year: int, month: int, day: int) -> date | None:
    """Turn a day of a lunar month (never a leap one) into a date.

    Args:
        year: lunar year, named by the solar year in which it begins.
        month: 1 to 12.
        day: 1 to 30.

    Returns:
        The date, or None where that month has no such day.

    """
    # Imported here: most messages name no lunar day, and the tables are slow to load.
    from lunar_python.LunarMonth import LunarMonth  # noqa: PLC0415

    found = LunarMonth.fromYm(year, month)
    if found is None or not 1 <= day <= found.getDayCount():
        return None
    return _from_julian(found.getFirstJulianDay()) + timedelta(days=day - 1)


@lru_cache(maxsize=64)
def _solar_terms(year: int) -> dict[str, date]:
    """The solar terms of a solar year, as the Chinese calendar (Beijing time) has them."""
    from lunar_python.Lunar import Lunar  # noqa: PLC0415
    from lunar_python.LunarYear import LunarYear  # noqa: PLC0415

    terms: dict[str, date] = {}
    for lunar_year in (year, year + 1):
        days = LunarYear.fromYear(lunar_year).getJieQiJulianDays()
        for name, julian_day in zip(Lunar.JIE_QI_IN_USE, days, strict=False):
            day = _from_julian(julian_day)
            if day.year == year:
                terms.setdefault(name, day)
    return terms


def _lunar_days(month: int, day: int) -> Yearly:
    def days(year: int) -> Iterator[date]:
        found = lunar_to_solar(year, month, day)
        if found is not None:
            yield found

    return days


def _new_years_eve(year: int) -> Iterator[date]:
    # The last month has 29 or 30 days: the eve is known by the day that follows it.
    spring = lunar_to_solar(year + 1, 1, 1)
    if spring is not None:
        yield spring - timedelta(days=1)


def _yearly(name: str) -> Yearly:
    """Find the rule of a festival by its bare name (国庆, not 国庆节)."""
    if name in SOLAR:
        month, day = SOLAR[name]
        return lambda year: iter([date(year, month, day)])
    if name in LUNAR:
        return _lunar_days(*LUNAR[name])
    if name in SUNDAYS:
        of_month, nth, weekday = SUNDAYS[name]
        return lambda year: iter([nth_weekday(nth, weekday)(year, of_month)[0]])
    if name in TERMS:
        return lambda year: iter([_solar_terms(year)[name]])
    return _new_years_eve


def _coming(yearly: Yearly, named: YearOf | None) -> DayRule:
    def rule(today: date, floor: date) -> Days:
        wanted = None if named is None else named(today)
        middle = floor.year if wanted is None else wanted
        if not 1901 <= middle <= 2098:
            raise NoSuchTimeError(f"no lunar table for {middle}")
        days = sorted(chain.from_iterable(yearly(year) for year in range(middle - 1, middle + 3)))
        for day in days:
            if day.year == wanted or (wanted is None and day >= floor):
                return day, day
        raise NoSuchTimeError(f"none in {middle}")

    return rule


def festival(name: str, year: YearOf | None = None) -> DayRule:
    """The next day of a festival, or the one in the year named.

    Args:
        name: bare name: a key of SOLAR, LUNAR or SUNDAYS, one of TERMS, or 除夕.
        year: today -> the solar year that was named.

    Returns:
        A rule that gives one day.

    """
    return _coming(_yearly(name), year)


def lunar_day(month: int, day: int, year: YearOf | None = None) -> DayRule:
    """The next such day of the lunar calendar, raising where there is no such month or day."""
    if not (1 <= month <= 12 and 1 <= day <= 30):
        return never
    return _coming(_lunar_days(month, day), year)
