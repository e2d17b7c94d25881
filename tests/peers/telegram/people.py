"""People, groups and what stands in their chats."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Person:
    """Somebody with an account. Who has not started the bot cannot be written to by it."""

    id: int
    name: str
    started: bool = False
    blocked: bool = False

    @property
    def user(self) -> dict[str, Any]:
        """https://core.telegram.org/bots/api#user"""
        return {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": "zh-hans"}

    @property
    def chat(self) -> dict[str, Any]:
        """https://core.telegram.org/bots/api#chat"""
        return {"id": self.id, "type": "private", "first_name": self.name}


@dataclass(kw_only=True)
class Group:
    """A group with the bot in it. `migrated` is the id that it has since it became a supergroup."""

    id: int
    title: str
    kicked: bool = False
    migrated: int | None = None

    @property
    def chat(self) -> dict[str, Any]:
        """https://core.telegram.org/bots/api#chat"""
        return {"id": self.id, "type": "group", "title": self.title}


@dataclass(kw_only=True)
class Shown:
    """A message in a chat. `raw` is the Message object; `content` what a file holds."""

    raw: dict[str, Any]
    content: bytes = b""
    from_bot: bool = False
    gone: bool = False

    @property
    def id(self) -> int:
        return int(self.raw["message_id"])

    @property
    def text(self) -> str:
        return str(self.raw.get("text") or self.raw.get("caption") or "")

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """All buttons under it, row by row."""
        rows = self.raw.get("reply_markup", {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]


@dataclass(kw_only=True)
class Chats:
    """What stands in every chat, oldest first."""

    messages: dict[int, list[Shown]] = field(default_factory=dict)
    last_id: int = 0

    def add(self, shown: Shown) -> Shown:
        self.messages.setdefault(shown.raw["chat"]["id"], []).append(shown)
        return shown

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def find(self, chat_id: int, message_id: int) -> Shown | None:
        found = (each for each in self.messages.get(chat_id, []) if each.id == message_id and not each.gone)
        return next(found, None)


_ENTITIES = (
    (re.compile(r"(?<![\w/])/[a-zA-Z0-9_]{1,32}(?:@\w+)?"), "bot_command"),
    (re.compile(r"@\w{5,}"), "mention"),
)


def units(text: str) -> int:
    """Entities are counted in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def entities_of(text: str) -> list[dict[str, Any]]:
    """What the platform finds in a text by itself. https://core.telegram.org/bots/api#messageentity"""
    found: list[tuple[int, int, str]] = []
    for pattern, kind in _ENTITIES:
        for match in pattern.finditer(text):
            inside = any(match.start() > each[0] and match.end() <= each[1] for each in found)
            if not inside:
                found.append((match.start(), match.end(), kind))
    return [
        {"type": kind, "offset": units(text[:begin]), "length": units(text[begin:end])} for begin, end, kind in found
    ]
