"""Whether something may be said now: what the member wants, quiet hours, the cap. Pure functions of the moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, TypeAlias

from actions.core.zones import at, local, to_utc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What the union has set: clock times between which it is quiet, and how much news a member gets.

    Equal times mean that it is never quiet; 0 is no cap.
    """

    quiet_from: time = time(22)
    quiet_until: time = time(7, 30)
    news_per_day: int = 3
    news_per_week: int = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of a row and its recipient.

    `wishes` are theirs by topic (`Wish.wants`), `news` the moments at which they got news within the last week.
    """

    kind: str
    topic: str = ""
    expires_at: datetime | None = None
    wishes: Mapping[str, str] = field(default_factory=dict)
    news: Sequence[datetime] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Now:
    """It may be said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """It waits until a moment, because of a rule."""

    until: datetime
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Never:
    """It is not said: its state from now on, and the rule."""

    state: str
    rule: str = ""


Verdict: TypeAlias = "Now | Later | Never"


def judge(facts: Facts, rules: Rules, now: datetime) -> Verdict:
    """Whether a row is said at `now`.

    Rules in order: `expired`; of news `unsubscribed` and `digest` (what the member wants of its topic, else of all);
    `quiet_hours` for news and reminders; `cap` for news. A reminder that would come too late after the quiet hours is
    said within them; news are not said at all then.
    """
    if facts.expires_at is not None and facts.expires_at <= now:
        return Never(state="expired")
    kinds = {"reminder": _patiently, "news": _considerately}
    return kinds[facts.kind](facts, rules, now) if facts.kind in kinds else Now()


def _considerately(facts: Facts, rules: Rules, now: datetime) -> Verdict:
    wants = facts.wishes.get(facts.topic, facts.wishes.get("", "all"))
    if wants != "all":
        return Never(state="suppressed", rule="digest" if wants == "digest" else "unsubscribed")
    later = _latest(quiet_until(rules, now), _capped_until(facts, rules, now))
    if later is None:
        return Now()
    if facts.expires_at is not None and facts.expires_at <= later.until:
        return Never(state="suppressed", rule=later.rule)
    return later


def _patiently(facts: Facts, rules: Rules, now: datetime) -> Verdict:
    later = quiet_until(rules, now)
    if later is None or (facts.expires_at is not None and facts.expires_at <= later.until):
        return Now()
    return later


def _latest(*laters: Later | None) -> Later | None:
    return max(filter(None, laters), key=lambda later: later.until, default=None)


def quiet_until(rules: Rules, now: datetime) -> Later | None:
    """When the quiet hours end that `now` falls into; None outside them."""
    here = local(now)
    clock = here.time()
    begins, ends = rules.quiet_from, rules.quiet_until
    over_midnight = begins > ends
    quiet = (clock >= begins or clock < ends) if over_midnight else begins <= clock < ends
    if not quiet:
        return None
    day = here.date() + timedelta(days=1) if over_midnight and clock >= begins else here.date()
    return Later(until=to_utc(at(day, ends)), rule="quiet_hours")


def _capped_until(facts: Facts, rules: Rules, now: datetime) -> Later | None:
    """The next morning on which the caps leave room; within a day the day counts, within a week any seven days."""
    today = local(now).date()
    same_day = [moment for moment in facts.news if local(moment).date() == today]
    lately = sorted(moment for moment in facts.news if moment > now - _WEEK)
    day = week = None
    if rules.news_per_day and len(same_day) >= rules.news_per_day:
        day = _morning(rules, at(today + timedelta(days=1), rules.quiet_until))
    if rules.news_per_week and len(lately) >= rules.news_per_week:
        week = _morning(rules, lately[-rules.news_per_week] + _WEEK)
    return _latest(day, week)


def _morning(rules: Rules, moment: datetime) -> Later:
    """The first moment from `moment` on at which it is not quiet."""
    quiet = quiet_until(rules, moment)
    return Later(until=quiet.until if quiet else to_utc(moment), rule="cap")
