"""Who calls: a server with a key that may do this (it vouches for the sender), or a browser with its session."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from actions.core.commands import Actor, actor_for
from actions.core.tables import Account, ApiKey, Member
from bot.api.errors import ApiError, too_many
from bot.api.parts import Api, State
from bot.api.sessions import COOKIE
from bot.keys import find_key

CHANNEL = "web"
#: Who signed in to the console: they speak for themselves alone, whatever key somebody has.
OFFICER = "officer-"

# For the description alone: what a request brings is read below.
_BEARER = HTTPBearer(
    scheme_name="key", bearerFormat="njr_…", description="服务端的密钥，`bot keys create` 发放", auto_error=False
)
_COOKIE = APIKeyCookie(name=COOKIE, scheme_name="session", description="聊天页自己的会话", auto_error=False)
BY_KEY = Security(_BEARER)
BY_SESSION = Security(_COOKIE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks: a server with a key (`sender` is empty, it vouches for others), or a browser's session."""

    sender: str = ""
    conversation: str = ""
    session: int = 0
    key: ApiKey | None = None

    def speaking(self, sender: str) -> str:
        """For whom. Raises ApiError: 422 where nobody is named, 403 where that is not the key's to say."""
        if self.sender:
            return self.sender
        if not sender or "\x00" in sender:
            raise ApiError(422, "invalid", fields="sender")
        return self._own(sender, "sender")

    def within(self, conversation: str, sender: str = "") -> str:
        """In which conversation, the sender's own where none is named. Raises ApiError as `speaking` does."""
        if self.conversation:
            return self.conversation
        conversation = conversation or sender
        if not conversation:
            raise ApiError(422, "invalid", fields="conversation")
        return self._own(conversation, "conversation")

    def _own(self, name: str, field: str) -> str:
        prefix = self.key.senders if self.key else ""
        if not name.startswith(prefix) or name.startswith(OFFICER):
            raise ApiError(403, "not_your_sender", field=field, prefix=prefix)
        return name

    @property
    def name(self) -> str:
        """What tells callers apart."""
        return f"key:{self.key.id}" if self.key else f"session:{self.sender}"


async def check_key(api: State, authorization: str, scope: str) -> ApiKey:
    """The key of a header.

    Raises ApiError: 401 for anything but a bearer key that is in force, 403 where it may not do this, 429 where it is
    used too often.
    """
    scheme, _, key = authorization.partition(" ")
    row = await find_key(api.parts.database, key.strip(), api.parts.now())
    if row is None or scheme.lower() != "bearer":
        raise ApiError(401, "bad_key", headers={"WWW-Authenticate": "Bearer"})
    if wait := api.keys.take(str(row.id), row.per_minute):
        raise too_many(wait)
    if scope not in row.scopes.split():
        raise ApiError(403, "no_scope", scope=scope)
    return row


def called_for(scope: str, *, limited: bool = False) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """The caller of a route that asks for this scope; `limited`: of a session, a minute has only so many of them."""

    async def caller(request: Request, api: Api, _bearer: Any = BY_KEY, _cookie: Any = BY_SESSION) -> Caller:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return Caller(key=await check_key(api, authorization, scope))
        session = await api.parts.sessions.find(request)
        if session is None:
            raise ApiError(401, "no_session")
        if limited and (wait := api.messages.take(f"{scope}:{session.token_hash}")):
            raise too_many(wait)
        return Caller(sender=session.sender, conversation=session.conversation, session=session.id)

    return caller


def require_json(request: Request) -> None:
    """Raises ApiError. A form of another site can send a cookie, but not this content type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "not_json")


async def actor_of(session: AsyncSession, sender: str) -> Actor:
    """Who a sender is: the bound member with their roles, or somebody not bound (who left counts as such)."""
    origin: dict[str, Any] = {"channel": CHANNEL, "sender": sender}
    query = (
        select(Member)
        .join(Account, Account.member_id == Member.id)
        .where(Account.channel == CHANNEL, Account.account == "", Account.sender == sender, Member.status != "left")
    )
    member = (await session.execute(query)).unique().scalar_one_or_none()
    return Actor(**origin) if member is None else await actor_for(session, member, **origin)


#: For whom a server asks.
Sender = Annotated[
    str,
    Query(
        max_length=120,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="替谁：持密钥的调用方给出，网页会话不必给",
        examples=["e-home-20180312"],
    ),
]
#: In which conversation a server asks.
Conversation = Annotated[
    str,
    Query(
        max_length=160,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="会话编号：持密钥的调用方给出，网页会话不必给",
        examples=["e-home-20180312"],
    ),
]
Listing = Annotated[Caller, Depends(called_for("lists"))]
Acting = Annotated[Caller, Depends(called_for("act", limited=True))]
