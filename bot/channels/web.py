"""The chat page's sending half: it wakes the pages that wait, and each reads what was said from the database."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from datetime import datetime

    from bot.messages import Address, Outbound

    Heard = Callable[[str, int], Awaitable[tuple[int, Sequence[Address]]]]

log = structlog.get_logger(__name__)

#: Microseconds by which a position may be committed after a greater one.
_LATE = 10_000_000


class WebChannel:
    """Conversations of the web page. A message that no page waits for is not lost: its row is read later."""

    name = "web"
    pulled = True

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = {}

    async def send(self, message: Outbound) -> None:
        """Wakes the pages that show the conversation."""
        self.wake(message.address)

    def wake(self, address: Address) -> None:
        """Tells the pages that show a conversation to read on."""
        for event in self._waiting.get(_key(address), ()):
            event.set()

    async def watch(self, heard: Heard, now: Callable[[], datetime], *, pause: float = 2.0) -> None:
        """Wakes the pages for what other processes said, until cancelled: one look for all of them.

        `heard` gives where something was said after a position, and the last position. What is committed late is
        looked for once more: a page that is woken for nothing reads nothing twice.
        """
        after = int(now().timestamp() * 1_000_000)
        while True:
            await asyncio.sleep(pause)
            if not self._waiting:
                continue
            try:
                last, places = await heard(self.name, after - _LATE)
            except Exception:
                log.exception("watch_failed")
                continue
            after = max(after, last)
            for address in places:
                self.wake(address)

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
