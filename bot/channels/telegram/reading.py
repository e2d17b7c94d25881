"""From an update of the Bot API to our own types. Pure: files are named, and fetched by the channel.

https://core.telegram.org/bots/api#update
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from telegram import MaybeInaccessibleMessage, Message, MessageEntity, Update

from bot.messages import Address, Gone, Inbound, Joined, Moved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telegram import CallbackQuery, Chat, ChatMemberUpdated, User

    from bot.messages import Event, Unread

NAME = "telegram"

#: What is asked of the platform: everything else never comes.
KINDS = ("message", "edited_message", "callback_query", "my_chat_member")

#: A button whose value is its label: values are 64 bytes at most, labels may be longer.
LABEL = "="

_UNREAD: Mapping[str, Unread] = {
    "voice": "voice",
    "audio": "voice",
    "animation": "sticker",
    "sticker": "sticker",
    "dice": "sticker",
    "video": "video",
    "video_note": "video",
    "story": "video",
    "venue": "place",
    "location": "place",
    "contact": "person",
    "poll": "poll",
    "checklist": "poll",
    "invoice": "money",
    "successful_payment": "money",
    "gift": "money",
    "unique_gift": "money",
    "paid_media": "other",
    "game": "other",
}
#: Notes about a chat that nobody wrote, and that nobody expects an answer to.
_NOTES = (
    "channel_chat_created",
    "chat_shared",
    "connected_website",
    "delete_chat_photo",
    "forum_topic_closed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_reopened",
    "group_chat_created",
    "left_chat_member",
    "message_auto_delete_timer_changed",
    "migrate_from_chat_id",
    "new_chat_photo",
    "new_chat_title",
    "pinned_message",
    "proximity_alert_triggered",
    "supergroup_chat_created",
    "users_shared",
    "video_chat_ended",
    "video_chat_participants_invited",
    "video_chat_scheduled",
    "video_chat_started",
    "write_access_allowed",
)
_COMMAND = re.compile(r"/([a-z0-9_]{1,32})(?:@(\w+))?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Me:
    """The assistant's own account. `menu` is what a command of the menu says, by its name."""

    id: int
    username: str
    menu: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosed:
    """A picture or file that came along; `size` is in bytes, 0 where the platform does not tell."""

    file_id: str
    kind: Literal["picture", "file"]
    name: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """What an update is: a message with what came along, an event, or nothing that is read (`left`: what it was)."""

    inbound: Inbound | None = None
    enclosed: tuple[Enclosed, ...] = ()
    event: Event | None = None
    left: str = ""
    album: str = ""
    query_id: str = ""


def read(update: Update, me: Me) -> Read:
    """What an update of the platform says."""
    if update.callback_query is not None:
        return _clicked(update.callback_query)
    if update.my_chat_member is not None:
        return _own_standing(update.my_chat_member)
    message = update.message or update.edited_message
    if message is None or message.from_user is None:
        return Read(left="unaddressed")
    if update.edited_message is not None:
        return _edited(update.update_id, message)
    return _happened(message, me) or _written(update.update_id, message, me)


def joined_up(reads: Sequence[Read]) -> list[Read]:
    """The photographs of an album are one message: those that follow one another, in one conversation."""
    found: list[Read] = []
    for one in reads:
        last = found[-1] if found else None
        if last is None or not one.album or last.album != one.album or last.inbound is None or one.inbound is None:
            found.append(one)
            continue
        text = "\n".join(filter(None, (last.inbound.text, one.inbound.text)))
        mentioned = last.inbound.mentioned or one.inbound.mentioned
        inbound = replace(last.inbound, text=text, mentioned=mentioned)
        found[-1] = replace(last, inbound=inbound, enclosed=(*last.enclosed, *one.enclosed))
    return found


def address_of(chat: Chat, thread: int | None = None) -> Address:
    """Where a chat is spoken to; a topic of a forum is a conversation of its own."""
    if chat.type == "private":
        return Address(channel=NAME, conversation=str(chat.id))
    conversation = f"{chat.id}/{thread}" if thread else str(chat.id)
    return Address(channel=NAME, conversation=conversation, chat="group")


# --- messages


def _written(update_id: int, message: Message, me: Me) -> Read:
    sender = message.from_user
    assert sender is not None  # noqa: S101 - `read` has looked
    text, mentioned = _said(message, me)
    enclosed = _enclosed(message)
    unread = None if text or enclosed else next((_UNREAD[kind] for kind in _UNREAD if getattr(message, kind)), None)
    if not text and not enclosed and unread is None and not mentioned:
        unread = "other"
    inbound = Inbound(
        address=_place(message),
        event_id=f"update:{update_id}",
        sender=str(sender.id),
        text=text,
        mentioned=mentioned,
        from_bot=sender.is_bot,
        name=_name(sender),
        unread=unread,
    )
    if inbound.address.chat == "private":
        inbound = _commanded(inbound, me)
    album = f"{message.chat.id}:{message.media_group_id}" if message.media_group_id else ""
    return Read(inbound=inbound, enclosed=enclosed, left=unread or "", album=album)


def _place(message: Message) -> Address:
    return address_of(message.chat, message.message_thread_id if message.is_topic_message else None)


