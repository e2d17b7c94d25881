"""Which times a calendar has: hours, buffers, breaks, weekdays, holidays, closures."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from actions.appointments.calendar import starts, starts_between
from actions.appointments.rules import WEEKDAYS, AppointmentRules, CalendarSpec, Closure
from actions.core.zones import at

RULES = AppointmentRules(minutes=50, buffer_minutes=10)
DAY = {"start": "09:00", "end": "18:00"}
WEDNESDAY = date(2026, 11, 25)


def spec(*hours, **more) -> CalendarSpec:
    return CalendarSpec.model_validate({"hours": hours or [DAY], **more})


def clocks(calendar: CalendarSpec, day: date = WEDNESDAY, rules: AppointmentRules = RULES) -> list[str]:
    return [f"{start:%H:%M}" for start in starts(calendar, rules, day)]


def test_the_demo_world_s_counsellors():
    """The contract: 09:00, 10:00, 14:00, 15:00, 16:00, 17:00."""
    calendar = spec({"start": "09:00", "end": "11:00"}, {"start": "14:00", "end": "18:00"})
    assert clocks(calendar) == ["09:00", "10:00", "14:00", "15:00", "16:00", "17:00"]


def test_the_last_slot_ends_in_time_and_needs_no_buffer_after_it():
    assert clocks(spec({"start": "09:00", "end": "10:50"})) == ["09:00", "10:00"]
    assert clocks(spec({"start": "09:00", "end": "10:49"})) == ["09:00"]


def test_a_break_takes_the_slots_that_it_touches():
    calendar = spec(breaks=[{"start": "11:30", "end": "13:30"}, {"start": "16:50", "end": "17:00", "days": ["wed"]}])
    assert clocks(calendar) == ["09:00", "10:00", "14:00", "15:00", "16:00", "17:00"]
    tight = spec(breaks=[{"start": "16:49", "end": "17:01", "days": ["wed"]}])
    assert "16:00" not in clocks(tight)
    assert "17:00" not in clocks(tight)
    assert "16:00" in clocks(tight, WEDNESDAY + timedelta(days=1))


def test_weekdays():
    calendar = spec({**DAY, "days": ["tue", "thu"]}, works="daily")
    week = [date(2026, 11, 23) + timedelta(days=number) for number in range(7)]
    assert [bool(clocks(calendar, day)) for day in week] == [False, True, False, True, False, False, False]


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2026, 9, 30), True),
        *[(date(2026, 10, number), False) for number in range(1, 8)],
        (date(2026, 10, 8), True),
        (date(2026, 10, 10), True),  # a Saturday that is worked
        (date(2026, 10, 11), False),
        (date(2026, 2, 14), True),  # a Saturday that is worked
        (date(2026, 2, 16), False),
        (date(2026, 2, 24), True),
        (date(2060, 10, 1), True),  # not published: a Friday is a Friday
        (date(2060, 10, 2), False),
    ],
    ids=str,
)
def test_working_days_are_those_of_the_state_council(day: date, open_: bool):
    assert bool(clocks(spec(), day)) is open_
    assert clocks(spec(works="daily"), day) == clocks(spec(works="daily"), WEDNESDAY)


def test_a_worked_saturday_has_the_hours_of_saturdays():
    calendar = spec({**DAY, "days": ["mon", "tue", "wed", "thu", "fri"]})
    assert clocks(calendar, date(2026, 10, 10)) == []


def test_a_closure_is_half_open():
    leave = {"start": at(WEDNESDAY, time(10)), "end": at(WEDNESDAY, time(15))}
    calendar = spec(closures=[leave])
    assert clocks(calendar) == ["09:00", "15:00", "16:00", "17:00"]
    assert clocks(calendar, WEDNESDAY + timedelta(days=1)) == clocks(spec())
    in_utc = [{key: value.astimezone(UTC) for key, value in leave.items()}]
    assert clocks(spec(closures=in_utc)) == clocks(calendar)


def test_a_slot_that_a_closure_merely_touches_is_gone():
    leave = {"start": at(WEDNESDAY, time(9, 49)), "end": at(WEDNESDAY, time(10, 1))}
    assert clocks(spec(closures=[leave]))[:1] == ["11:00"]


def test_a_window_includes_its_start_and_not_its_end():
    low, high = at(WEDNESDAY, time(10)), at(WEDNESDAY + timedelta(days=1), time(9))
    found = list(starts_between(spec(), RULES, low, high))
    assert (found[0], found[-1]) == (low, at(WEDNESDAY, time(17)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": [{"start": "18:00", "end": "09:00"}]},
        {"hours": [{"start": "09:00", "end": "09:00"}]},
        {"hours": [DAY], "capacity": 0},
        {"hours": [DAY], "works": "sometimes"},
        {"hours": [{**DAY, "days": ["wednesday"]}]},
        {"hours": [DAY], "closures": [{"start": "2026-11-25T10:00:00", "end": "2026-11-25T11:00:00"}]},
        {"hours": [DAY], "closures": [{"start": "2026-11-25T10:00:00+08:00", "end": "2026-11-25T10:00:00+08:00"}]},
        {"hours": [DAY], "capasity": 3},
    ],
    ids=str,
)
def test_a_calendar_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        CalendarSpec.model_validate(wrong)


# --- rules that hold for any calendar


def clock_times() -> st.SearchStrategy[time]:
    return st.integers(0, 24 * 12 - 1).map(lambda number: time(number // 12, number % 12 * 5))


@st.composite
def hours(draw) -> dict[str, object]:
    start, end = sorted(draw(st.lists(clock_times(), min_size=2, max_size=2, unique=True)))
    days = draw(st.lists(st.sampled_from(WEEKDAYS), max_size=3, unique=True))
    return {"start": start, "end": end, "days": days}


@st.composite
def calendars(draw) -> CalendarSpec:
    moments = st.integers(0, 14 * 24).map(lambda number: at(date(2026, 9, 24), time()) + timedelta(hours=number))
    pairs = draw(st.lists(st.lists(moments, min_size=2, max_size=2, unique=True).map(sorted), max_size=2))
    return CalendarSpec.model_validate(
        {
            "hours": draw(st.lists(hours(), min_size=1, max_size=2)),
            "breaks": draw(st.lists(hours(), max_size=2)),
            "works": draw(st.sampled_from(["daily", "working_days"])),
            "closures": [{"start": low, "end": high} for low, high in pairs],
        }
    )


lengths = st.builds(
    lambda minutes, buffer: AppointmentRules(minutes=minutes, buffer_minutes=buffer),
    st.sampled_from([25, 50, 60, 90]),
    st.sampled_from([0, 10, 15]),
)
days = st.integers(0, 13).map(lambda number: date(2026, 9, 24) + timedelta(days=number))


@given(calendars(), lengths, days)
def test_slots_lie_within_hours_and_outside_of_breaks_and_closures(calendar, rules, day):
    length = timedelta(minutes=rules.minutes)
    for start in starts(calendar, rules, day):
        end = start + length
        on = [item for item in calendar.hours if not item.days or WEEKDAYS[day.weekday()] in item.days]
        assert any(at(day, item.start) <= start and end <= at(day, item.end) for item in on)
        assert not any(closure.covers(start, end) for closure in calendar.closures)
        resting = [item for item in calendar.breaks if not item.days or WEEKDAYS[day.weekday()] in item.days]
        assert not any(start < at(day, item.end) and at(day, item.start) < end for item in resting)
        assert start.utcoffset() == timedelta(hours=8)


@given(calendars(), lengths, days)
def test_between_two_slots_of_the_same_hours_lies_the_buffer(calendar, rules, day):
    single = calendar.model_copy(update={"hours": calendar.hours[:1]})
    found = list(starts(single, rules, day))
    least = timedelta(minutes=rules.minutes + rules.buffer_minutes)
    assert all(later - earlier >= least for earlier, later in pairwise(found))


@given(calendars(), lengths, st.integers(0, 300), st.integers(1, 300))
def test_a_window_is_the_days_it_spans(calendar, rules, begin, length):
    low = at(date(2026, 9, 24), time()) + timedelta(hours=begin)
    high = low + timedelta(hours=length)
    every = [
        start
        for number in range(30)
        for start in starts(calendar, rules, date(2026, 9, 24) + timedelta(days=number))
        if low <= start < high
    ]
    assert list(starts_between(calendar, rules, low, high)) == every
    assert list(starts_between(calendar, rules, low.astimezone(UTC), high.astimezone(UTC))) == every


_edges = st.integers(0, 100).map(lambda number: at(WEDNESDAY, time()) + timedelta(hours=number))
_spans = st.lists(_edges, min_size=2, max_size=2, unique=True).map(sorted)


@given(_spans, _spans, _edges)
def test_what_is_opened_again_is_open_and_the_rest_stays_closed(closed, opened, moment: datetime):
    closure = Closure(start=closed[0], end=closed[1], reason="年假")
    left = closure.less(*opened)
    hour = moment + timedelta(hours=1)
    was, again = closure.covers(moment, hour), opened[0] <= moment < opened[1]
    assert any(part.covers(moment, hour) for part in left) is (was and not again)
    assert all(part.reason == "年假" for part in left)
