"""From a callback of 公众号 to our own message. Pure.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from bot.channels.wechat.hook import Enclosed, Read
from bot.messages import Address, Gone, Inbound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.messages import Unread

NAME = "official_account"
#: A code that binds whoever scans it, as the event names it; one that a new follower scanned has this before it.
SCENE = "bind-"
_NEW = "qrscene_"
_OPENID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_UNREAD: Mapping[str, Unread] = {
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "location": "place",
    "link": "link",
}


def address_of(openid: str) -> Address:
    """Where a follower is spoken to."""
    return Address(channel=NAME, conversation=openid)


def read(fields: Mapping[str, str]) -> Read:
    """What a callback says; without a sender where it names none."""
    openid = fields.get("FromUserName", "")
    if not _OPENID.fullmatch(openid):
        return Read(key="")
    return _event(fields, openid) if fields.get("MsgType") == "event" else _message(fields, openid)


def _event_key(fields: Mapping[str, str], openid: str) -> str:
    """The same for the same event: who, when and what stand for the number that it does not have."""
    parts = (fields.get(name, "") for name in ("CreateTime", "Event", "EventKey"))
    return "event:" + hashlib.sha256("\x1f".join((openid, *parts)).encode("utf-8", "replace")).hexdigest()[:40]


def _message(fields: Mapping[str, str], openid: str) -> Read:
    kind, number = fields.get("MsgType", ""), fields.get("MsgId", "")[:64]
    key = f"message:{number}" if number else _event_key(fields, openid)
    text = fields.get("Content", "") if kind == "text" else ""
    enclosed: Enclosed | None = None
    unread: Unread | None = None
    if kind == "image" and fields.get("MediaId"):
        enclosed = Enclosed(media_id=fields["MediaId"], kind="picture", name="photo.jpg")
    elif kind == "voice" and fields.get("Recognition"):
        # The platform has written down what was said, where the account has that switched on.
        text = fields["Recognition"]
    elif not text:
        unread = _UNREAD.get(kind, "other")
    inbound = Inbound(address=address_of(openid), event_id=key, sender=openid, text=text, unread=unread)
    return Read(key=key, sender=openid, inbound=inbound, enclosed=enclosed, left=unread or "")


def _event(fields: Mapping[str, str], openid: str) -> Read:
    key, what, said = _event_key(fields, openid), fields.get("Event", "").lower(), fields.get("EventKey", "")
    address = address_of(openid)
    if what in ("subscribe", "scan"):
        scene = said.removeprefix(_NEW)
        scene = scene.removeprefix(SCENE) if scene.startswith(SCENE) else ""
        if what == "scan" and not scene:
            return Read(key=key, sender=openid, left="note")
        inbound = Inbound(address=address, event_id=key, sender=openid, text="", met=True)
        return Read(key=key, sender=openid, inbound=inbound, scene=scene)
    if what == "unsubscribe":
        return Read(key=key, sender=openid, event=Gone(address=address, sender=openid))
    if what == "click" and said:
        return Read(key=key, sender=openid, inbound=Inbound(address=address, event_id=key, sender=openid, text=said))
    return Read(key=key, sender=openid, left="note")
