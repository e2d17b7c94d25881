"""Times that were said, held against records: rules that hold for every time."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from actions.core.life import Item
from actions.core.zones import SHANGHAI, local
from actions.records import _anchored, _at_clock, _wider, _within
from tests.records.world import wish

MOMENTS = st.integers(0, 730 * 24 * 12).map(
    lambda steps: datetime(2026, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=5 * steps)
)
LENGTHS = st.none() | st.integers(1, 24).map(lambda hours: timedelta(hours=hours))


def item(start: datetime) -> Item:
    return Item(ref="appointment:1", service="counseling", title="心理咨询", state="booked", starts_at=start)


@given(MOMENTS, MOMENTS, LENGTHS)
def test_a_time_with_no_day_lands_on_the_records_day_and_keeps_clock_and_length(start, own, length):
    said = wish(start, start + length if length else None, day_named=False)
    moved = _anchored(said, item(own))
    low, high = datetime.fromisoformat(moved["start"]), datetime.fromisoformat(moved["end"])
    assert (local(low).date(), local(low).time()) == (own.date(), start.time())
    assert high - low == (length or timedelta())
    assert _anchored(moved, item(own)) == moved


@given(MOMENTS, MOMENTS, LENGTHS)
def test_a_time_with_a_day_is_left_as_it_is(start, own, length):
    said = wish(start, start + length if length else None)
    assert _anchored(said, item(own)) == said


@given(MOMENTS, MOMENTS)
def test_a_record_is_at_its_own_time_and_within_its_own_day_only(start, own):
    assert _within(item(own), wish(own))
    assert _within(item(own), wish(own, text="四点", day_named=False))
    assert _within(item(own), wish(start)) == (start == own)
    day = start.replace(hour=0, minute=0)
    assert _within(item(own), wish(day, day + timedelta(days=1))) == (start.date() == own.date())


@given(MOMENTS)
def test_what_has_no_time_is_at_none(start):
    timeless = Item(ref="case:1", service="idea", title="金点子", state="review")
    assert not _within(timeless, wish(start))
    assert _anchored(wish(start, day_named=False), timeless) == wish(start, day_named=False)


@given(MOMENTS, LENGTHS)
def test_each_window_holds_the_one_before_it(start, length):
    windows = list(_wider(wish(start, start + length if length else None)))
    assert (len(windows), windows[-1]) == (4, None)
    lows = [datetime.fromisoformat(window["start"]) for window in windows[:-1] if window]
    assert lows[1] == lows[2] <= lows[0]
    assert list(_wider(None)) == [None]


@given(MOMENTS, st.times())
def test_a_clock_makes_a_point_of_one_day_and_of_nothing_longer(start, clock):
    day = start.replace(hour=0, minute=0)
    kept = f"{clock:%H:%M}"
    point = _at_clock(wish(day, day + timedelta(days=1), clock=kept))
    assert point is not None
    assert (point["kind"], point["start"], point["start"][:10]) == ("point", point["end"], day.date().isoformat())
    assert datetime.fromisoformat(point["start"]).strftime("%H:%M") == kept
    assert _at_clock(wish(day, day + timedelta(days=7), clock=kept)) is None
    assert _at_clock(wish(day, day + timedelta(days=1))) is None
