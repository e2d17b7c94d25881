"""`/api/v1/official-account`: from 公众号 to the chat page as oneself, and from the page a code that binds 公众号."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol

from fastapi import APIRouter, Cookie, Query, Request
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from starlette.responses import Response  # noqa: TC002 - read while the program runs

from actions.core.errors import DomainError
from actions.core.tables import Account, Member
from bot.api import sso
from bot.api.parts import Api  # noqa: TC001 - read while the program runs
from bot.api.provider import Identity
from bot.api.signing_in import CHANNEL, LIFETIME, Returned, SingleSignOn
from bot.messages import SendError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from actions.core.database import Database
    from bot.api.provider import Attempt
    from bot.api.sessions import Sessions
    from bot.gateway import House

PREFIX = "/api/v1/official-account"
ENTER = f"{PREFIX}/enter"
ENTERED = f"{PREFIX}/entered"
COOKIE = "njr_oa"

_NAME = "official_account"
_Text = Annotated[str, Query(max_length=4096)]
_Attempt = Annotated[str, Cookie(alias=COOKIE, max_length=4096)]


class Vouchers(Protocol):
    """What 公众号 can tell of people."""

    def sign_in_url(self, callback: str, state: str) -> str:
        """Where WeChat's browser is sent to tell who it is."""
        ...

    async def openid_of(self, code: str) -> str:
        """Whom a code stands for. Raises SendError."""
        ...

    async def invitation(self, staff_id: str) -> str:
        """The address of a picture: whoever scans it is that member. Raises SendError."""
        ...


class _Openids:
    """Vouches for followers whose account is bound: they are who they are in 公众号."""

    label = ""
    issuer = ""

    def __init__(self, account: Vouchers, database: Database, callback: str) -> None:
        self._account = account
        self._database = database
        self._callback = callback

    async def authorization_url(self, attempt: Attempt, now: datetime) -> str:
        """Where WeChat's browser goes."""
        del now
        return self._account.sign_in_url(self._callback, attempt.state)

    async def identify(self, code: str, attempt: Attempt, now: datetime) -> Identity:
        """Raises DomainError: sso_refused, sso_unreachable, oa_not_bound."""
        del attempt, now
        try:
            openid = await self._account.openid_of(code)
        except SendError as error:
            raise DomainError("sso_refused" if error.permanent else "sso_unreachable") from error
        staff_id = await _staff_id(self._database, _NAME, openid)
        if not staff_id:
            raise DomainError("oa_not_bound")
        return Identity(staff_id=staff_id, name="")


def entrance_router(
    account: Vouchers, house: House, clock: Callable[[], datetime], sessions: Sessions, public_url: str
) -> APIRouter:
    """The routes. The state is sealed in a cookie of the browser that began; the platform takes each code once."""
    router = APIRouter(prefix=PREFIX, tags=["渠道"])
    signing_in = SingleSignOn(
        _Openids(account, house.database, f"{public_url.rstrip('/')}{ENTERED}"), house, clock, sessions
    )

    @router.get("/enter", include_in_schema=False)
    async def enter(request: Request, api: Api) -> Response:
        if api.new_sessions.take(request.client.host if request.client else ""):
            return sso.page(api, "sso.too_many", {}, 429, ENTER)
        url, attempt = await signing_in.begin()
        response = RedirectResponse(url, status_code=303)
        seconds = int(LIFETIME.total_seconds())
        response.set_cookie(
            COOKIE, attempt, max_age=seconds, path=PREFIX, secure=sso.secure(api), httponly=True, samesite="lax"
        )
        return response

    @router.get("/entered", include_in_schema=False)
    async def entered(
        request: Request, api: Api, code: _Text = "", state: _Text = "", njr_oa: _Attempt = ""
    ) -> Response:
        response: Response = RedirectResponse("/", status_code=303)
        try:
            returned = Returned(code=code, state=state, error="", issuer="")
            await signing_in.end(request, response, njr_oa, returned)
        except DomainError as refused:
            response = sso.failed(api, refused, ENTER)
        response.delete_cookie(COOKIE, path=PREFIX, secure=sso.secure(api), httponly=True, samesite="lax")
        return response

    @router.get("/qr", include_in_schema=False)
    async def code(request: Request, api: Api) -> Response:
        session = await sessions.find(request)
        staff_id = "" if session is None else await _staff_id(house.database, CHANNEL, session.sender)
        if not staff_id:
            return sso.failed(api, DomainError("oa_no_member"), ENTER)
        if session is not None and api.messages.take(session.token_hash):
            return sso.page(api, "sso.too_many", {}, 429, ENTER)
        try:
            return RedirectResponse(await account.invitation(staff_id), status_code=303)
        except SendError:
            return sso.failed(api, DomainError("sso_unreachable"), ENTER)

    return router


async def _staff_id(database: Database, channel: str, sender: str) -> str:
    """The 工号 of whom an account is bound to; empty for nobody, and for who has left."""
    query = (
        select(Member.staff_id)
        .join(Account, Account.member_id == Member.id)
        .where(Account.channel == channel, Account.account == "", Account.sender == sender, Member.status != "left")
    )
    async with database.read() as session:
        return (await session.execute(query)).scalar_one_or_none() or ""
