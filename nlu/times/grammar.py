"""Puts fragments together: a day and its hour, ranges, and what the members of a list share."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nlu.times.clocks import minutes
from nlu.times.days import beside, shifted
from nlu.times.daywords import TO, B
from nlu.times.model import Fragment, Node, NoSuchTimeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from nlu.times.model import Clock

_TO = re.compile(TO)
_BLANK = re.compile(B)
_SAME_CLOCK = re.compile(rf"{B}的?{B},?{B}")
_DAY_TO_CLOCK = re.compile(rf"{B}(?:[的,、t]|的?(?:那天|当天|那一天|当日|这天)的?)?{B}")
_OTHER_NAME = re.compile(rf"{B}[(]?{B}")
_CLOSE = re.compile(rf"{B}[)]")
_LIST = re.compile(rf"{B}(?:和|或者?|及|以及|跟|与|、|/|还是|,)?{B}")
_BESIDE = re.compile(rf"{B}之?以?[前后](?:的|的?那个?|的?(?:最后|第)?一个){B}")
_SHIFT = re.compile(rf"{B}的?(?:(?P<before>前一天|头一天|前一(?=[晚夜]))|后一天|第二天|次日|转天|翌日)")


class Grammar:
    """Reads the fragments of one text.

    Args:
        text: the folded text.
        fragments: what was found in it, in order.
        today: decides whether two names for a day agree (明天周三).

    """

    def __init__(self, text: str, fragments: Sequence[Fragment], today: date) -> None:
        self._text = text
        self._fragments = fragments
        self._today = today

    def nodes(self) -> list[Node]:
        """Build the mentions, in order and apart."""
        found: list[Node] = []
        at = 0
        while at < len(self._fragments):
            node, at = self._node(at)
            found.append(node)
        return self._inherit(self._share(found))

    def _gap(self, pattern: re.Pattern[str], left: Fragment | Node, at: int) -> bool:
        """Whether a fragment follows at index `at`, with nothing but `pattern` in between."""
        if at >= len(self._fragments):
            return False
        return pattern.fullmatch(self._text, left.end, self._fragments[at].start) is not None

    def _node(self, at: int) -> tuple[Node, int]:
        first, after = self._fragment(at)
        if first.day and self._gap(_TO, first, after) and self._fragments[after].day:
            last, beyond = self._fragment(after)
            return Node(first=first, last=last), beyond
        if first.clock and self._gap(_TO, first, after) and self._fragments[after].day:
            last, beyond = self._fragment(after)
            if last.clock:
                return Node(first=first, last=last), beyond
        return Node(first=first), after

    def _fragment(self, at: int) -> tuple[Fragment, int]:
        """A day with its other name, its shift and its clock; or a clock with its range."""
        found, after = self._fragments[at], at + 1
        if found.moment:
            return found, after
        if found.day and not found.clock:
            found, after = self._other_name(found, after)
            found, after = self._beside(self._moved(found), after)
            if self._gap(_DAY_TO_CLOCK, found, after) and self._is_clock(after):
                clock = self._fragments[after]
                found, after = replace(found, end=clock.end, clock=clock.clock), after + 1
        return self._clock(found, after)

    def _is_clock(self, at: int) -> bool:
        return self._fragments[at].clock is not None and self._fragments[at].day is None

    def _other_name(self, found: Fragment, after: int) -> tuple[Fragment, int]:
        """Take 周四 in 12月3日(周四) for another name of the day, if it is put in brackets or agrees."""
        if not self._gap(_OTHER_NAME, found, after):
            return found, after
        other = self._fragments[after]
        if other.day is None or other.clock is not None:
            return found, after
        opened = "(" in self._text[found.end : other.start]
        closed = _CLOSE.match(self._text, other.end) if opened else None
        if opened and closed is None:
            return found, after
        ranks = {found.rank, other.rank}
        sure = opened or ranks == {"date", "weekday"}
        if not (sure or ("weekday" in ranks and found.rank != other.rank and self._agree(found, other))):
            return found, after
        best = min((found, other), key=lambda each: ("date", "relative", "weekday").index(each.rank))
        return replace(best, start=found.start, end=closed.end() if closed else other.end), after + 1

    def _agree(self, one: Fragment, other: Fragment) -> bool:
        if one.day is None or other.day is None:
            return False
        try:
            return one.day(self._today, self._today) == other.day(self._today, self._today)
        except NoSuchTimeError:
            return False

    def _beside(self, found: Fragment, after: int) -> tuple[Fragment, int]:
        """元旦前那个周五 is the last Friday before New Year's Day."""
        if not self._gap(_BESIDE, found, after):
            return found, after
        weekday = self._fragments[after]
        if weekday.rank != "weekday" or found.day is None or weekday.day is None:
            return found, after
        days = -7 if "前" in self._text[found.end : weekday.start] else 1
        return replace(found, end=weekday.end, day=beside(found.day, weekday.day, days)), after + 1

    def _moved(self, found: Fragment) -> Fragment:
        shift = _SHIFT.match(self._text, found.end)
        if shift is None or found.day is None:
            return found
        return replace(found, end=shift.end(), day=shifted(found.day, -1 if shift["before"] else 1), rank="date")

    def _clock(self, found: Fragment, after: int) -> tuple[Fragment, int]:
        """Give a part of the day its hour (晚上 8点), and an hour its end (到10点)."""
        found, after = self._with_hour(found, after)
        clock = found.clock
        if clock is None or clock.to or not self._gap(_TO, found, after) or not self._is_clock(after):
            return found, after
        end, beyond = self._with_hour(self._fragments[after], after + 1)
        if end.clock is None or end.clock.to:
            return found, after
        return replace(found, end=end.end, clock=replace(clock, to=end.clock)), beyond

    def _with_hour(self, found: Fragment, after: int) -> tuple[Fragment, int]:
        part = found.clock
        if part is None or part.hour is not None or part.to or not self._gap(_SAME_CLOCK, found, after):
            return found, after
        hour = self._fragments[after].clock
        if not self._is_clock(after) or hour is None or hour.hour is None or (hour.part and hour.part != part.part):
            return found, after
        merged = replace(hour, part=part.part)
        return replace(found, end=self._fragments[after].end, clock=merged), after + 1

    # --- lists

    def _listed(self, left: Node, right: Node, *, conjunction: bool) -> bool:
        gap = self._text[left.end : right.start]
        if _LIST.fullmatch(gap) is None or left.last or right.last:
            return False
        return gap.strip() not in {"", ","} if conjunction else True

    def _share(self, nodes: list[Node]) -> list[Node]:
        """周三和周四下午 is the afternoon of both days."""
        for at in range(len(nodes) - 2, -1, -1):
            left, right = nodes[at].first, nodes[at + 1].first
            if left.day and not left.clock and right.day and right.clock and self._listed(
                nodes[at], nodes[at + 1], conjunction=True
            ):  # fmt: skip
                nodes[at] = Node(first=replace(left, clock=right.clock))
        return nodes

    def _inherit(self, nodes: list[Node]) -> list[Node]:
        """周三上午或下午, 晚上七点或八点: the second one is of the first one's day and part of the day."""
        for at in range(1, len(nodes)):
            left, right = nodes[at - 1].first, nodes[at].first
            if (
                not left.clock
                or not right.clock
                or right.day
                or not self._listed(nodes[at - 1], nodes[at], conjunction=False)
            ):
                continue
            nodes[at] = Node(first=replace(right, day=left.day, clock=_in_part_of(left.clock, right.clock)))
        return nodes


def _in_part_of(left: Clock, right: Clock) -> Clock:
    """Give an hour the part of the day of the hour before it, where it can be of that part."""
    if left.part is None or right.part or right.literal or right.hour is None or right.hour > 12:
        return right
    moved = replace(right, part=left.part)
    try:
        begin = minutes(replace(moved, to=None))[0]
    except NoSuchTimeError:
        return right
    return moved if left.part in {"下午", "傍晚", "晚上", "凌晨"} or begin >= 6 * 60 else right
