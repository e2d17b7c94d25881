"""Cookie sessions of the browser. The token is known to the browser alone; the database keeps its hash."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from actions.core.tables import WebSession
from bot.keys import digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from actions.core.database import Database

COOKIE = "njr_session"
LIFETIME = timedelta(days=30)


class Sessions:
    """Opens, finds and ends sessions. `secure` is whether members come by https."""

    def __init__(self, database: Database, now: Callable[[], datetime], *, secure: bool) -> None:
        self._database = database
        self._now = now
        self._secure = secure

    async def open(
        self, work: AsyncSession, response: Response, sender: str, *, lifetime: timedelta = LIFETIME
    ) -> WebSession:
        """Opens a session for `sender` in the unit of work and gives its cookie to the response.

        A sender has one conversation, named like the sender: what is said in one tab is pushed to all of theirs.
        Sessions that have run out are cleared away.
        """
        now = self._now()
        await work.execute(delete(WebSession).where(WebSession.expires_at <= now))
        token = secrets.token_urlsafe(32)
        row = WebSession(token_hash=digest(token), sender=sender, conversation=sender, expires_at=now + lifetime)
        work.add(row)
        await work.flush()
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(lifetime.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return row

    async def find(self, request: HTTPConnection) -> WebSession | None:
        """The session of the request's cookie, unless it has ended."""
        token = request.cookies.get(COOKIE)
        if not token:
            return None
        query = select(WebSession).where(WebSession.token_hash == digest(token), WebSession.expires_at > self._now())
        async with self._database.read() as session:
            return (await session.execute(query)).scalar_one_or_none()

    async def close(self, work: AsyncSession, request: HTTPConnection, response: Response | None = None) -> None:
        """Ends the request's session, and takes the cookie back where a response is given."""
        token = request.cookies.get(COOKIE)
        if token:
            await work.execute(delete(WebSession).where(WebSession.token_hash == digest(token)))
        if response is not None:
            response.delete_cookie(COOKIE, path="/", secure=self._secure, httponly=True, samesite="lax")

    async def close_all(self, work: AsyncSession, sender: str) -> None:
        """Ends all sessions of a sender: their password was changed."""
        await work.execute(delete(WebSession).where(WebSession.sender == sender))
