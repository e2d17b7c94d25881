"""The bridge: a process that holds the connection to the gateway and speaks to the assistant over HTTP.

It opens no database, and keeps what waits in memory alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from actions.core.errors import ConfigurationError
from bot.channels.wechaty.gateway import Connection
from bot.channels.wechaty.inward import Inward, Rules
from bot.channels.wechaty.link import Link, LinkError, Unwelcome
from bot.channels.wechaty.outward import Outward
from bot.channels.wechaty.pace import Time
from bot.channels.wechaty.puppet import Puppet
from bot.channels.wechaty.seen import Event, Place

if TYPE_CHECKING:
    from bot.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds that what was heard may take to be told, when the bridge is told to stop.
_FAREWELL = 5.0


class Bridge:
    """Both directions, and the line that they share."""

    def __init__(
        self, place: Place, link: Link, rules: Rules, *, time: Time | None = None, take_over: float = 60.0
    ) -> None:
        """Opens nothing yet; `take_over` as of `Connection`."""
        clock = time or Time()
        self.name = secrets.token_hex(8)
        self.counts: Counter[str] = Counter()
        self.connection = Connection(place, self._heard, self._changed, time=clock, take_over_after=take_over)
        self._link = link
        puppet = Puppet(self.connection)
        self.outward = Outward(self.name, self.connection, puppet, link, time=clock, counts=self.counts)
        self.inward = Inward(
            self.connection, puppet, link, rules, time=clock, counts=self.counts, echo=self.outward.echo
        )

    def _heard(self, event: Event) -> None:
        self.inward.heard(event)

    def _changed(self) -> None:
        state = self.connection.state
        (log.info if state in ("starting", "ready") else log.warning)("wechaty_state", state=state)
        self.outward.changed()

    async def run(self) -> None:
        """Until cancelled; then what was heard is told, for a few seconds, and the assistant learns that we are off."""
        parts = (self.connection.run(), self.inward.run(), self.outward.run())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            # None of them ends but by a fault of ours: then the process ends, and is started again.
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*ended)
        finally:
            await self._farewell()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._link.close()

    async def _farewell(self) -> None:
        with contextlib.suppress(TimeoutError, LinkError, Unwelcome):
            async with asyncio.timeout(_FAREWELL):
                await self.inward.drained()
        with contextlib.suppress(TimeoutError, LinkError, Unwelcome):
            async with asyncio.timeout(_FAREWELL):
                await self._link.report(self.outward.report(leaving=True))


def bridge_of(settings: Settings) -> Bridge:
    """The bridge of the settings. Raises ConfigurationError that names what is missing."""
    wechaty = settings.wechaty
    host, _, port = wechaty.endpoint.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigurationError("wechaty.endpoint: the gateway as host:port, such as 127.0.0.1:8788")
    if not wechaty.token.get_secret_value():
        raise ConfigurationError("NJR_WECHATY__TOKEN: the gateway's token is missing")
    if not wechaty.key.get_secret_value():
        raise ConfigurationError(
            "NJR_WECHATY__KEY: a key of the assistant is missing; `bot keys create wechaty --scope bridge` makes one"
        )
    place = Place(
        host=host.strip("[]"),
        port=int(port),
        token=wechaty.token.get_secret_value(),
        tls=wechaty.tls,
        ca=wechaty.ca,
        tls_name=wechaty.tls_name,
    )
    rules = Rules(
        accept_friends=wechaty.accept_friends, accept_rooms=wechaty.accept_rooms, most=settings.files.max_mb * 2**20
    )
    base = wechaty.base_url or f"http://{settings.http.host}:{settings.http.port}"
    link = Link(base, wechaty.key.get_secret_value())
    return Bridge(place, link, rules, take_over=wechaty.take_over_seconds)


async def serve_bridge(settings: Settings) -> None:
    """`bot serve --role wechaty`: runs until it is told to stop. Raises ConfigurationError."""
    running = asyncio.create_task(bridge_of(settings).run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
