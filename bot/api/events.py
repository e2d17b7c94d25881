"""`GET /api/v1/events`: what is said in the page's conversation, as server-sent events that can be resumed."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from bot.api.callers import Caller, Conversation, called_for
from bot.api.chat import ChatReply
from bot.api.errors import REFUSALS, too_many
from bot.api.parts import Api, State
from bot.keys import find_key
from bot.messages import Address, Outbound

log = structlog.get_logger(__name__)

router = APIRouter(tags=["对话"])

_EXAMPLE = 'id: 182\ndata: {"text": "提醒：明天 14:00 有一个预约。", "options": [], "id": "182", "reply": false}\n\n'
_BATCH = 50
_LAST = 2**63 - 1
_RETRY_MS = 3000
# So many quick looks follow a wake that found nothing: the row may be committed a moment after it.
_QUICK_LOOKS = 3


class EventStream(StreamingResponse):
    """A stream whose subscription ends with the request, however that ends.

    Nothing is read for a client that has not taken what was read before; one that takes nothing for `stall` seconds is
    let go, and reads on from its last event when it comes back.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str, None], *, stall: float) -> None:
        # Proxies must hand on every event at once.
        super().__init__(events, headers={"X-Accel-Buffering": "no"})
        self._events = events
        self._stall = stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Closes the generator at the end: waiting for the garbage collector would keep the page subscribed."""
        stalled = False

        async def pressing(message: Message) -> None:
            nonlocal stalled
            try:
                async with asyncio.timeout(self._stall):
                    await send(message)
            except TimeoutError:
                stalled = True
                raise

        try:
            await super().__call__(scope, receive, pressing)
        except (ClientDisconnect, TimeoutError):
            if not stalled:
                raise
            log.info("stream_stalled")
        finally:
            await self._events.aclose()


@router.get(
    "/api/v1/events",
    summary="接收推送",
    response_class=StreamingResponse,
    responses={
        **REFUSALS,
        200: {
            "description": "text/event-stream；每条的 data 与 chat 的一条回答同形，id 可用来续传",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
    },
)
async def events(
    request: Request,
    caller: Annotated[Caller, Depends(called_for("events"))],
    api: Api,
    conversation: Conversation = "",
    after: Annotated[int, Query(ge=0, le=_LAST, description="从这个位置之后开始")] = 0,
    last_event_id: Annotated[str, Header(description="断线重连时由浏览器给出，优先于 after")] = "",
) -> EventStream:
    """会话里说的每一句：工会主动说的提醒、通知、审批，以及同一会话别的页面得到的回答（`reply` 为真）。

    持密钥的调用方一条连接收一个会话的，`conversation` 说是哪个。
    """
    listener = _Listener(caller=caller, conversation=caller.within(conversation))
    if api.streams.get(listener.name, 0) >= api.parts.limits.streams_per_session:
        raise too_many(int(api.parts.pace.heartbeat))
    if last_event_id.isascii() and last_event_id.isdigit():
        after = min(int(last_event_id[:19]), _LAST)
    return EventStream(_stream(api, request, listener, after), stall=api.parts.pace.stall)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listener:
    """Who listens to which conversation."""

    caller: Caller
    conversation: str

    @property
    def name(self) -> str:
        """Whose streams are counted together: of a key, those of one conversation."""
        caller = self.caller
        return f"session:{caller.session}" if caller.key is None else f"{caller.name}:{self.conversation}"

    async def still(self, api: State, request: Request) -> bool:
        """Whether they may go on."""
        if self.caller.key is None:
            return await api.parts.sessions.find(request) is not None
        key = request.headers.get("authorization", "").partition(" ")[2]
        return await find_key(api.parts.database, key.strip(), api.parts.now()) is not None


async def _stream(api: State, request: Request, listener: _Listener, after: int) -> AsyncGenerator[str, None]:
    name = listener.name
    api.streams[name] = api.streams.get(name, 0) + 1
    api.parts.metrics.streams.inc()
    try:
        yield f"retry: {_RETRY_MS}\n\n"
        address = Address(channel="web", conversation=listener.conversation)
        own = listener.caller.key is None
        with api.parts.subscribe(address) as wake:
            async for chunk in _listen(api, address, wake, after, base="" if own else _base(api)):
                yield chunk
                if chunk is _HEARTBEAT and not await listener.still(api, request):
                    return
    finally:
        api.parts.metrics.streams.dec()
        api.streams[name] -= 1
        if not api.streams[name]:
            del api.streams[name]


def _base(api: State) -> str:
    return api.parts.settings.http.public_url


# An event, not a comment: the page has to notice a line that is dead and does not know it.
_HEARTBEAT = "event: beat\ndata: 1\n\n"


async def _listen(
    api: State, address: Address, wake: asyncio.Event, after: int, *, base: str
) -> AsyncGenerator[str, None]:
    parts, clock = api.parts, asyncio.get_running_loop().time
    beat, quick = clock() + parts.pace.heartbeat, 0
    while not parts.stopping.is_set():
        # Cleared before the look: what is said from here on sets it again.
        quick = _QUICK_LOOKS if wake.is_set() else quick - 1
        wake.clear()
        said: Sequence[Outbound] = await parts.since(address, after, _BATCH)
        for message in said:
            after = message.id
            reply = ChatReply.of(message, base, own=True)
            yield f"id: {after}\ndata: {reply.model_dump_json(exclude_none=True)}\n\n"
        if clock() >= beat:
            beat = clock() + parts.pace.heartbeat
            yield _HEARTBEAT
        if len(said) < _BATCH:
            pause = parts.pace.settle if quick > 0 and not said else parts.pace.poll
            await _first_of(wake, parts.stopping, seconds=min(pause, max(0.0, beat - clock())))


async def _first_of(*happenings: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.ensure_future(happening.wait()) for happening in happenings]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
