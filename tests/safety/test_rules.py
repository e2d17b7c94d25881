"""Duty hours, for every setting and every moment."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.core.errors import ConfigurationError
from actions.core.zones import SHANGHAI
from actions.safety import SafetyRules

CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
ZONES = st.sampled_from([ZoneInfo(name) for name in ("UTC", "Asia/Shanghai", "America/New_York", "Asia/Kolkata")])
DAY = date(2026, 11, 23)


def rules(opens: time, closes: time) -> SafetyRules:
    return SafetyRules(campus_line="0516", opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}")


@given(CLOCKS, CLOCKS, st.times())
def test_duty_is_from_the_opening_to_the_closing_even_past_midnight(opens, closes, clock):
    start = datetime.combine(DAY, opens, SHANGHAI)
    length = (datetime.combine(DAY, closes, SHANGHAI) - start) % timedelta(days=1) or timedelta(days=1)
    since = (datetime.combine(DAY, clock, SHANGHAI) - start) % timedelta(days=1)
    assert rules(opens, closes).on_duty(datetime.combine(DAY, clock, SHANGHAI)) == (since < length)


@given(CLOCKS, CLOCKS, st.datetimes(datetime(2026, 1, 1), timezones=ZONES))  # noqa: DTZ001
def test_duty_does_not_depend_on_the_zone_of_the_clock(opens, closes, now):
    assert rules(opens, closes).on_duty(now) == rules(opens, closes).on_duty(now.astimezone(SHANGHAI))


@pytest.mark.parametrize("value", ["8am", "25:00", ""])
def test_hours_that_are_none_name_their_setting(value: str):
    with pytest.raises(ConfigurationError, match=r"safety\.opens"):
        SafetyRules(campus_line="0516", opens=value)
    with pytest.raises(ConfigurationError, match=r"safety\.closes"):
        SafetyRules(campus_line="0516", closes=value)
