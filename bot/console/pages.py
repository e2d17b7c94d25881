"""Sign-in with 工号 and password, the change of a temporary password, sign-out. Rendered here, without any script."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection
from starlette.responses import Response

from actions.core.commands import Actor, Context, actor_for
from actions.core.database import Database
from actions.core.errors import DomainError
from actions.core.tables import Account, Credential, Member, WebSession
from actions.membership import passwords
from actions.membership.people import fold_staff_id

CHANNEL = "web"
PREFIX = "officer-"
#: An officer signs in anew every working day.
LIFETIME = timedelta(hours=12)


class Sessions(Protocol):
    """The browser's sessions, as the HTTP interface keeps them."""

    async def open(self, work: AsyncSession, response: Response, sender: str, *, lifetime: timedelta) -> WebSession:
        """Opens a session and gives its cookie to the response."""
        ...

    async def find(self, request: HTTPConnection) -> WebSession | None:
        """The session of the request's cookie."""
        ...

    async def close(self, work: AsyncSession, request: HTTPConnection, response: Response | None = None) -> None:
        """Ends the request's session."""
        ...

    async def close_all(self, work: AsyncSession, sender: str) -> None:
        """Ends all sessions of a sender."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsoleParts:
    """What the console needs.

    Attributes:
        context: a context for a unit of work and an actor.
        attempt: counts an attempt from an address; 0, or the seconds to wait.
        say: renders a sentence of data/responses (`Wording.text`).

    """

    database: Database
    context: Callable[[AsyncSession, Actor], Context]
    attempt: Callable[[str], int]
    sessions: Sessions
    say: Callable[[str, Mapping[str, Any]], str]


def console_router(parts: ConsoleParts) -> APIRouter:
    """The pages under /console/."""
    pages = _Pages(parts)
    router = APIRouter(prefix="/console", include_in_schema=False)
    router.add_api_route("/", pages.home, methods=["GET"])
    router.add_api_route("/sign-in", pages.sign_in, methods=["POST"])
    router.add_api_route("/password", pages.password, methods=["POST"])
    router.add_api_route("/sign-out", pages.sign_out, methods=["POST"])
    return router


class _Refused(Exception):  # noqa: N818 - it ends a step, it is no fault
    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class _Pages:
    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts

    async def home(self, request: Request) -> Response:
        member = await self._signed_in(request)
        return _page("sign_in.html") if member is None else _page("home.html", name=member.name)

    async def sign_in(self, request: Request) -> Response:
        form = await _form(request)
        async with self._parts.database.write() as work:
            try:
                member = await self._verified(work, request, form)
            except _Refused as refused:
                return _refusal("sign_in.html", refused, form)
            if await _temporary(work, member):
                return _page("password.html", staff_id=member.staff_id)
            return await self._enter(work, request, member)

    async def password(self, request: Request) -> Response:
        form = await _form(request)
        async with self._parts.database.write() as work:
            try:
                member = await self._verified(work, request, form)
                await self._change(work, member, form)
            except _Refused as refused:
                return _refusal("password.html", refused, form)
            await self._parts.sessions.close_all(work, PREFIX + member.staff_id)
            return await self._enter(work, request, member)

    async def sign_out(self, request: Request) -> Response:
        response = RedirectResponse("/console/", status_code=303)
        async with self._parts.database.write() as work:
            await self._parts.sessions.close(work, request, response)
        return response

    async def _signed_in(self, request: Request) -> Member | None:
        session = await self._parts.sessions.find(request)
        if session is None or not session.sender.startswith(PREFIX):
            return None
        query = (
            select(Member)
            .join(Account, Account.member_id == Member.id)
            .where(Account.channel == CHANNEL, Account.account == "", Account.sender == session.sender)
        )
        async with self._parts.database.read() as reading:
            return (await reading.execute(query)).unique().scalar_one_or_none()

    async def _verified(self, work: AsyncSession, request: Request, form: Mapping[str, str]) -> Member:
        if wait := self._parts.attempt(request.client.host if request.client else ""):
            raise _Refused(self._parts.say("console.too_many", {"seconds": wait}), 429)
        context = self._parts.context(work, Actor(channel=CHANNEL))
        staff_id = fold_staff_id(form.get("staff_id", ""))
        member = await passwords.verify_password(context, staff_id, form.get("password", ""))
        if member is None:
            minutes = int(passwords.PAUSE.total_seconds() // 60)
            params = {"failures": passwords.MOST_FAILURES, "minutes": minutes}
            raise _Refused(self._parts.say("console.wrong", params), 401)
        return member

    async def _change(self, work: AsyncSession, member: Member, form: Mapping[str, str]) -> None:
        new = form.get("new", "")
        if new != form.get("again", ""):
            raise _Refused(self._parts.say("console.not_the_same", {}), 422)
        if new == form.get("password", ""):
            raise _Refused(self._parts.say("console.not_new", {}), 422)
        context = self._parts.context(work, await actor_for(work, member, channel=CHANNEL))
        try:
            async with work.begin_nested():
                command = context.bus.command("membership.set_password", {"password": new})
                await context.bus.execute(command, context)
        except DomainError as error:
            raise _Refused(self._parts.say(f"errors.{error.code}", error.params), 422) from error

    async def _enter(self, work: AsyncSession, request: Request, member: Member) -> Response:
        response = RedirectResponse("/", status_code=303)
        sender = PREFIX + member.staff_id
        await self._bind(work, member, sender)
        await self._parts.sessions.close(work, request)
        await self._parts.sessions.open(work, response, sender, lifetime=LIFETIME)
        return response

    async def _bind(self, work: AsyncSession, member: Member, sender: str) -> None:
        now = self._parts.context(work, Actor()).now
        # Two sign-ins at once make one account.
        await self._parts.database.lock(work, Member, member.id)
        query = select(Account).where(Account.channel == CHANNEL, Account.account == "", Account.sender == sender)
        account = (await work.execute(query)).scalar_one_or_none()
        if account is None:
            account = Account(channel=CHANNEL, account="", sender=sender)
            work.add(account)
        account.conversation, account.member_id = sender, member.id
        account.bound_at = account.heard_at = now
        await work.flush()


async def _temporary(work: AsyncSession, member: Member) -> bool:
    credential = await work.get(Credential, member.id)
    return credential is not None and credential.temporary


async def _form(request: Request) -> dict[str, str]:
    body = (await request.body()).decode("utf-8", "replace")
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[-1].replace("\x00", "") for name, values in fields.items()}


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(Path(__file__).with_name("templates"))
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def _page(template: str, *, status: int = 200, refusal: str = "", staff_id: str = "", **params: object) -> HTMLResponse:
    page = (
        _templates()
        .get_template(template)
        .render(refusal=refusal, staff_id=staff_id, shortest=passwords.SHORTEST, longest=passwords.LONGEST, **params)
    )
    return HTMLResponse(page, status_code=status)


def _refusal(template: str, refused: _Refused, form: Mapping[str, str]) -> HTMLResponse:
    return _page(template, status=refused.status, refusal=refused.sentence, staff_id=form.get("staff_id", ""))
