"""UTC inside, Asia/Shanghai at the edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for a naive datetime."""
    if moment.tzinfo is None:
        message = f"a datetime must know its zone: {moment!r}"
        raise ValueError(message)
    return moment.astimezone(UTC)


def local(moment: datetime) -> datetime:
    """The same moment as people at the university read it."""
    return to_utc(moment).astimezone(SHANGHAI)


def at(day: date, clock: time) -> datetime:
    """A clock time of a day in Shanghai."""
    return datetime.combine(day, clock, SHANGHAI)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Start of the day and of the next one, in Shanghai."""
    start = at(day, time())
    return start, start + timedelta(days=1)


_WEEKDAYS = "一二三四五六日"


def spoken_day(moment: datetime) -> str:
    """A day as people say it: 11月25日(周三)."""
    day = local(moment)
    return f"{day.month}月{day.day}日(周{_WEEKDAYS[day.weekday()]})"


def spoken(moment: datetime) -> str:
    """A moment as people say it: 11月25日(周三)14:00."""
    return f"{spoken_day(moment)}{local(moment):%H:%M}"
