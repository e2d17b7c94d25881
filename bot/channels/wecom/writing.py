"""From our own message to what 企业微信 sends. Pure: files are named, and opened by the channel.

https://developer.work.weixin.qq.com/document/path/90236
https://developer.work.weixin.qq.com/document/path/91770
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.messages import File, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.messages import Card, Option, Outbound

#: A text has at most 2,048 bytes; no UTF-16 unit takes more than three of them.
LONGEST = 2_048 // 3
#: Of a card: how many buttons, what stands on one (characters), what it says (bytes), the text above (characters).
_BUTTONS, _ON_A_BUTTON, _LONGEST_VALUE, _ABOVE = 6, 20, 1_024, 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One message: its `msgtype` with what belongs to it, or a file to upload first."""

    kind: str
    body: dict[str, Any]
    file: File | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """What it says by itself: `choose` stands above buttons, `calendar` makes the line with a calendar's address."""

    choose: str
    calendar: Callable[[str], str]
    markdown: bool = True


def calls(message: Outbound, style: Style) -> list[Call]:
    """What is sent for a message, in this order: files, the text, cards with its buttons."""
    found = [Call(kind="image" if file.kind == "picture" else "file", body={}, file=file) for file in message.files]
    fits = [option for option in message.options if len(option.value.encode()) <= _LONGEST_VALUE]
    text = _whole(message, style, cut=[option.label for option in fits if len(option.label) > _ON_A_BUTTON])
    above = text if text and len(text) <= _ABOVE else style.choose
    if message.card is not None and style.markdown and not fits:
        found.append(_markdown(message, message.card, style))
    elif text and (above is not text or not fits):
        found += [Call(kind="text", body={"content": piece}) for piece in pieces(text, LONGEST)]
    for at in range(0, len(fits), _BUTTONS):
        found.append(_card(above if at == 0 else style.choose, fits[at : at + _BUTTONS]))
    return found


def robot_calls(message: Outbound) -> list[Call]:
    """What a group's robot sends: texts alone."""
    lines = [message.text, *(f"· {option.label}" for option in message.options), message.link]
    return [Call(kind="text", body={"content": piece}) for piece in pieces("\n".join(filter(None, lines)), LONGEST)]


def _whole(message: Outbound, style: Style, *, cut: Sequence[str]) -> str:
    """The text, the rows of its card where it does not say them itself, and labels too long for a button."""
    parts = [message.text, *(f"· {label}" for label in cut)]
    if message.card is not None:
        parts += [f"{label}：{value}" for label, value in message.card.rows if value not in message.text]
        parts.append(style.calendar(message.card.token))
    parts.append(message.link)
    return "\n".join(filter(None, parts))


def _markdown(message: Outbound, card: Card, style: Style) -> Call:
    rows = [f"> {label}：{value}" for label, value in card.rows]
    parts = (message.text, "", f"**{card.title}**", *rows, style.calendar(card.token), message.link)
    content = "\n".join(part for part in parts if part)
    if len(content.encode()) > 2_048:
        return Call(kind="text", body={"content": pieces(message.text, LONGEST)[0]})
    return Call(kind="markdown", body={"content": content})


def _card(above: str, options: Sequence[Option]) -> Call:
    buttons = [{"text": _fitting(option.label), "style": 1, "key": option.value} for option in options]
    body = {
        "card_type": "button_interaction",
        "main_title": {"title": "", "desc": above},
        # A task has its own number in the application, for ever.
        "task_id": secrets.token_hex(16),
        "button_list": buttons,
    }
    return Call(kind="template_card", body=body)


def _fitting(label: str) -> str:
    return label if len(label) <= _ON_A_BUTTON else label[: _ON_A_BUTTON - 1] + "…"
