"""Groups that go by another id than before: platforms give new ones when the account signs in again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.channels.wechaty.seen import Room


def moved(before: Mapping[str, Room], now: Mapping[str, Room]) -> dict[str, str]:
    """The new id of each group that is not there any more, where it is plain which one that is.

    It is a group that was not there before, of the same title; of several, the one with the most members in common,
    if no other has as many. Two groups never become one.
    """
    fresh = {key: room for key, room in now.items() if key not in before and room.title}
    found: dict[str, str] = {}
    for old, room in sorted(before.items()):
        if old in now:
            continue
        same = [key for key, other in fresh.items() if other.title == room.title]
        ranked = sorted(((len({*room.members} & {*fresh[key].members}), key) for key in same), reverse=True)
        if ranked and (len(ranked) == 1 or ranked[0][0] > ranked[1][0]):
            found[old] = ranked[0][1]
    taken = list(found.values())
    return {old: new for old, new in found.items() if taken.count(new) == 1}