def _name(sender: User) -> str:
    return (sender.full_name or "").strip()[:64]


def _commanded(inbound: Inbound, me: Me) -> Inbound:
    """A command of the menu says its words; /start is no message, and tells that somebody is here."""
    found = _COMMAND.fullmatch(inbound.text)
    if found is None:
        return inbound
    name = found[1].lower()
    if name == "start":
        return replace(inbound, text="", met=True)
    return replace(inbound, text=me.menu.get(name, inbound.text))


def _said(message: Message, me: Me) -> tuple[str, bool]:
    """The text without the assistant's own name in it, and whether it was said to the assistant."""
    text = message.text or message.caption or ""
    said = message.parse_entities() if message.text else message.parse_caption_entities()
    own = [entity for entity, name in said.items() if _is_own(entity, name, me)]
    answered = message.reply_to_message.from_user if message.reply_to_message is not None else None
    mentioned = bool(own) or (answered is not None and answered.id == me.id)
    for entity in sorted(own, key=lambda each: each.offset, reverse=True):
        text = _without(text, entity)
    found = _COMMAND.fullmatch(text.strip())
    if found is not None and (found[2] or "").lower() == me.username.lower() and message.chat.type != "private":
        # /help@Bot in a group: the words of the menu.
        return me.menu.get(found[1].lower(), ""), True
    return text.strip(), mentioned


def _is_own(entity: MessageEntity, name: str, me: Me) -> bool:
    if entity.type == MessageEntity.TEXT_MENTION:
        return entity.user is not None and entity.user.id == me.id
    return entity.type == MessageEntity.MENTION and name.lower() == f"@{me.username}".lower()


def _without(text: str, entity: MessageEntity) -> str:
    """Entities are counted in UTF-16 code units."""
    units = text.encode("utf-16-le", "surrogatepass")
    begin, end = entity.offset * 2, (entity.offset + entity.length) * 2
    return (units[:begin] + units[end:]).decode("utf-16-le", "ignore")


def _enclosed(message: Message) -> tuple[Enclosed, ...]:
    if message.photo:
        # The last one is the largest.
        best = message.photo[-1]
        return (Enclosed(file_id=best.file_id, kind="picture", name="photo.jpg", size=best.file_size or 0),)
    document = message.document
    if document is None or message.animation is not None:
        return ()
    kind: Literal["picture", "file"] = "picture" if (document.mime_type or "").startswith("image/") else "file"
    name = document.file_name or "file"
    return (Enclosed(file_id=document.file_id, kind=kind, name=name, size=document.file_size or 0),)


def _edited(update_id: int, message: Message) -> Read:
    """What was answered stays answered: in private this is said, in a group nobody is bothered."""
    sender = message.from_user
    address = _place(message)
    if sender is None or address.chat == "group" or message.edit_date is None or _only_moved(message):
        return Read(left="edited")
    inbound = Inbound(
        address=address,
        event_id=f"update:{update_id}",
        sender=str(sender.id),
        text="",
        from_bot=sender.is_bot,
        unread="edited",
    )
    return Read(inbound=inbound, left="edited")


def _only_moved(message: Message) -> bool:
    """A live location is edited every few seconds by the platform itself."""
    return message.location is not None


# --- events


def _happened(message: Message, me: Me) -> Read | None:
    address = address_of(message.chat)
    if message.migrate_to_chat_id is not None:
        return Read(event=Moved(address=address, conversation=str(message.migrate_to_chat_id)))
    if message.new_chat_members:
        names = tuple(_name(user) for user in message.new_chat_members if not user.is_bot and user.id != me.id)
        return Read(event=Joined(address=address, names=names)) if names else Read(left="note")
    if any(getattr(message, note, None) for note in _NOTES):
        return Read(left="note")
    return None


def _own_standing(change: ChatMemberUpdated) -> Read:
    """Somebody blocked the assistant, or took it out of a group."""
    if change.chat.type == "private" and change.new_chat_member.status == "kicked":
        return Read(event=Gone(address=address_of(change.chat), sender=str(change.from_user.id)))
    return Read(left="standing")


# --- buttons


def _clicked(query: CallbackQuery) -> Read:
    said = _value(query)
    if query.message is None or said is None:
        return Read(left="old_button", query_id=query.id)
    inbound = Inbound(
        address=_button_place(query.message),
        event_id=f"callback:{query.id}",
        sender=str(query.from_user.id),
        text=said,
        mentioned=True,
        from_bot=query.from_user.is_bot,
        name=_name(query.from_user),
    )
    return Read(inbound=inbound, query_id=query.id)


def _button_place(message: MaybeInaccessibleMessage) -> Address:
    return _place(message) if isinstance(message, Message) else address_of(message.chat)


def _value(query: CallbackQuery) -> str | None:
    """What a button says; None for one whose message is so old that the platform does not show it any more."""
    data = query.data or ""
    if not data.startswith(LABEL):
        return data or None
    message = query.message
    if not isinstance(message, Message) or message.reply_markup is None:
        return None
    rows = message.reply_markup.inline_keyboard
    return next((button.text for row in rows for button in row if button.callback_data == data), None)
