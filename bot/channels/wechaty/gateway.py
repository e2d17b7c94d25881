"""A thin client of a Wechaty gateway (puppet service) over gRPC: stays connected, and never restarts the puppet.

It stands in for the connection of the package `wechaty`, which gives up where we go on: see docs/decisions/0007.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.const import Cardinality, Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from bot.channels.wechaty.pace import ANSWERED_WITHIN, BEAT, CONNECT, Time, pause
from bot.channels.wechaty.seen import EVENTS, AwayError, DoubtError, Event, GatewayError, RefusedError
from bot.channels.wechaty.stubs import puppet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from grpclib.client import Stream

    from bot.channels.wechaty.seen import Place
    from bot.wire import State

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_SERVICE = "/wechaty.Puppet/"
#: The gateway itself gives its puppet fifteen seconds to start.
_START_SECONDS = 20.0
_LETTING_GO = 1.0
#: What it means that the gateway refuses us.
_STATES: dict[Status, State] = {Status.ALREADY_EXISTS: "taken", Status.UNAUTHENTICATED: "refused"}
#: What a connection may do wrong: whatever else it is, it is over.
_BROKEN = (OSError, StreamTerminatedError, ProtocolError, ConnectionError, TimeoutError, EOFError)


async def apart(work: Coroutine[Any, Any, _T]) -> _T:
    """Does something of grpclib's in a task of its own.

    The library tells of a broken line by cancelling whoever waits for it, and where that happens together with a
    cancellation of ours, ours is lost. Raises DoubtError where nothing but a cancellation came of it.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        ended, _ = await asyncio.wait({task}, timeout=_LETTING_GO)
        if ended and not task.cancelled():
            task.exception()  # looked at: nobody else will
        raise
    if task.cancelled():
        raise DoubtError("cancelled")
    return task.result()


