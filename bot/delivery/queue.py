"""Sending what waits: rows decide what is due, and a row that is being handed over has a worker.

Interactive answers come before everything; a channel that is slow, away or full keeps no other waiting. A worker that
dies is taken over by the others, or by itself when it is started again.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.delivery.ledger import BEAT, Ledger
from bot.delivery.pages import Pages
from bot.delivery.picking import Picker
from bot.delivery.posting import Post
from bot.delivery.rules import Rules
from bot.delivery.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actions.core.database import Database
    from actions.core.vault import Vault
    from bot.delivery.limits import Limits
    from bot.messages import Address, Outbound, Senders
    from bot.wording import Wording

log = structlog.get_logger(__name__)


def worker_name() -> str:
    """A name that no other process has, and that tells an operator where it ran."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"


class Delivery:
    """The queue of one process."""

    def __init__(  # noqa: PLR0913 - called once, by the composition root
        self,
        database: Database,
        vault: Vault,
        wording: Wording,
        senders: Senders,
        clock: Callable[[], datetime],
        *,
        text_hours: int,
        rules: Rules | None = None,
        limits: Mapping[str, Limits] | None = None,
        fault: Callable[[str], None] = lambda _point: None,
    ) -> None:
        """What is sent by `senders`, as `rules` and each channel's `limits` allow.

        Args:
            database: where the rows are.
            vault: opens their text.
            wording: renders it.
            senders: the channels that run in this process.
            clock: the moment, aware of its zone.
            text_hours: how long the sealed text of what was said is kept.
            rules: quiet hours and caps; the defaults where none are given.
            limits: by channel name; a channel that is missing has none.
            fault: as the house has it.

        """
        worker, texts, self._limits = worker_name(), Texts(vault, wording), dict(limits or {})
        longest = max((each.longest for each in self._limits.values()), default=timedelta())
        self._picker = Picker(
            database, texts, rules or Rules(), self._limits, senders.by_channel, worker=worker, clock=clock
        )
        self._ledger = Ledger(database, worker, longest)
        self._pages = Pages(database, texts)
        self._posts = [Post(sender, self._picker, self._ledger, clock, fault) for sender in senders.by_channel.values()]
        self._clock = clock
        self._text_kept = timedelta(hours=text_hours)
        self._wake = asyncio.Event()
        self._seen: datetime | None = None
        self._opened = False

    def wake(self) -> None:
        """Something was written that may be due now."""
        self._wake.set()
        for post in self._posts:
            post.wake()

    async def run(self, *, pause: float = 1.0) -> None:
        """Sends what is due until cancelled; looks every `pause` seconds, and at once when woken."""
        await self._begin()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._live())
                tasks.create_task(self._route_always(pause))
                for post in self._posts:
                    tasks.create_task(post.run(pause))
        finally:
            await self._ledger.leave()

    async def _begin(self) -> None:
        if not self._opened:
            await self._picker.open()
            self._opened = True
        now = self._clock()
        if self._seen is None or abs(now - self._seen) >= BEAT:
            await self._ledger.beat(now)
            self._seen = now

    async def _live(self) -> None:
        """Tells that this worker lives, and looks after those that do not."""
        while True:
            try:
                await self._ledger.beat(self._clock())
                if await self._ledger.take_over(self._clock()):
                    self.wake()
            except Exception:
                log.exception("beat_failed")
            await asyncio.sleep(BEAT.total_seconds())

    async def _route_always(self, pause: float) -> None:
        while True:
            self._wake.clear()
            try:
                while await self._picker.route(self._clock()):
                    for post in self._posts:
                        post.wake()
            except Exception:
                log.exception("routing_failed")
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=pause)
            except TimeoutError:
                continue

    async def flush(self) -> list[Outbound]:
        """Sends what may be sent at this moment, and waits for it; returns what was said."""
        await self._ledger.take_over(self._clock())
        while await self._picker.route(self._clock()):
            pass
        said: list[Outbound] = []
        for post in self._posts:
            while await self._picker.waits(post.sender.name, self._clock()):
                await self._begin()
                moved, messages = await post.flush()
                said += messages
                if not moved:
                    break
        return sorted(said, key=lambda message: message.id)

    async def since(self, address: Address, after: int, limit: int) -> list[Outbound]:
        """What was said in a conversation after a position, oldest first: notices, and replies for its other pages."""
        return await self._pages.since(address, after, limit)

    async def before(self, address: Address, position: int, limit: int) -> list[Outbound]:
        """The last things that were said in a conversation before a position, oldest first."""
        return await self._pages.before(address, position, limit)

    async def heard(self, channel: str, after: int) -> tuple[int, list[Address]]:
        """Where something was said on a channel after a position, by any process, and the last position."""
        return await self._pages.heard(channel, after)

    async def forget(self) -> None:
        """Empties the text of what was said long enough ago, and deletes old turns."""
        await self._pages.forget(self._clock(), self._text_kept)
