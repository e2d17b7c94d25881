"""From a callback of 企业微信 to our own message. Pure.

https://developer.work.weixin.qq.com/document/path/90239
https://developer.work.weixin.qq.com/document/path/90240
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.channels.wechat.hook import Enclosed, Read
from bot.messages import Address, Gone, Inbound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.messages import Unread

NAME = "wecom"
#: Bytes of a userid, and what a message's number may have.
_LONGEST_ID = 64
_UNREAD: Mapping[str, Unread] = {"voice": "voice", "video": "video", "location": "place", "link": "link"}
_FILES = {"image": ("picture", "photo.jpg"), "file": ("file", "file")}


def address_of(sender: str) -> Address:
    """Where a member of the enterprise is spoken to."""
    return Address(channel=NAME, conversation=sender)


def read(fields: Mapping[str, str]) -> Read:
    """What a callback says; without a sender where it names none."""
    sender = fields.get("FromUserName", "")
    if not sender or len(sender) > _LONGEST_ID or "|" in sender:
        return Read(key="")
    if fields.get("MsgType") == "event":
        return _event(fields, sender)
    return _message(fields, sender)


def event_key(fields: Mapping[str, str], sender: str) -> str:
    """The same for the same event: it has no number, so that who, when and what stand for it."""
    parts = (fields.get(name, "") for name in ("CreateTime", "Event", "EventKey", "TaskId", "Ticket"))
    return "event:" + hashlib.sha256("\x1f".join((sender, *parts)).encode("utf-8", "replace")).hexdigest()[:40]


def _message(fields: Mapping[str, str], sender: str) -> Read:
    kind, number = fields.get("MsgType", ""), fields.get("MsgId", "")[:_LONGEST_ID]
    key = f"message:{number}" if number else event_key(fields, sender)
    enclosed: Enclosed | None = None
    unread: Unread | None = None
    text = fields.get("Content", "") if kind == "text" else ""
    if kind in _FILES and fields.get("MediaId"):
        which, name = _FILES[kind]
        name = fields.get("FileName", "")[:120] or name
        enclosed = Enclosed(media_id=fields["MediaId"], kind="picture" if which == "picture" else "file", name=name)
    elif not text:
        unread = _UNREAD.get(kind, "other")
    inbound = Inbound(address=address_of(sender), event_id=key, sender=sender, text=text, unread=unread)
    return Read(key=key, sender=sender, inbound=inbound, enclosed=enclosed, left=unread or "")


def _event(fields: Mapping[str, str], sender: str) -> Read:
    key, what = event_key(fields, sender), fields.get("Event", "").lower()
    address = address_of(sender)
    said = fields.get("EventKey", "")
    if what == "subscribe":
        inbound = Inbound(address=address, event_id=key, sender=sender, text="", met=True)
        return Read(key=key, sender=sender, inbound=inbound)
    if what == "unsubscribe":
        return Read(key=key, sender=sender, event=Gone(address=address, sender=sender))
    if what in ("click", "template_card_event") and said:
        inbound = Inbound(address=address, event_id=key, sender=sender, text=said)
        return Read(key=key, sender=sender, inbound=inbound, click=fields.get("ResponseCode", ""))
    # enter_agent comes whenever somebody opens the chat: they are known from then on, and not spoken to.
    return Read(key=key, sender=sender, left="note")
