"""The pieces that a time expression is made of, before a calendar day and an hour come of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

Days: TypeAlias = tuple[date, date]
"""First and last day, both included."""

DayRule: TypeAlias = Callable[[date, date], Days]
"""(today, floor) -> days. `floor` is the day before which a forward-looking day may not lie: today, or the first
day of a range for the second one. Raises NoSuchTimeError where the calendar has no such day."""

Moment: TypeAlias = Callable[[datetime], tuple[datetime, datetime]]
"""now -> begin and end, for what is counted from this very minute."""

Part = Literal["凌晨", "上午", "中午", "下午", "傍晚", "晚上"]

Rank = Literal["weekday", "relative", "date"]
"""How exactly a day is named; of two names for one day (12月3日周四) the more exact one counts."""


class NoSuchTimeError(ValueError):
    """The text has the shape of a time, but no calendar or clock has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """A part of the day, an hour, or both; `to` is the end of a range of hours.

    `minute` is below zero in 差五分三点. `literal` is an hour on the 24-hour clock (09:00, 5am), which no part of
    the day moves.
    """

    part: Part | None = None
    hour: int | None = None
    minute: int = 0
    literal: bool = False
    to: Clock | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fragment:
    """What one pattern found at text[start:end]: a day, a clock, both (明晚), or a moment.

    `again` makes the rule of another day of the same week or month from its number alone, for the days that are
    listed after this one: 三 in 下周一、三, 6号 in 1月5号和6号. `series` tells which of the two the number counts.
    """

    start: int
    end: int
    day: DayRule | None = None
    clock: Clock | None = None
    moment: Moment | None = None
    rank: Rank = "date"
    series: Literal["weekday", "day", ""] = ""
    again: Callable[[int], DayRule] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One mention: a fragment put together, and the end of its range of days where it has one."""

    first: Fragment
    last: Fragment | None = None

    @property
    def start(self) -> int:
        """Where the mention begins, in code points."""
        return self.first.start

    @property
    def end(self) -> int:
        """Where the mention ends, in code points."""
        return (self.last or self.first).end
