"""A channel that a platform calls: what came is handed on once, however often the platform tells it.

The platform waits five seconds for an answer, and asks three times. A turn that is done by then may be answered in the
same breath (`passive`); else the call is acknowledged, and delivery sends what is said as a message of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import structlog
from fastapi import APIRouter, Request, Response

from bot.channels.intake import refused, taken
from bot.channels.wechat.crypto import Callbacks, Query, RefusedError
from bot.messages import Attachment, Health, Known, SendError
from bot.supervisor import back_off

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.channels.wechat.client import Client
    from bot.channels.wechat.tokens import Shelf
    from bot.files import FileDesk
    from bot.messages import Address, Event, Inbound, Inlet, Outbound

log = structlog.get_logger(__name__)

#: How long an answer is remembered for the platform's next tries, in seconds, and how many of them.
_KEPT_SECONDS, _KEPT = 60.0, 5_000
#: How long what was taken in may take when the channel is stopped.
_FAREWELL_SECONDS = 8.0
#: Bytes that the platforms take for a file.
MOST_SENT = 10 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the channel stands: where files and tokens are kept, and what it says by itself (`say`)."""

    files: FileDesk
    shelf: Shelf
    say: Callable[[str, Mapping[str, Any]], str]
    public_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosed:
    """A file that came along, still on the platform."""

    media_id: str
    kind: Literal["picture", "file"]
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """What a callback says. `key` is the same whenever the platform tells it again.

    `left` is what it was where it is counted; `scene` the code that was scanned, `click` what answers a click.
    """

    key: str
    sender: str = ""
    inbound: Inbound | None = None
    enclosed: Enclosed | None = None
    event: Event | None = None
    left: str = ""
    scene: str = ""
    click: str = ""


class ClosedError(Exception):
    """Nothing is taken in at the moment."""


class Window:
    """The time in which the platform waits: what is said in it may be the answer of the call, once."""

    def __init__(self, *, passive: bool) -> None:
        loop = asyncio.get_running_loop()
        self._passive = passive
        self._rows: asyncio.Future[frozenset[int]] = loop.create_future()
        self._text: asyncio.Future[str] = loop.create_future()

    def expect(self, rows: frozenset[int]) -> None:
        """The turn is over: its answers are these rows."""
        if not self._rows.done():
            self._rows.set_result(rows)

    async def text(self) -> str:
        """What is said in it."""
        return await self._text

    async def takes(self, row: int, text: str) -> bool:
        """Gives it the text of a row, where that is an answer of its turn and it is still open."""
        return row in await asyncio.shield(self._rows) and self.claim(text)

    def claim(self, text: str) -> bool:
        """Makes this the answer; False where it is too late."""
        if not self._passive or self._text.done():
            return False
        self._text.set_result(text)
        return True

    def close(self) -> None:
        """Nothing more is taken; the answer is empty where none was."""
        self.expect(frozenset())
        if not self._text.done():
            self._text.set_result("")


