"""UTC inside, Shanghai at the edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.core.zones import SHANGHAI, at, day_bounds, local, spoken, spoken_day, to_utc

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(moments)
def test_a_moment_is_the_same_in_any_zone(moment: datetime):
    assert local(moment) == to_utc(moment) == moment
    assert (local(moment).tzinfo, to_utc(local(moment)).tzinfo) == (SHANGHAI, UTC)
    low, high = day_bounds(local(moment).date())
    assert low <= moment < high
    assert high - low == timedelta(days=1)


def test_a_naive_time_is_refused():
    naive = datetime(2026, 11, 25, 14, 0)  # noqa: DTZ001 - what is refused
    for read in (to_utc, local, spoken, spoken_day):
        with pytest.raises(ValueError, match="must know its zone"):
            read(naive)


def test_times_as_people_say_them():
    moment = datetime(2026, 11, 24, 16, 5, tzinfo=UTC)
    assert (spoken(moment), spoken_day(moment)) == ("11月25日(周三)00:05", "11月25日(周三)")
    assert at(date(2026, 11, 25), time(14)).isoformat() == "2026-11-25T14:00:00+08:00"
