"""What may be said at a moment: every rule, over a whole year of moments."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.core.zones import SHANGHAI, local
from bot.delivery.rules import Facts, Later, Never, Now, Rules, judge, quiet_until

RULES = Rules()
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)
NIGHT = datetime(2026, 11, 22, 23, 30, tzinfo=SHANGHAI)
MORNING = datetime(2026, 11, 23, 7, 30, tzinfo=SHANGHAI)

moments = st.datetimes(datetime(2026, 11, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=SHANGHAI))  # noqa: DTZ001 - hypothesis wants naive bounds
clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
rules = st.builds(Rules, quiet_from=clocks, quiet_until=clocks, news_per_day=st.integers(0, 3))


def quiet(rules: Rules, clock: time) -> bool:
    """As a person would say it."""
    begins, ends = rules.quiet_from, rules.quiet_until
    return begins <= clock < ends if begins <= ends else not ends <= clock < begins


@given(rules, moments)
def test_news_wait_for_the_first_moment_that_is_not_quiet(rules, now):
    verdict = judge(Facts(kind="news"), rules, now)
    if not quiet(rules, local(now).time()):
        assert verdict == Now()
        return
    assert isinstance(verdict, Later)
    assert now < verdict.until <= now + timedelta(days=1)
    assert local(verdict.until).time() == rules.quiet_until
    assert judge(Facts(kind="news"), rules, verdict.until) == Now()


@given(rules, moments, st.lists(st.integers(0, 8 * 24 * 60), max_size=12))
def test_whatever_waits_for_the_cap_is_said_in_the_end(rules, now, minutes):
    news = [now - timedelta(minutes=each) for each in minutes]
    facts = Facts(kind="news", news=news)
    for _ in range(9):
        verdict = judge(facts, rules, now)
        if verdict == Now():
            today = [each for each in news if local(each).date() == local(now).date()]
            assert not rules.news_per_day or len(today) < rules.news_per_day
            assert sum(each > now - timedelta(days=7) for each in news) < rules.news_per_week
            return
        assert isinstance(verdict, Later)
        assert verdict.until > now
        now = verdict.until
    pytest.fail("never said")


@pytest.mark.parametrize("kind", ["reply", "alert", "service"])
def test_what_somebody_waits_for_is_said_at_any_hour(kind):
    many = Facts(kind=kind, wishes={"": "none"}, news=[NIGHT] * 50)
    assert judge(many, RULES, NIGHT) == Now()


def test_news_that_are_stale_by_morning_are_not_said_and_the_rule_is_named():
    stale = Facts(kind="news", expires_at=MORNING)
    assert judge(stale, RULES, NIGHT) == Never(state="suppressed", rule="quiet_hours")
    assert judge(Facts(kind="news", expires_at=MORNING + timedelta(minutes=1)), RULES, NIGHT) == Later(
        until=MORNING, rule="quiet_hours"
    )


def test_a_reminder_waits_for_the_morning_unless_it_is_too_late_then():
    assert judge(Facts(kind="reminder", expires_at=MORNING + timedelta(hours=1)), RULES, NIGHT) == Later(
        until=MORNING, rule="quiet_hours"
    )
    assert judge(Facts(kind="reminder", expires_at=MORNING), RULES, NIGHT) == Now()


@pytest.mark.parametrize("kind", ["reply", "alert", "service", "reminder", "news"])
def test_what_is_over_is_not_said(kind):
    assert judge(Facts(kind=kind, expires_at=NOON), RULES, NOON) == Never(state="expired")


@pytest.mark.parametrize(
    ("wishes", "rule"),
    [
        ({"": "none"}, "unsubscribed"),
        ({"lectures": "none"}, "unsubscribed"),
        ({"": "none", "lectures": "all"}, None),
        ({"": "digest"}, "digest"),
        ({"": "all", "lectures": "digest"}, "digest"),
        ({"sports": "none"}, None),
    ],
)
def test_the_wish_for_a_topic_comes_before_the_wish_for_all(wishes, rule):
    verdict = judge(Facts(kind="news", topic="lectures", wishes=wishes), RULES, NOON)
    assert verdict == (Now() if rule is None else Never(state="suppressed", rule=rule))


def test_the_cap_of_the_day_ends_with_the_morning_after():
    full = Facts(kind="news", news=[NOON - timedelta(hours=hour) for hour in (1, 2, 3)])
    assert judge(full, RULES, NOON) == Later(until=MORNING, rule="cap")
    assert judge(full, RULES, MORNING) == Now()


def test_the_cap_of_the_week_ends_when_the_first_is_a_week_old():
    news = [NOON - timedelta(days=6, hours=-number) for number in range(10)]
    verdict = judge(Facts(kind="news", news=news), RULES, NOON)
    assert verdict == Later(until=NOON + timedelta(days=1), rule="cap")


def test_equal_times_are_never_quiet():
    always = Rules(quiet_from=time(9), quiet_until=time(9))
    assert quiet_until(always, NIGHT) is None
    assert quiet_until(RULES, MORNING) is None
