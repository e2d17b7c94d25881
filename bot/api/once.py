"""`Idempotency-Key`: a request that comes again is answered as before, and done once.

After draft-ietf-httpapi-idempotency-key-header: the same name with another request is refused (422), and so is one
that comes while the first is still under way (409). Names are a caller's and a member's own, and kept for a day.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from actions.core.errors import DomainError
from bot.api.callers import Caller
from bot.api.errors import ApiError, refusal, told
from bot.api.parts import State, house_of
from bot.api.tables import KEPT, ApiAnswer
from bot.keys import digest

#: Whoever has not answered by then has died over it.
UNDER_WAY = timedelta(minutes=1)
_ABOUT = "api-answer"

#: The name that a caller gives a request.
Named = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[\x21-\x7e]*$",
        description="这次请求的名字，自己起，每件事一个。没收到回答就带着同一个名字原样再发：事情只办一次，回答一样。"
        "同一个名字、内容不同是 422。保留 24 小时",
        examples=["7f0d3a52-2f0e-4b0a-9a53-0c8c3f2f6c11"],
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Once:
    """A named request: digests of its name and of what it asks."""

    name: str
    request: str


def once(caller: Caller, sender: str, named: str, *asked: str | bytes) -> Once | None:
    """The request of a caller for a member; None where it has no name."""
    if not named:
        return None
    # The name is the caller's secret, and kept as a digest alone: what was asked cannot be guessed from the row.
    whole = hashlib.sha256(digest(named).encode() + named.encode())
    for part in asked:
        piece = part if isinstance(part, bytes) else part.encode()
        whole.update(len(piece).to_bytes(8) + piece)
    return Once(name=digest(f"{caller.name}\x1f{sender}\x1f{named}"), request=whole.hexdigest())


async def once_of(request: Request, caller: Caller, sender: str, named: str) -> Once | None:
    """As `once`, for a request whose body is small: by its method, address and body."""
    return once(caller, sender, named, request.method, str(request.url.path), await request.body())


async def command_once(
    api: State, this: Once | None, work: Callable[[AsyncSession], Awaitable[BaseModel]], statuses: dict[str, int]
) -> Response:
    """Does the work and keeps its answer in one unit of work: of two that come at once, one waits for the other.

    What a rule refuses is an answer too; `statuses` are those of its codes, 409 for the others. Raises ApiError.
    """
    async with api.parts.database.write() as session:
        if this is not None and (stored := await _claim(api, session, this)) is not None:
            return stored
        try:
            async with session.begin_nested():
                answer = JSONResponse((await work(session)).model_dump(mode="json", exclude_none=True))
        except DomainError as error:
            answer = told(api.parts.say, refusal(error, statuses.get(error.code, 409)))
        if this is not None:
            await _keep(api, session, this, answer)
    return answer


async def apart_once(api: State, this: Once | None, work: Callable[[], Awaitable[JSONResponse]]) -> Response:
    """For work that has units of work of its own; where it fails it may be tried again. Raises ApiError."""
    if this is None:
        return await work()
    async with api.parts.database.write() as session:
        stored = await _claim(api, session, this)
    if stored is not None:
        return stored
    try:
        answer = await work()
    except BaseException:
        async with api.parts.database.write() as session:
            await session.execute(delete(ApiAnswer).where(ApiAnswer.name == this.name))
        raise
    async with api.parts.database.write() as session:
        await _keep(api, session, this, answer)
    return answer


async def same_request(api: State, this: Once | None) -> None:
    """For what knows its repetitions by itself (a turn, by its message_id). Raises ApiError for another request."""
    if this is None:
        return
    async with api.parts.database.write() as session:
        row = await _row(api, session, this)
        if row is not None and row.request != this.request:
            raise ApiError(422, "other_request")


async def spent(session: AsyncSession, name: str, api: State) -> bool:
    """Whether something that counts once has been used; it has been from now on."""
    return await _row(api, session, Once(name=digest(name), request="")) is not None


async def _row(api: State, session: AsyncSession, this: Once) -> ApiAnswer | None:
    """The row that was there before; where there was none, it is there now. What is over is cleared away."""
    now = api.parts.now()
    await session.execute(delete(ApiAnswer).where(ApiAnswer.at <= now - KEPT))
    try:
        async with session.begin_nested():
            await session.execute(insert(ApiAnswer).values(name=this.name, request=this.request, body="", at=now))
    except IntegrityError:
        return await session.get(ApiAnswer, this.name, with_for_update=not api.parts.database.is_sqlite)
    return None


async def _claim(api: State, session: AsyncSession, this: Once) -> Response | None:
    """The stored answer; None where it is ours to find one. Raises ApiError."""
    row, now = await _row(api, session, this), api.parts.now()
    if row is None:
        return None
    if row.request != this.request:
        raise ApiError(422, "other_request")
    if row.status is not None:
        kept: str = house_of(api).vault.open(row.body, about=_ABOUT)
        again = {"Idempotency-Replayed": "true"}
        return Response(kept, status_code=row.status, headers=again, media_type="application/json")
    if row.at > now - UNDER_WAY:
        raise ApiError(409, "under_way", headers={"Retry-After": "2"})
    row.at = now
    return None


async def _keep(api: State, session: AsyncSession, this: Once, answer: JSONResponse) -> None:
    row = await session.get(ApiAnswer, this.name, populate_existing=True)
    if row is not None:
        row.status = answer.status_code
        row.body = house_of(api).vault.seal(bytes(answer.body).decode(), about=_ABOUT)
