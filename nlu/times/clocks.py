"""Minutes of the day for an hour, a part of the day, or a range of hours; the conventions are the contract's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlu.times.model import NoSuchTimeError

if TYPE_CHECKING:
    from nlu.times.model import Clock, Part

HALF_DAY = 12 * 60
DAY = 24 * 60
SPANS: dict[Part, tuple[int, int]] = {
    "凌晨": (0, 6), "上午": (6, 12), "中午": (11, 13), "下午": (12, 18), "傍晚": (17, 19), "晚上": (18, 24),
}  # fmt: skip


def minutes(clock: Clock) -> tuple[int, int]:
    """Place a clock on its day.

    Args:
        clock: a part, an hour, or a range of them.

    Returns:
        Begin and end in minutes from the day's midnight, equal for a point. Beyond 1440 is the next day (晚上12点).

    Raises:
        NoSuchTimeError: no clock shows it (13点60分, 25点).

    """
    begin, end = _own(clock)
    return (begin, end) if clock.to is None else (begin, _end_of_range(clock.to, begin))


def _own(clock: Clock) -> tuple[int, int]:
    if clock.hour is None:
        first, last = SPANS[clock.part or "上午"]
        return first * 60, last * 60
    if clock.minute > 59 or clock.hour * 60 + clock.minute > DAY:
        raise NoSuchTimeError(f"{clock.hour}:{clock.minute}")
    at = (clock.hour if clock.literal else _hour(clock.hour, clock.part)) * 60 + clock.minute
    return at, at


_FIRST_HOUR: dict[Part | None, int] = {None: 7, "凌晨": 0, "上午": 1, "中午": 10, "下午": 12, "傍晚": 12, "晚上": 17}


def _hour(hour: int, part: Part | None) -> int:
    """Read an hour: the first one that shows so on the clock's face in that part of the day.

    Bare, 1-6 are the afternoon's and 7-12 as said; the small hours of an evening (晚上一点) are the next day's.
    """
    if hour > 12 or (hour == 0 and part is None):
        return hour
    shown = hour % 12
    while shown < _FIRST_HOUR[part]:
        shown += 12
    return shown


def _end_of_range(end: Clock, begin: int) -> int:
    """The contract: the second hour has the first one's part of the day, or is the next such hour.

    Both say the same: of the hours that the clock's face shows so, the first one after `begin`.
    """
    at, until = _own(end)
    if end.hour is None or end.literal or end.part is not None or end.hour > 12:
        return until if until > begin else until + DAY
    at = at % HALF_DAY
    while at <= begin:
        at += HALF_DAY
    return at
