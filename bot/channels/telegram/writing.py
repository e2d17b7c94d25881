"""From our own message to calls of the Bot API. Pure: files are named, and opened by the channel.

https://core.telegram.org/bots/api#sendmessage
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity, User

from bot.channels.telegram.reading import LABEL
from bot.messages import File, Mention, Outbound, numbered, pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.messages import Address, Option

#: The platform's own: of a text (UTF-16 code units), of what a button carries (bytes), of the buttons of a message.
LONGEST = 4_096
_LONGEST_VALUE = 64
_MOST_BUTTONS = 100
#: Labels side by side where they are short (code points), else one below the other.
_SHORT, _A_ROW = 6, 4

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call: a text with its arguments, or a file to open."""

    arguments: dict[str, Any]
    file: File | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """What is written on buttons that open something, and where our own addresses begin (empty: they are not shown)."""

    calendar: str
    public_url: str


def target(address: Address) -> dict[str, Any]:
    """The chat, and the topic of a forum, that an address names. Raises ValueError for one of another platform."""
    chat, _, thread = address.conversation.partition("/")
    where: dict[str, Any] = {"chat_id": int(chat)}
    return {**where, "message_thread_id": int(thread)} if thread else where


def calls(message: Outbound, labels: Labels) -> list[Call]:
    """What is sent for a message, in this order: pictures and files, then the text, its buttons under the last part.

    Raises ValueError for an address of another platform.
    """
    where = target(message.address)
    found = [Call(arguments=where, file=file) for file in message.files]
    text = "\n".join(filter(None, (_whole(message), message.link)))
    clickable, others = _divided(message.options)
    texts = pieces(numbered(text, others) if others else text, LONGEST - _room(message.mention))
    for number, piece in enumerate(texts, start=1):
        arguments: dict[str, Any] = {**where, "text": piece, "link_preview_options": _NO_PREVIEW}
        if number == 1 and message.mention is not None and message.mention.name:
            arguments.update(_with_mention(piece, message.mention))
        if number == len(texts) and (keyboard := _keyboard(message, clickable, labels)):
            arguments["reply_markup"] = InlineKeyboardMarkup(keyboard)
        found.append(Call(arguments=arguments))
    return found


def _whole(message: Outbound) -> str:
    """The text, and the rows of its card where it does not say them itself."""
    if message.card is None:
        return message.text
    rows = [f"{label}：{value}" for label, value in message.card.rows if value not in message.text]
    return "\n\n".join(filter(None, (message.text, "\n".join(rows))))


def _divided(options: Sequence[Option]) -> tuple[list[Option], list[Option]]:
    """Options that a button carries, and those that are numbered in the text: their values are too long for one."""
    fits = [option for option in options if option.value == option.label or _bytes(option.value) <= _LONGEST_VALUE]
    return fits[:_MOST_BUTTONS], [option for option in options if option not in fits] + fits[_MOST_BUTTONS:]


def _keyboard(message: Outbound, options: Sequence[Option], labels: Labels) -> list[list[InlineKeyboardButton]]:
    buttons = [_button(number, option) for number, option in enumerate(options)]
    beside = _A_ROW if all(len(option.label) <= _SHORT for option in options) else 1
    rows = [buttons[at : at + beside] for at in range(0, len(buttons), beside)]
    if message.card is not None and labels.public_url.startswith("https://"):
        url = f"{labels.public_url.rstrip('/')}/api/v1/calendar/{message.card.token}.ics"
        rows.append([InlineKeyboardButton(labels.calendar, url=url)])
    return rows


def _button(number: int, option: Option) -> InlineKeyboardButton:
    plain = _bytes(option.value) <= _LONGEST_VALUE and not option.value.startswith(LABEL)
    # A label that is too long to be carried is read off the keyboard when it is clicked.
    return InlineKeyboardButton(option.label, callback_data=option.value if plain else f"{LABEL}{number}")


def _bytes(text: str) -> int:
    return len(text.encode())


def _room(mention: Mention | None) -> int:
    return _units(mention.name) + 1 if mention is not None and mention.name else 0


def _with_mention(text: str, mention: Mention) -> dict[str, Any]:
    """The name of who asked, as a link to them: it works for people who have no @name."""
    user = User(id=int(mention.sender), first_name=mention.name, is_bot=False)
    entity = MessageEntity(MessageEntity.TEXT_MENTION, offset=0, length=_units(mention.name), user=user)
    return {"text": f"{mention.name} {text}", "entities": [entity]}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
