"""What happens beside messages: friends, groups, and signing in."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import segno
import structlog

from actions.core.zones import SHANGHAI
from bot.channels.wechaty.reading import plain
from bot.channels.wechaty.rooms import moved
from bot.channels.wechaty.seen import RefusedError
from bot.wire import Befriended, GroupJoined, GroupMoved, GroupsSeen

if TYPE_CHECKING:
    from bot.channels.wechaty.inward import Inward
    from bot.channels.wechaty.seen import Event, Room

log = structlog.get_logger(__name__)

#: Somebody has to scan the code now (npm wechaty-puppet, ScanStatus).
_TO_BE_SCANNED = (0, 2)
_MOST_NAMES, _MOST_GROUPS = 10, 5_000


class Notices:
    """Events that are no messages."""

    def __init__(self, inward: Inward) -> None:
        self._inward = inward
        self._rooms: dict[str, Room] = {}

    async def take(self, event: Event) -> None:
        """One of them. Raises GatewayError, and ValueError for ids that are none."""
        match event.kind:
            case "friendship":
                await self._friendship(event.text("friendshipId"))
            case "room-join":
                await self._joined(event.text("roomId"), event.texts("inviteeIdList"))
            case "room-leave":
                await self._left(event.text("roomId"), event.texts("removeeIdList"))
            case "room-invite" if self._inward.rules.accept_rooms:
                await self._inward.puppet.accept_room(event.text("roomInvitationId"))
            case "room-topic":
                self._inward.forget(event.text("roomId"))
                await self._look_at_rooms(afresh=event.text("roomId"))
            case "login" | "ready":
                await self._look_at_rooms()
            case "dirty":
                self._inward.forget(event.text("payloadId"))
            case "scan":
                show_code(event.text("qrcode"), event.data.get("status"))

    # --- people

    async def _friendship(self, key: str) -> None:
        inward = self._inward
        friendship = await inward.patiently(lambda: inward.puppet.friendship(key))
        if friendship.asks:
            if not inward.rules.accept_friends:
                return
            await inward.patiently(lambda: inward.puppet.accept_friend(key))
        elif not friendship.confirmed:
            return
        # A request that was accepted is confirmed by another event, of some gateways: one welcome for both.
        today = datetime.now(SHANGHAI).strftime("%Y%m%d")
        event = f"friend:{friendship.contact}:{today}"[-120:]
        inward.tell(friendship.contact, Befriended(event=event, sender=friendship.contact))

    # --- groups

    async def _joined(self, room: str, who: tuple[str, ...]) -> None:
        inward = self._inward
        if inward.me in who:
            await self._look_at_rooms(afresh=room)
            return
        names = [plain((await inward.contact(key)).name) for key in who[:_MOST_NAMES]]
        inward.tell(room, GroupJoined(conversation=room, names=tuple(filter(None, names))))

    async def meet(self, room: str) -> None:
        """Something was said in a group: one that is not known yet is looked at, so that it is known again later."""
        if not room or room in self._rooms:
            return
        inward = self._inward
        try:
            self._rooms[room] = await inward.patiently(lambda: inward.puppet.room(room))
        except RefusedError:
            inward.count("no_group", "a group that cannot be looked up")

    async def _left(self, room: str, who: tuple[str, ...]) -> None:
        if self._inward.me in who:
            self._rooms.pop(room, None)
            self._inward.count("removed_from_group", "somebody has removed the account from a group")

    async def _look_at_rooms(self, *, afresh: str = "") -> None:
        """Looks which groups there are; of those that are known, but `afresh`, nothing is asked again."""
        inward = self._inward
        now: dict[str, Room] = {}
        for key in (await inward.patiently(inward.puppet.rooms))[:_MOST_GROUPS]:
            known = self._rooms.get(key)
            if known is not None and afresh and key != afresh:
                now[key] = known
                continue
            try:
                now[key] = await inward.patiently(lambda key=key: inward.puppet.room(key))  # type: ignore[misc]
            except RefusedError:
                inward.count("no_group", "a group that cannot be looked up")
        for before, after in moved(self._rooms, now).items():
            inward.tell("", GroupMoved(before=before, conversation=after))
            self._rooms.pop(before)
        # A gateway that has just signed in may not know its groups yet: none is forgotten for being away.
        self._rooms.update(now)
        if now:
            inward.tell("", GroupsSeen(groups={key: plain(room.title) for key, room in now.items()}))


def show_code(code: str, status: object) -> None:
    """Tells the operator, and nobody else, what is to be scanned with the account's phone."""
    if not code or status not in _TO_BE_SCANNED:
        log.info("wechaty_scan", status=status if isinstance(status, int) else None)
        return
    log.warning("wechaty_scan", qrcode=code)
    if sys.stderr.isatty():
        segno.make(code).terminal(out=sys.stderr, compact=True)