class Hooked:
    """The half that both platforms share. A subclass reads callbacks and sends."""

    name = ""
    pulled = False
    over_http = True
    passive = False
    media_path = ""

    def __init__(self, place: Place, callbacks: Callbacks, client: Client, *, seconds: float) -> None:
        self._place = place
        self._callbacks = callbacks
        self._client = client
        self._seconds = seconds
        self._inlet: Inlet | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._state = "not started"
        self._counts: Counter[str] = Counter()
        self._answers: dict[str, tuple[float, asyncio.Task[str]]] = {}
        self._windows: dict[str, list[Window]] = {}
        self._work: set[asyncio.Task[None]] = set()

    # --- a channel

    async def start(self, inlet: Inlet) -> None:
        """Takes callbacks in until `stop`."""
        self._inlet = inlet
        self._stopping.clear()
        self._ended.clear()
        self._state = "callbacks"
        preparing, stopped = (asyncio.create_task(each) for each in (self._prepared(), self._stopping.wait()))
        try:
            await asyncio.wait((preparing, stopped), return_when=asyncio.FIRST_COMPLETED)
            if preparing.done():
                preparing.result()
            await stopped
        finally:
            for each in (preparing, stopped):
                each.cancel()
            await asyncio.gather(preparing, stopped, return_exceptions=True)
            self._ended.set()

    async def _prepared(self) -> None:
        failures = 0
        while True:
            try:
                await self.prepare()
            except SendError as error:
                failures += 1
                log.warning("wechat_away", channel=self.name, reason=error.reason, failures=failures)
                await asyncio.sleep(back_off(failures).total_seconds())
            else:
                return

    async def stop(self) -> None:
        """Ends `start`; what was taken in is answered first."""
        self._stopping.set()
        if self._work:
            await asyncio.wait(set(self._work), timeout=_FAREWELL_SECONDS)
        self._inlet = None
        self._state = "stopped"
        # A connection that is still being made would outlive a client that is closed meanwhile.
        await self._ended.wait()
        await self._client.close()

    def health(self) -> Health:
        """Whether callbacks are taken in; what an operator must set right is said, too."""
        return Health(up=self._inlet is not None, state=self._client.trouble or self._state, counts=dict(self._counts))

    # --- for the subclass

    async def prepare(self) -> None:
        """What is set on the platform when the channel starts. Raises SendError."""

    def read(self, fields: Mapping[str, str]) -> Read:
        """What a callback says."""
        raise NotImplementedError

    async def known(self, read: Read) -> str:
        """The 工号 that the platform vouches for; empty where there is none."""
        raise NotImplementedError

    async def clicked(self, read: Read) -> None:
        """A button was clicked."""

    async def say_plainly(self, address: Address, text: str) -> None:
        """Sends a text that is no row. Raises SendError."""
        raise NotImplementedError

    # --- taking in

    def echo(self, query: Query) -> str:
        """The registration of the address. Raises RefusedError."""
        return self._callbacks.echo(query, self._now())

    async def take(self, query: Query, body: bytes) -> tuple[str, Mapping[str, str]]:
        """Takes one callback in; the answer (empty: none), and what came. Raises RefusedError, ClosedError."""
        if self._inlet is None:
            raise ClosedError
        fields = self._callbacks.opened(query, body, self._now())
        read = self.read(fields)
        if not read.sender:
            raise RefusedError("nobody")
        return await asyncio.shield(self._answer_of(read)), fields

    def refused(self, reason: str) -> None:
        """Counts a callback that was not taken in."""
        self._counts[f"refused_{reason}"] += 1
        log.warning("callback_refused", channel=self.name, reason=reason)

    def _now(self) -> float:
        return self._place.shelf.clock().timestamp()

    def _answer_of(self, read: Read) -> asyncio.Task[str]:
        """The answer to an event: there is one, however often the platform asks for it."""
        now = asyncio.get_running_loop().time()
        if len(self._answers) > _KEPT or any(now - at > _KEPT_SECONDS for at, _ in list(self._answers.values())[:1]):
            self._answers = {key: kept for key, kept in self._answers.items() if now - kept[0] <= _KEPT_SECONDS}
        kept = self._answers.get(read.key)
        if kept is None:
            if read.left:
                self._counts[read.left] += 1
            kept = self._answers[read.key] = now, asyncio.create_task(self._answered(read))
        return kept[1]

    async def _answered(self, read: Read) -> str:
        """Hands an event on, and waits for what is said as long as the platform does."""
        window = Window(passive=self.passive and read.inbound is not None)
        windows = self._windows.setdefault(read.sender, [])
        windows.append(window)
        work = asyncio.create_task(self._worked(read, window))
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.shield(work)
                return await window.text()
        except TimeoutError:
            return ""
        finally:
            window.close()
            windows.remove(window)
            if not windows:
                self._windows.pop(read.sender, None)

    async def _worked(self, read: Read, window: Window) -> None:
        try:
            replies = await self._hand_on(read)
        except Exception as error:
            # A trace may hold what was said.
            log.error("callback_failed", channel=self.name, error=type(error).__name__)  # noqa: TRY400
            self._counts["failed"] += 1
            await self._apologize(read, window)
            return
        window.expect(frozenset(reply.id for reply in replies))
        if not self.passive or not replies:
            window.close()

    async def _hand_on(self, read: Read) -> tuple[Outbound, ...]:
        inlet = self._inlet
        if inlet is None:
            return ()
        if read.click:
            await self.clicked(read)
        staff_id = await self._vouched(read)
        if staff_id:
            address = read.inbound.address if read.inbound else self.address(read.sender)
            await inlet.notice(Known(address=address, sender=read.sender, staff_id=staff_id))
        if read.event is not None:
            await inlet.notice(read.event)
        if read.inbound is None:
            return ()
        enclosed = await self._fetched(read.inbound, read.enclosed)
        return await inlet.receive(replace(read.inbound, attachments=enclosed))

    async def _vouched(self, read: Read) -> str:
        try:
            return await self.known(read)
        except SendError:
            # They are asked to bind their 工号 themselves, then.
            return ""

    def address(self, sender: str) -> Address:
        """Where somebody is spoken to."""
        raise NotImplementedError

    async def _fetched(self, inbound: Inbound, enclosed: Enclosed | None) -> tuple[Attachment, ...]:
        if enclosed is None:
            return ()
        files = self._place.files
        found = await self._client.media(self.media_path, enclosed.media_id, files.rules.max_bytes)
        if found is None:
            return (refused(files, name=enclosed.name, kind=enclosed.kind),)
        where = inbound.address, inbound.sender
        return (await taken(files, *where, name=enclosed.name, kind=enclosed.kind, source=BytesIO(found[1])),)

    async def _apologize(self, read: Read, window: Window) -> None:
        """Nobody meets silence, not even where everything of ours is down."""
        text = self._place.say("channels.failed", {})
        if read.inbound is None:
            window.close()
        elif not window.claim(text):
            with contextlib.suppress(SendError):
                await self.say_plainly(read.inbound.address, text)
            window.close()

    # --- sending

    async def answers_call(self, message: Outbound, text: str) -> bool:
        """Whether a message became the answer of the call that it answers."""
        if not message.reply:
            return False
        for window in list(self._windows.get(message.address.conversation, ())):
            if await window.takes(message.id, text):
                return True
        return False


def hook_router(path: str, channel: Hooked, dress: Callable[[Query, Mapping[str, str], str], str]) -> APIRouter:
    """The platform's way in; `dress` makes an answer of a text. 403 for what is refused, 503 while nothing is taken."""
    router = APIRouter(tags=["渠道"])

    @router.get(path, include_in_schema=False)
    async def echo(request: Request) -> Response:
        try:
            return Response(channel.echo(Query.of(request.query_params)), media_type="text/plain")
        except RefusedError as error:
            channel.refused(error.reason)
            return Response(status_code=403)

    @router.post(path, include_in_schema=False)
    async def take(request: Request) -> Response:
        query = Query.of(request.query_params)
        try:
            text, fields = await channel.take(query, await request.body())
        except RefusedError as error:
            channel.refused(error.reason)
            return Response(status_code=403)
        except ClosedError:
            return Response(status_code=503)
        if not text:
            return Response("", media_type="text/plain")
        return Response(dress(query, fields, text), media_type="application/xml")

    return router


def read_file(path: Any) -> bytes:
    """A file to be sent, whole. Raises SendError where the platform does not take so much."""
    if path.stat().st_size > MOST_SENT:
        raise SendError("file too large", permanent=True)
    content: bytes = path.read_bytes()
    return content
