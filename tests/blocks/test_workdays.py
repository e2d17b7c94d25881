"""Statutory holidays and make-up workdays of 2026, and a year that is not known yet.

Source: 国务院办公厅关于2026年部分节假日安排的通知.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from actions.blocks.workdays import is_working_day, known

HOLIDAYS = {
    "元旦": (date(2026, 1, 1), date(2026, 1, 3)),
    "春节": (date(2026, 2, 15), date(2026, 2, 23)),
    "清明节": (date(2026, 4, 4), date(2026, 4, 6)),
    "劳动节": (date(2026, 5, 1), date(2026, 5, 5)),
    "端午节": (date(2026, 6, 19), date(2026, 6, 21)),
    "中秋节": (date(2026, 9, 25), date(2026, 9, 27)),
    "国庆节": (date(2026, 10, 1), date(2026, 10, 7)),
}
#: Saturdays and Sundays on which people work.
MADE_UP = [
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
]


@pytest.mark.parametrize("name", HOLIDAYS)
def test_nobody_works_on_a_statutory_holiday(name):
    first, last = HOLIDAYS[name]
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    assert [day for day in days if is_working_day(day)] == []


@pytest.mark.parametrize("day", MADE_UP, ids=str)
def test_weekends_are_worked_to_make_up(day):
    assert day.weekday() >= 5
    assert is_working_day(day)


def test_every_other_day_of_2026_is_as_the_week_says():
    special = set(MADE_UP)
    for first, last in HOLIDAYS.values():
        special |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
    ordinary = [day for number in range(365) if (day := date(2026, 1, 1) + timedelta(days=number)) not in special]
    assert [day for day in ordinary if is_working_day(day) != (day.weekday() < 5)] == []


def test_a_year_that_is_not_published_falls_back_to_the_week():
    assert (known(2026), known(2060)) == (True, False)
    week = [date(2060, 10, 4) + timedelta(days=number) for number in range(7)]
    assert [is_working_day(day) for day in week] == [day.weekday() < 5 for day in week]
