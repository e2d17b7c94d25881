"""The chat page's sending half: it wakes the pages that wait, and each reads what was said from the database."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.messages import Address, Outbound


class WebChannel:
    """Conversations of the web page. A message that no page waits for is not lost: its row is read later."""

    name = "web"
    pulled = True

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = {}

    async def send(self, message: Outbound) -> None:
        """Wakes the pages that show the conversation."""
        for event in self._waiting.get(_key(message.address), ()):
            event.set()

    @contextmanager
    def subscribe(self, address: Address) -> Iterator[asyncio.Event]:
        """An event that is set whenever something was said, for as long as the block lasts.

        Clear it, then read, then wait: what is said between reading and waiting has set it again.
        """
        event = asyncio.Event()
        waiting = self._waiting.setdefault(_key(address), set())
        waiting.add(event)
        try:
            yield event
        finally:
            waiting.discard(event)
            if not waiting and self._waiting.get(_key(address)) is waiting:
                del self._waiting[_key(address)]

    @property
    def subscribers(self) -> int:
        """How many pages wait."""
        return sum(map(len, self._waiting.values()))


def _key(address: Address) -> tuple[str, str]:
    return address.account, address.conversation
