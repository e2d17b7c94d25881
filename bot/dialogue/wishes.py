"""Times that a member wishes for, as the JSON that lives read. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from actions.core.zones import day_bounds, local, spoken_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlu.types import Parse, TimeMention

_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)


def meant(parse: Parse) -> TimeMention:
    """Of several times the one that is wanted: the last, as in 周三不行，周四吧; a day and a clock apart are joined."""
    last = parse.times[-1]
    if len(parse.times) == 1 or _rejected(parse, parse.times[0]):
        return last
    first = parse.times[0]
    if first.day_named and not first.clock_named and not last.day_named and last.clock_named:
        return _joined(first, last)
    return first


def _rejected(parse: Parse, time: TimeMention) -> bool:
    after = parse.text[time.offset + len(time.text) :][:6]
    before = parse.text[max(0, time.offset - 3) : time.offset]
    refused = r"\s*(?:我|我们)?(?:都|要|又)?(?:不|没|有课|有事|有会|开会|上课|去不了|来不了|满|改到|改成|换到|换成)"
    return bool(re.match(refused, after)) or bool(re.search(r"不要|不是|别|把|从", before))


def _joined(day: TimeMention, clock: TimeMention) -> TimeMention:
    base = local(day.start)
    start = local(clock.start).replace(year=base.year, month=base.month, day=base.day)
    return replace(clock, start=start, end=start + (clock.end - clock.start), day_named=True, clock_named=True)


def wish_of(time: TimeMention) -> dict[str, Any]:
    """A time mention as JSON."""
    return {
        "start": local(time.start).isoformat(),
        "end": local(time.end).isoformat(),
        "kind": time.kind,
        "text": time.text,
        "day_named": time.day_named,
        "clock_named": time.clock_named,
    }


def day_of(moment: datetime) -> dict[str, Any]:
    """The whole day of a moment as a wish: what else is free then."""
    start, end = day_bounds(local(moment).date())
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "kind": "span",
        "text": spoken_day(moment),
        "day_named": True,
        "clock_named": False,
    }


def chosen_start(value: Any) -> datetime | None:
    """The start in a slot's value, which is ISO text, with the calendar before an @ where a record is moved."""
    text = str(value or "").rsplit("@", maxsplit=1)[-1]
    return datetime.fromisoformat(text) if text[:1].isdigit() else None


def with_known(key: str, wish: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Completes a corrected time by what was known: 改成周四 keeps the hour, 改成四点 keeps the day."""
    known = _known_start(key, values)
    if known is None:
        return dict(wish)
    start, end = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    if not wish["day_named"]:
        shift = known.date() - start.date() + _half_day(start, known, values.get(key))
        return {**wish, "start": (start + shift).isoformat(), "end": (end + shift).isoformat()}
    resolved = values.get(key.removesuffix("_wish"))
    if end - start == _DAY and resolved and resolved == known.isoformat():
        return {**wish, "clock": f"{known:%H:%M}"}
    return dict(wish)


def _half_day(start: datetime, known: datetime, before: Mapping[str, Any] | None) -> timedelta:
    """Twelve hours, where that brings an hour into the part of the day that was named before: 晚上, then 七点."""
    if before is None or before["kind"] != "span":
        return timedelta()
    moved = datetime.combine(known.date(), start.timetz())
    low, high = datetime.fromisoformat(before["start"]), datetime.fromisoformat(before["end"])
    inside, later = low <= moved < high, low <= moved + _HALF_DAY < high
    return _HALF_DAY if later and not inside else timedelta()


def _known_start(key: str, values: Mapping[str, Any]) -> datetime | None:
    """The time chosen before, or the one day that was wished for."""
    chosen = values.get(key.removesuffix("_wish"))
    if isinstance(chosen, str) and chosen[:1].isdigit() and "@" not in chosen:
        return datetime.fromisoformat(chosen)
    wish = values.get(key)
    if not wish:
        return None
    start, end = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    return start if end - start <= _DAY else None
