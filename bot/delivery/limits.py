"""How often a platform lets us speak: sliding windows, counted from what was handed over. Pure."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.messages import Chat
    from bot.settings import ChannelLimits

#: A message may travel a little faster than the one before it: windows are counted this much longer than they are.
GUARD = timedelta(milliseconds=20)
#: A batch leaves room for who asks meanwhile: a fiftieth of what a channel may say, a fifth of what one group may hear.
_SPARE, _SPARE_IN_A_PLACE = 20, 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """At most `count` messages in any `seconds`."""

    count: int
    seconds: float

    @property
    def length(self) -> timedelta:
        """How far back it looks."""
        return timedelta(seconds=self.seconds) + GUARD


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Of one channel: over all conversations, in one private chat, in one group; `in_flight` calls at a time.

    When a worker dies, nobody knows of the calls in flight whether they arrived: more than it takes to keep up with
    the platform are of no use.
    """

    overall: tuple[Window, ...] = ()
    private: tuple[Window, ...] = ()
    group: tuple[Window, ...] = ()
    in_flight: int = 16

    def inside(self, chat: str) -> tuple[Window, ...]:
        """The windows of one conversation."""
        return self.group if chat == "group" else self.private

    @property
    def all(self) -> tuple[Window, ...]:
        """Every window."""
        return (*self.overall, *self.private, *self.group)

    @property
    def longest(self) -> timedelta:
        """How far back any of them looks."""
        return max((window.length for window in self.all), default=timedelta())


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """What a window holds at the moment: how many messages, and when the oldest of them was handed over."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """How many more messages fit: in all, and of a batch. `next_at` is when there is more room, where there is none."""

    all: int
    bulk: int
    next_at: datetime | None = None


class Pace:
    """When calls may begin, one after the other, so that no window holds more than it may.

    Args:
        windows: the limits.
        begun: when earlier calls began, or are to begin.

    """

    def __init__(self, windows: Sequence[Window], begun: Iterable[datetime] = ()) -> None:
        self._windows = windows
        self._most = max((window.count for window in windows), default=0)
        self._begun = sorted(begun)

    def next(self, now: datetime) -> datetime:
        """The moment, not before `now`, at which one more call begins; it is taken."""
        held = (window for window in self._windows if len(self._begun) >= window.count)
        begins = max([now, *(self._begun[-window.count] + window.length for window in held)])
        insort(self._begun, begins)
        del self._begun[: -self._most or None]
        return begins


def openings(
    windows: Sequence[Window], begun: Sequence[datetime], now: datetime, ahead: timedelta, *, spare: bool
) -> Room:
    """How many calls may begin from `now` until so far `ahead`, over all conversations.

    Args:
        windows: the limits.
        begun: when earlier calls began, or are to begin.
        now: the moment.
        ahead: how early a call may be picked.
        spare: whether a batch leaves some room to who asks meanwhile.

    """
    if not windows:
        return NO_LIMIT
    pace, last = Pace(windows, begun), now + ahead
    kept = min(map(_spare, windows)) if spare else 0
    moments = [pace.next(now)]
    while moments[-1] <= last or len(moments) <= kept:
        moments.append(pace.next(now))
    free = sum(moment <= last for moment in moments)
    bulk = max(free - kept, 0)
    return Room(all=free, bulk=bulk, next_at=None if bulk else moments[kept] - ahead)


#: What platforms are known to allow. Telegram: its frequently asked questions; group robots of WeCom: their document.
#: WeChat says nothing of personal accounts but that it bans them: these are the steps of a person who types fast.
PLATFORMS: Mapping[str, Limits] = {
    "telegram": Limits(
        overall=(Window(count=30, seconds=1),),
        private=(Window(count=1, seconds=1),),
        group=(Window(count=20, seconds=60),),
        in_flight=8,
    ),
    "wecom": Limits(group=(Window(count=20, seconds=60),)),
    "wechaty": Limits(
        overall=(Window(count=2, seconds=1),),
        group=(Window(count=10, seconds=60),),
        in_flight=4,
    ),
    "email": Limits(in_flight=4),
}


def limits_of(given: ChannelLimits) -> Limits:
    """The limits that an operator has set for a channel."""
    return Limits(
        overall=_window(given.per_second, 1),
        private=_window(given.private_per_second, 1),
        group=_window(given.group_per_minute, 60),
        in_flight=given.calls,
    )


def _window(count: int, seconds: float) -> tuple[Window, ...]:
    return (Window(count=count, seconds=seconds),) if count else ()


#: Where nothing limits.
NO_LIMIT = Room(all=1_000_000, bulk=1_000_000)


def _spare(window: Window) -> int:
    return max(1, round(window.count / 50)) if window.count >= _SPARE else 0


def room(windows: Sequence[Window], used: Sequence[Used], chat: Chat) -> Room:
    """What fits into every window of one conversation, private or group; `used` tells for each what it holds."""
    found = NO_LIMIT
    for window, holds in zip(windows, used, strict=True):
        free = max(window.count - holds.count, 0)
        bulk = max(free - (window.count // _SPARE_IN_A_PLACE if chat == "group" else 0), 0)
        waits = holds.oldest + window.length if holds.oldest is not None and bulk == 0 else None
        next_at = max(filter(None, (found.next_at, waits)), default=None)
        found = Room(all=min(found.all, free), bulk=min(found.bulk, bulk), next_at=next_at)
    return found
