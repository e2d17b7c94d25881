"""Limits are kept in every window, whatever was handed over before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.limits import GUARD, NO_LIMIT, PLATFORMS, Limits, Pace, Room, Used, Window, limits_of, openings, room
from bot.settings import ChannelLimits

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def used(window: Window, handed: list[datetime], now: datetime) -> Used:
    inside = [moment for moment in handed if moment > now - window.length]
    return Used(count=len(inside), oldest=min(inside, default=None))


def left(windows: tuple[Window, ...], handed: list[datetime], now: datetime, chat="private") -> Room:
    return room(windows, [used(window, handed, now) for window in windows], chat)


AT_ONCE = timedelta()
AHEAD = timedelta(milliseconds=100)


windows = st.lists(
    st.builds(Window, count=st.integers(1, 40), seconds=st.sampled_from([1.0, 5.0, 60.0])), min_size=1, max_size=3
).map(tuple)


@given(windows, st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 50)), max_size=40))
def test_no_window_ever_holds_more_than_it_may(limits, wanted):
    now = NOW
    handed: list[datetime] = []
    for pause, count in wanted:
        now += timedelta(milliseconds=pause)
        free = left(limits, handed, now)
        assert 0 <= free.bulk <= free.all
        handed += [now] * min(free.all, count)
    for window in limits:
        span = timedelta(seconds=window.seconds)
        assert all(sum(start <= moment < start + span for moment in handed) <= window.count for start in handed)


@given(windows, st.integers(0, 100))
def test_where_there_is_no_room_it_is_said_when_there_is_some_again(limits, count):
    handed: list[datetime] = []
    while (free := left(limits, handed, NOW)).bulk and len(handed) < count:
        handed.append(NOW)
    if not free.bulk:
        assert free.next_at is not None
        assert left(limits, handed, free.next_at).bulk > 0


@given(windows, st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 50)), max_size=40), st.sampled_from([0, 100]))
def test_calls_that_several_processes_pick_early_keep_every_window(limits, wanted, ahead):
    """Each counts what all have picked, and a call begins at the moment that was told when it was picked."""
    now, early = NOW, timedelta(milliseconds=ahead)
    begun: list[datetime] = []
    for pause, count in wanted:
        now += timedelta(milliseconds=pause)
        free = openings(limits, begun, now, early, spare=False)
        pace = Pace(limits, begun)
        picked = [pace.next(now) for _ in range(min(free.all, count))]
        assert all(now <= moment <= now + early for moment in picked)
        begun += picked
    begun.sort()
    for window in limits:
        assert all(late - soon >= window.length for soon, late in zip(begun, begun[window.count :], strict=False))


@given(windows, st.integers(0, 100), st.booleans())
def test_where_a_batch_must_wait_it_is_said_until_when(limits, count, spare):
    begun: list[datetime] = []
    while (free := openings(limits, begun, NOW, AHEAD, spare=spare)).bulk and len(begun) < count:
        begun.append(NOW)
    if not free.bulk:
        assert free.next_at is not None
        assert openings(limits, begun, free.next_at, AHEAD, spare=spare).bulk > 0


def test_a_batch_leaves_room_for_who_asks_meanwhile():
    second = (Window(count=30, seconds=1),)
    assert openings(second, [], NOW, AT_ONCE, spare=True) == Room(all=30, bulk=29)
    assert openings(second, [], NOW, AT_ONCE, spare=False) == Room(all=30, bulk=30)
    assert left((Window(count=20, seconds=60),), [], NOW, chat="group") == Room(all=20, bulk=16)
    assert left((Window(count=1, seconds=1),), [], NOW, chat="private") == Room(all=1, bulk=1)


def test_a_window_is_counted_a_little_longer_than_it_is():
    window = Window(count=1, seconds=1)
    assert left((window,), [NOW], NOW + timedelta(seconds=1)).all == 0
    assert left((window,), [NOW], NOW + timedelta(seconds=1) + GUARD).all == 1


def test_without_limits_there_is_room():
    assert left((), [NOW] * 1000, NOW).bulk > 1000
    assert openings((), [NOW] * 1000, NOW, AHEAD, spare=True) == NO_LIMIT


def test_an_operator_s_limits_and_what_is_known_of_platforms():
    given_limits = limits_of(ChannelLimits(per_second=30, private_per_second=1, group_per_minute=20, calls=8))
    assert given_limits == PLATFORMS["telegram"]
    assert limits_of(ChannelLimits()) == Limits()
    assert given_limits.inside("group") == (Window(count=20, seconds=60),)
    assert given_limits.longest == timedelta(seconds=60) + GUARD


@given(windows, st.lists(st.integers(0, 3000), max_size=200))
def test_calls_that_come_at_once_begin_one_after_the_other(limits, pauses):
    """Rows picked a while apart may reach the platform's client in the same moment: a slow machine bunches them."""
    pace, now, begun = Pace(limits), NOW, []
    for pause in pauses:
        now += timedelta(milliseconds=pause)
        begun.append(pace.next(now))
        assert begun[-1] >= now
    assert begun == sorted(begun)
    for window in limits:
        assert all(late - early >= window.length for early, late in zip(begun, begun[window.count :], strict=False))


@given(st.lists(st.integers(0, 3000), max_size=50))
def test_without_limits_nobody_waits(pauses):
    pace, now = Pace(()), NOW
    for pause in pauses:
        now += timedelta(milliseconds=pause)
        assert pace.next(now) == now
