"""One access token for all processes: whoever finds it old takes a lease on its row and fetches a new one."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from bot.channels.wechat.tables import WechatToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.database import Database
    from actions.core.vault import Vault

_ABOUT = "wechat-token"
#: Before it ends: whatever takes it now must arrive with it.
_EARLY = timedelta(minutes=3)
#: The longest that a process is waited for that fetches one.
_LEASE = timedelta(seconds=20)
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Fresh:
    """A token as the platform gives it, and for how many seconds."""

    token: str
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """Where tokens are kept: a database, the vault that seals them, and a clock."""

    database: Database
    vault: Vault
    clock: Callable[[], datetime]


class Tokens:
    """The access token of one application."""

    def __init__(self, shelf: Shelf, name: str, fetch: Callable[[bool], Awaitable[Fresh]]) -> None:
        """`fetch(refused)` asks the platform; `refused` tells that the last token was taken back before its time."""
        self._shelf = shelf
        self._name = name
        self._fetch = fetch
        self._me = secrets.token_hex(8)
        self._known = ""
        self._until: datetime | None = None
        self._refused = False

    async def get(self) -> str:
        """The token. Raises what `fetch` raises."""
        while not self._fresh():
            if await self._leased():
                return await self._renewed()
            if not self._fresh():
                # Another process, or another task of this one, is fetching it.
                await asyncio.sleep(_PAUSE_SECONDS)
        return self._known

    def _fresh(self) -> bool:
        return self._until is not None and self._until - _EARLY > self._shelf.clock()

    async def refuse(self, token: str) -> None:
        """The platform did not take this one. Where another process has a newer one already, that one is used."""
        if self._known == token:
            self._until = None
        async with self._shelf.database.write() as session:
            row = await self._row(session)
            if row is not None and self._open(row) == token:
                row.token, row.expires_at = "", None
                self._refused = True

    async def _leased(self) -> bool:
        """Whether it is ours to fetch one; where somebody has, it is known afterwards."""
        now = self._shelf.clock()
        try:
            async with self._shelf.database.write() as session:
                row = await self._row(session)
                if row is None:
                    session.add(WechatToken(name=self._name, token="", holder=self._me, held_until=now + _LEASE))
                    return True
                if row.expires_at is not None and row.expires_at - _EARLY > now:
                    self._known, self._until = self._open(row), row.expires_at
                    return False
                if row.held_until is not None and row.held_until > now:
                    return False
                row.holder, row.held_until = self._me, now + _LEASE
                return True
        except IntegrityError:
            # Another process has made the row at the same moment.
            return False

    async def _renewed(self) -> str:
        fresh: Fresh | None = None
        try:
            fresh = await self._fetch(self._refused)
        finally:
            await asyncio.shield(self._settle(fresh))
        self._refused = False
        return fresh.token

    async def _settle(self, fresh: Fresh | None) -> None:
        """Keeps what was fetched, and gives the lease back."""
        async with self._shelf.database.write() as session:
            row = await self._row(session)
            if fresh is not None:
                self._known, self._until = fresh.token, self._shelf.clock() + timedelta(seconds=fresh.seconds)
            if row is None or row.holder != self._me:
                return
            row.holder, row.held_until = "", None
            if fresh is not None:
                row.token, row.expires_at = self._shelf.vault.seal(fresh.token, about=_ABOUT), self._until

    async def _row(self, session: AsyncSession) -> WechatToken | None:
        return await session.get(WechatToken, self._name, with_for_update=not self._shelf.database.is_sqlite)

    def _open(self, row: WechatToken) -> str:
        return str(self._shelf.vault.open(row.token, about=_ABOUT)) if row.token else ""
