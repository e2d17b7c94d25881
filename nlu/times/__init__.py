"""Chinese time expressions by the contract's conventions (Times): a text and now -> the times that it names.

Decisions that the conventions leave open:

* 早上 is 上午, 夜里 is 晚上; the small hours of an evening (今晚一点) are the next day's, 晚上12点 is its end.
* 月初 is the first three days of a month, 月中 is 中旬; 小年 is the 23rd of the last lunar month.
* 今年 and 2026年 are the whole year, 12月 the whole month; 2月29日 is none unless the year it falls in has it.
* The members of a list share what is said once: 周三和周四下午 is the afternoon of both days, 周三上午或下午 are two
  parts of one day, 下周三或周四 and 1月5号和8号 are of one week and month. Where other words stand between
  (周三上午不行，下午两点吧) the second has no day of its own: `day_named` is False, and the dialogue, which knows what
  was refused, may fill it.
* 02:30 with its zero is on the 24-hour clock, 2:30 is the afternoon's.
* 每周三 recurs and is no time, nor is the hour said of it (每周三下午两点); 过两天 and 一会儿 are too vague to be one.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from nlu.times import clockwords, countwords, daywords, feastwords
from nlu.times.clocks import DAY, minutes
from nlu.times.folding import fold
from nlu.times.grammar import Grammar
from nlu.times.model import Clock, Fragment, Node, NoSuchTimeError
from nlu.times.scanner import Scanner
from nlu.types import TimeMention

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

__all__ = ["impossible", "parse"]

_ZONE = "Asia/Shanghai"


@cache
def _scanner() -> Scanner:
    """Compile the patterns, at the first message and not at import."""
    return Scanner.of((*countwords.RULES, *feastwords.RULES, *daywords.RULES, *clockwords.RULES))


def parse(text: str, now: datetime) -> tuple[TimeMention, ...]:
    """Find the times named in a message.

    Args:
        text: the message as it was written.
        now: the moment from which 今天 and 下周三 count; any zone, taken to Asia/Shanghai.

    Returns:
        The mentions in order, apart from one another; `text[m.offset:][:len(m.text)] == m.text`.

    Raises:
        ValueError: `now` knows no zone.

    """
    return _read(text, now)[0]


def impossible(text: str, now: datetime) -> tuple[str, ...]:
    """Find what has the shape of a time and is none: 13点60分, 25点, 2月30日, 星期八.

    Args:
        text: the message as it was written.
        now: as for `parse`.

    Returns:
        The pieces of the text, in order. What lies in the past is possible.

    Raises:
        ValueError: `now` knows no zone.

    """
    return _read(text, now)[1]


def _read(text: str, now: datetime) -> tuple[tuple[TimeMention, ...], tuple[str, ...]]:
    if now.utcoffset() is None:
        raise ValueError("now must know its zone")
    local = now.astimezone(ZoneInfo(_ZONE))
    folded = fold(text)
    nodes = Grammar(folded, list(_scanner().scan(folded)), local.date()).nodes()
    mentions: list[TimeMention] = []
    none: list[str] = []
    for node in nodes:
        try:
            mentions.extend(_mentions(node, text, local))
        except (NoSuchTimeError, OverflowError):
            none.append(text[node.start : node.end])
    return tuple(mentions), tuple(none)


def _mentions(node: Node, text: str, now: datetime) -> Iterator[TimeMention]:
    """Resolve a node; a range that runs backwards (今天到昨天) is two times."""
    begin, end = _resolve(node, now)
    if end <= begin and node.last is not None:
        yield from _mentions(Node(first=node.first), text, now)
        yield from _mentions(Node(first=node.last), text, now)
        return
    named = node.first
    yield TimeMention(
        text=text[node.start : node.end],
        start=begin,
        end=end,
        kind="point" if begin == end else "span",
        offset=node.start,
        day_named=named.day is not None or named.moment is not None,
        clock_named=named.clock is not None
        or named.moment is not None
        or (node.last is not None and node.last.clock is not None),
    )


def _resolve(node: Node, now: datetime) -> tuple[datetime, datetime]:
    first, last = node.first, node.last
    if first.moment is not None:
        return first.moment(now)
    if last is not None and first.clock is None and last.clock is not None and last.clock.to is not None:
        # 周三到周五 14:00-16:00
        first = Fragment(start=first.start, end=first.end, day=first.day, clock=last.clock, rank=first.rank)
    begin, end = _span(first, now, now.date())
    if last is not None:
        last = _with_part(last, first.clock)
        end = _span(last, now, begin.date())[1]
    return begin, end


def _with_part(last: Fragment, clock: Clock | None) -> Fragment:
    """明天下午2点到后天4点: an hour with no part of the day takes the first one's."""
    own = last.clock
    if clock is None or own is None or own.part or own.literal or own.hour is None or own.hour > 12 or own.to:
        return last
    part = clock.part if clock.part in {"下午", "晚上"} else None
    moved = Clock(part=part, hour=own.hour, minute=own.minute)
    return Fragment(start=last.start, end=last.end, day=last.day, clock=moved, rank=last.rank)


def _span(fragment: Fragment, now: datetime, floor: date) -> tuple[datetime, datetime]:
    """Begin and end of a day, a clock, or both."""
    if fragment.day is None:
        return _today_or_tomorrow(fragment.clock or Clock(), now)
    first, last = fragment.day(now.date(), floor)
    if fragment.clock is None:
        return _at(first, 0, now), _at(last, DAY, now)
    begin, end = minutes(fragment.clock)
    if begin == end:
        return _at(first, begin, now), _at(first, begin, now)
    return _at(first, begin, now), _at(last, end, now)


def _today_or_tomorrow(clock: Clock, now: datetime) -> tuple[datetime, datetime]:
    """The contract: a clock time gone by today is tomorrow's. A part of the day has gone by when it is over."""
    begin, end = minutes(clock)
    today = now.date()
    gone = _at(today, end, now) <= now if clock.hour is None else _at(today, begin, now) < now
    shift = DAY if gone else 0
    return _at(now.date(), begin + shift, now), _at(now.date(), end + shift, now)


def _at(day: date, minute: int, now: datetime) -> datetime:
    return datetime.combine(day, time.min, tzinfo=now.tzinfo) + timedelta(minutes=minute)