class Connection:
    """The line to the gateway: made anew whenever it breaks, for as long as `run` runs."""

    def __init__(
        self,
        place: Place,
        heard: Callable[[Event], None],
        changed: Callable[[], None] = lambda: None,
        *,
        time: Time | None = None,
        take_over_after: float = 60.0,
    ) -> None:
        """Opens nothing yet.

        Args:
            place: where the gateway is.
            heard: is given every event; it must not wait.
            changed: is told whenever `state` has changed.
            time: the clock.
            take_over_after: seconds. A gateway serves one client; a line of ours that broke without its noticing
                counts as one. After so long it is asked once to stop and start; 0: never.

        """
        self.state: State = "away"
        self.user = ""
        self.connected = asyncio.Event()
        self._place = place
        self._heard = heard
        self._changed = changed
        self._time = time or Time()
        self._take_over_after = take_over_after
        self._taken_since: float | None = None
        self._took_over = False
        self._channel: Channel | None = None
        self._tries = 0
        self._metadata = {"authorization": f"Wechaty {place.token}"}

    # --- staying connected

    async def run(self) -> None:
        """Connects, listens and connects again, until cancelled."""
        while True:
            state: State = "away"
            try:
                await apart(self._once())
                reason = "closed by the gateway"
            except RefusedError as error:
                state, reason = error.state, str(error)
            except GatewayError as error:
                reason = str(error)
            except Exception as error:
                # Whatever answers there is no gateway, or one that talks nonsense: it may be one again later.
                reason = type(error).__name__
            self._lost(state)
            seconds = pause(self._tries, random.random())  # noqa: S311 - spreads tries, keeps no secret
            log.warning("wechaty_away", reason=reason, tries=self._tries, again_in=round(seconds, 1))
            self._tries += 1
            await self._time.sleep(seconds)

    async def _once(self) -> None:
        """One connection, from its beginning to its end."""
        async with self._open() as channel:
            try:
                async with asyncio.timeout(CONNECT):
                    await channel.__connect__()
            except TimeoutError as error:
                raise AwayError("no connection in time") from error
            await self._ask(channel, "Version", puppet.VersionRequest(), puppet.VersionResponse, seconds=CONNECT)
            await self._maybe_take_over(channel)
            # Nothing where it runs already. Never Stop first: that would log the account out of some puppets.
            await self._ask(channel, "Start", puppet.StartRequest(), puppet.StartResponse, seconds=_START_SECONDS)
            await self._listen(channel)

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[Channel]:
        place = self._place
        context = None
        if place.tls:
            context = ssl.create_default_context(cafile=place.ca or None)
            context.set_alpn_protocols(["h2"])
        config = Configuration(ssl_target_name_override=place.tls_name or None) if place.tls else None
        channel = Channel(place.host, place.port, ssl=context, config=config)
        try:
            yield channel
        finally:
            channel.close()

    async def _listen(self, channel: Channel) -> None:
        """Events for as long as the line is good."""
        beating = asyncio.create_task(self._beat(channel))
        listening = asyncio.create_task(self._events(channel))
        try:
            ended, _ = await asyncio.wait((beating, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (beating, listening):
                task.cancel()
            await asyncio.gather(beating, listening, return_exceptions=True)
        for task in ended:
            await task

    async def _beat(self, channel: Channel) -> None:
        """Ends with an error as soon as the gateway answers no more."""
        while True:
            await self._time.sleep(BEAT)
            await self._ask(
                channel, "Version", puppet.VersionRequest(), puppet.VersionResponse, seconds=ANSWERED_WITHIN
            )

    async def _events(self, channel: Channel) -> None:
        request = puppet.EventRequest()
        async with (
            self._translated("Event"),
            self._stream(channel, "Event", request, puppet.EventResponse, Cardinality.UNARY_STREAM) as stream,
        ):
            await stream.send_message(request, end=True)
            self._channel = channel
            async for answer in stream:
                if not self.connected.is_set():
                    self._begun()
                self._take(answer)

    def _begun(self) -> None:
        """The first event tells that the stream is ours."""
        self._tries, self._taken_since, self._took_over = 0, None, False
        self.connected.set()
        log.info("wechaty_connected")
        if self.state not in ("scan", "logged_out", "ready"):
            self._now("starting")

    def _lost(self, state: State) -> None:
        self.connected.clear()
        self._channel = None
        if state == "taken":
            self._taken_since = self._time.now() if self._taken_since is None else self._taken_since
        elif state != "away":
            self._taken_since = None
        self._now(state)

    async def _maybe_take_over(self, channel: Channel) -> None:
        since, after = self._taken_since, self._take_over_after
        if since is None or self._took_over or not after or self._time.now() - since < after:
            return
        self._took_over = True
        log.warning("wechaty_taking_over")
        await self._ask(channel, "Stop", puppet.StopRequest(), puppet.StopResponse, seconds=_START_SECONDS)

    def _now(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._changed()

    # --- what is heard

    def _take(self, answer: Any) -> None:
        kind = EVENTS.get(int(answer.type))
        if kind is None:
            return
        try:
            data = json.loads(answer.payload or "{}")
        except ValueError:
            data = None
        if not isinstance(data, dict):
            log.warning("wechaty_nonsense", kind=kind)
            return
        event = Event(kind=kind, data=data)
        match kind:
            case "login":
                self.user = event.text("contactId")
                self._now("ready")
            case "logout":
                self.user = ""
                self._now("logged_out")
            case "scan" if event.text("qrcode"):
                self._now("scan")
        self._heard(event)

    # --- calls

    async def ask(self, name: str, request: Any, answers: type[_T], *, seconds: float = 10.0) -> _T:
        """One call. Raises AwayError, RefusedError, DoubtError."""
        if self._channel is None:
            raise AwayError("not connected")
        return await self._ask(self._channel, name, request, answers, seconds=seconds)

    async def _ask(self, channel: Channel, name: str, request: Any, answers: type[_T], *, seconds: float) -> _T:
        return await apart(self._asked(channel, name, request, answers, seconds=seconds))

    async def _asked(self, channel: Channel, name: str, request: Any, answers: type[_T], *, seconds: float) -> _T:
        answer: _T | None = None
        async with (
            self._translated(name),
            asyncio.timeout(seconds),
            self._stream(channel, name, request, answers, Cardinality.UNARY_UNARY) as stream,
        ):
            await stream.send_message(request, end=True)
            answer = await stream.recv_message()
        if answer is None:
            raise RefusedError(f"{name}: no answer")
        return answer

    @contextlib.asynccontextmanager
    async def _translated(self, name: str) -> AsyncIterator[None]:
        try:
            yield
        except GRPCError as error:
            raise RefusedError(f"{name}: {error.status.name}", _STATES.get(error.status, "away")) from error
        except ConnectionRefusedError as error:
            raise AwayError(f"{name}: no connection") from error
        except _BROKEN as error:
            raise DoubtError(f"{name}: {type(error).__name__}") from error

    def stream(self, name: str, request: Any, answers: type[_T], cardinality: Cardinality) -> Stream[Any, _T]:
        """A call of several parts; to be used with `parts`, and `apart`. Raises AwayError."""
        if self._channel is None:
            raise AwayError("not connected")
        return self._stream(self._channel, name, request, answers, cardinality)

    def _stream(
        self, channel: Channel, name: str, request: Any, answers: type[_T], cardinality: Cardinality
    ) -> Stream[Any, _T]:
        # The types of grpclib know the classes of protobuf alone; those of betterproto do as well.
        stream: Stream[Any, _T] = channel.request(
            _SERVICE + name, cardinality, type(request), answers, metadata=self._metadata
        )
        return stream

    def parts(self, name: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Within the block errors are those of `ask`."""
        return self._translated(name)
