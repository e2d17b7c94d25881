"""From our own message to a job of the bridge. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.messages import numbered, pieces
from bot.wire import Enclosure, Job, Mentioned

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.messages import Outbound

#: UTF-16 units of one message: more than that is hard to read on a telephone, and the web protocol cuts it off.
LONGEST = 2_000


def job_of(message: Outbound, calendar: Callable[[str], str]) -> Job:
    """What is to be sent for a message: its texts in order, then its files.

    Args:
        message: the message; its id is that of its row.
        calendar: the line by which a record gets into a telephone's calendar, by the token of its card; may be empty.

    """
    text = _whole(message, calendar)
    mention = message.mention
    return Job(
        key=_key(message, text),
        conversation=message.address.conversation,
        texts=tuple(pieces(text, LONGEST)),
        mention=None if mention is None else Mentioned(sender=mention.sender, name=mention.name),
        files=tuple(Enclosure(id=file.id, name=file.name) for file in message.files),
    )


def _whole(message: Outbound, calendar: Callable[[str], str]) -> str:
    """Text, the rows of its card that it does not say itself, the link, and the options by number."""
    rows: list[str] = []
    link = message.link
    if message.card is not None:
        rows = [f"{label}：{value}" for label, value in message.card.rows if value not in message.text]
        link = link or calendar(message.card.token)
    text = "\n\n".join(filter(None, (message.text, "\n".join(rows))))
    text = "\n".join(filter(None, (text, link)))
    return numbered(text, message.options) if message.options else text


def _key(message: Outbound, text: str) -> str:
    """The same whenever the same row is handed over again; another one where the database was begun anew."""
    said = "\x1f".join((message.address.conversation, text, *(file.id for file in message.files)))
    return f"{message.id}-{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:32]}"
