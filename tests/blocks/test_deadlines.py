"""Deadlines in working days, and when to remind."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.deadlines import Moment, deadline, reminders, working_days_after, working_days_before
from actions.blocks.workdays import is_working_day
from actions.core.zones import SHANGHAI, local

days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=SHANGHAI))  # noqa: DTZ001 - hypothesis wants naive bounds


def test_five_working_days_over_a_holiday_with_a_make_up_workday():
    # 2026年国庆：10月1日至7日放假，10月10日（星期六）上班。
    assert working_days_after(date(2026, 9, 29), 5) == date(2026, 10, 12)
    assert working_days_before(date(2026, 10, 12), 5) == date(2026, 9, 29)
    assert local(deadline(datetime(2026, 9, 29, 20, 0, tzinfo=SHANGHAI), 5)) == datetime(
        2026, 10, 12, 17, 30, tzinfo=SHANGHAI
    )


@given(days, st.integers(1, 20))
def test_between_a_day_and_its_deadline_lie_so_many_working_days(day, count):
    end = working_days_after(day, count)
    between = [day + timedelta(days=number) for number in range(1, (end - day).days + 1)]
    assert sum(map(is_working_day, between)) == count
    assert is_working_day(end)


@given(moments, st.lists(st.integers(1, 100), max_size=5), st.integers(-200, 200))
def test_reminders_are_in_order_and_none_holds_when_the_next_is_due(moment, hours, since):
    planned = reminders(moment, hours, moment + timedelta(hours=since))
    assert all(moment + timedelta(hours=since) < each.due < each.until <= moment for each in planned)
    assert all(one.until <= other.due for one, other in itertools.pairwise(planned))


def test_what_speaks_of_tomorrow_is_not_said_today():
    three = datetime(2026, 11, 25, 15, 0, tzinfo=SHANGHAI)
    assert reminders(three, [24, 2], three - timedelta(days=3)) == (
        Moment(hours_before=24, due=three - timedelta(days=1), until=three.replace(hour=0)),
        Moment(hours_before=2, due=three - timedelta(hours=2), until=three),
    )
