"""What a message of WeChat is to the assistant. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from bot.wire import LONGEST_TEXT, Enclosed, Left, Said

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bot.channels.wechaty.seen import Contact, Message
    from bot.messages import Unread

UNKNOWN, ATTACHMENT, IMAGE, TEXT, RECALLED = 0, 1, 6, 7, 13
#: Kinds that cannot be read, by their number in the gateway's enumeration (npm wechaty-puppet, MessageType).
_UNREAD: Mapping[int, Unread] = {
    2: "voice",
    3: "person",
    5: "sticker",
    8: "place",
    9: "link",
    11: "money",
    12: "money",
    14: "link",
    15: "video",
}
_FILES: Mapping[int, Literal["picture", "file"]] = {ATTACHMENT: "file", IMAGE: "picture"}

# What WeChat itself writes into a chat whose other end is no friend any more, or has blocked the account.
_GONE = re.compile(
    r"开启了(?:朋友|好友)验证|还不是(?:他|她|对方)|被对方拒收|enabled Friend Confirmation|rejected by the receiver"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
#: WeChat ends a mention with a narrow blank of its own.
_AFTER_NAME = "\u2005"
_LONGEST_NAME = 60


def plain(name: str) -> str:
    """A name without control characters, and not endless."""
    return _CONTROL.sub("", name).strip()[:_LONGEST_NAME]


def is_file(message: Message) -> bool:
    """Whether a message is a file that may be taken."""
    return message.type in _FILES


def silent(message: Message) -> bool:
    """Whether a message is for nobody: a message that was taken back, or a note of WeChat's own.

    Such notes are never answered: what is said to somebody who has removed the account gives another one.
    """
    return message.type in (UNKNOWN, RECALLED) or not message.talker


def left(message: Message, me: str) -> Left | None:
    """Whether WeChat tells that somebody has blocked or removed the account. Nobody can write such a note."""
    if message.type != UNKNOWN or message.room or not _GONE.search(message.text):
        return None
    other = message.talker if message.talker != me else message.listener
    return Left(sender=other) if other else None


def said(message: Message, me: str, names: Collection[str], talker: Contact) -> Said:
    """A message that somebody has written.

    Args:
        message: as the gateway tells it.
        me: the account's own id.
        names: what the account is called there, in the group or at all.
        talker: who wrote it.

    Raises:
        ValueError: ids or names that no message of WeChat has.

    """
    text, named = without_mention(message.text, names) if message.room else (message.text, False)
    readable = message.type == TEXT
    own = message.talker == me
    there = message.room or (message.listener if own else message.talker)
    return Said(
        event=message.id,
        conversation=there,
        chat="group" if message.room else "private",
        sender=message.talker,
        name=plain(talker.name),
        text=text[:LONGEST_TEXT] if readable else "",
        mentioned=me in message.mentions or named,
        from_bot=own or not talker.person,
        unread=None if readable or is_file(message) else _UNREAD.get(message.type, "other"),
        file=_enclosed(message),
    )


def without_mention(text: str, names: Collection[str]) -> tuple[str, bool]:
    """A text without the mention of one of the names (@小助手), and whether there was one."""
    called = sorted(filter(None, names), key=len, reverse=True)
    if not called:
        return text, False
    pattern = re.compile(rf"@(?:{'|'.join(map(re.escape, called))})(?:{_AFTER_NAME}|\s|$)")
    found, times = pattern.subn(" ", text)
    return (found.strip(), True) if times else (text, False)


def _enclosed(message: Message) -> Enclosed | None:
    kind = _FILES.get(message.type)
    return None if kind is None else Enclosed(name=_CONTROL.sub("", message.filename)[:200] or "文件", kind=kind)
