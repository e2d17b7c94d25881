"""Talking in the terminal: `bot chat`."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.messages import Address, Inbound, Option, Outbound, numbered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


class TerminalChannel:
    """Keeps what is pushed until the conversation prints it."""

    name = "terminal"
    pulled = False

    def __init__(self) -> None:
        self.pushed: asyncio.Queue[Outbound] = asyncio.Queue()

    async def send(self, message: Outbound) -> None:
        """Hands a notice to the conversation; a reply is shown by who asked for it."""
        if not message.reply:
            self.pushed.put_nowait(message)


class _Screen:
    """What stands on the screen since the last line was typed: options are numbered on, so that a number is clear."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._options: list[Option] = []

    def show(self, message: Outbound) -> None:
        link = f"\n{message.link}" if message.link else ""
        first = len(self._options) + 1
        self._write(numbered(message.text, message.options, first=first) + link)
        self._options += message.options

    def take(self, line: str) -> str:
        """What a typed line says: a number on the screen stands for its option's value."""
        options, self._options = self._options, []
        number = int(line) if line.isascii() and line.isdigit() and len(line) < 4 else 0
        return options[number - 1].value if 0 < number <= len(options) else line


async def converse(
    receive: Callable[[Inbound], Awaitable[tuple[Outbound, ...]]],
    *,
    sender: str,
    lines: AsyncIterator[str],
    write: Callable[[str], None],
    pushed: asyncio.Queue[Outbound],
) -> None:
    """Talks until the lines end. Notices from `pushed` (TerminalChannel.pushed) are shown as they arrive."""
    screen = _Screen(write)
    address = Address(channel=TerminalChannel.name, conversation=sender)
    notices = asyncio.create_task(_show_pushed(screen, pushed))
    try:
        async for line in lines:
            if not line.strip():
                continue
            text = screen.take(line.strip())
            inbound = Inbound(address=address, event_id=secrets.token_hex(16), sender=sender, text=text)
            for reply in await receive(inbound):
                screen.show(reply)
    finally:
        notices.cancel()
        with suppress(asyncio.CancelledError):
            await notices
        while not pushed.empty():
            screen.show(pushed.get_nowait())


async def _show_pushed(screen: _Screen, pushed: asyncio.Queue[Outbound]) -> None:
    while True:
        screen.show(await pushed.get())
