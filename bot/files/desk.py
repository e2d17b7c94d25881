"""Where every channel hands files over and fetches them: who asks is looked up, the block decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import select

from actions.blocks import materials
from actions.core.commands import Actor
from actions.core.tables import Account
from bot.gateway import rows
from bot.messages import Inbound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.blocks.materials import MaterialRules, MaterialView
    from actions.blocks.materials_intake import Materials
    from actions.core.commands import Context
    from bot.gateway import House
    from bot.messages import Address


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A file that may be read, and where it lies."""

    view: MaterialView
    path: Path


class FileDesk:
    """Takes in what members send, from any channel, and gives it to those with the right."""

    def __init__(self, house: House, materials: Materials, clock: Callable[[], datetime]) -> None:
        self._house = house
        self._materials = materials
        self._clock = clock

    @property
    def rules(self) -> MaterialRules:
        """What is taken."""
        return self._materials.rules

    async def keep(self, address: Address, sender: str, name: str, source: BinaryIO) -> MaterialView:
        """Keeps a file for a bound member until a form takes it. `source` is a file object, read once.

        Raises DomainError: not_bound, files_too_many, and what `Materials.prepare` refuses.
        """
        house = self._house
        async with house.database.read() as session:
            # Asked before the work as well as with the row: who may not send anything costs nothing.
            await materials.room_left(await self._context(session, address, sender), self.rules)
        prepared = await self._materials.prepare(name, source)
        house.fault("files.stored")
        try:
            async with house.database.write() as session:
                context = await self._context(session, address, sender)
                row = await self._materials.receive(context, prepared, address.conversation)
                return materials.view(context, row)
        except BaseException:
            await self._materials.forget(prepared)
            raise

    async def open(self, address: Address, sender: str, key: str, *, thumbnail: bool = False) -> Kept:
        """A file that the sender may read. Raises DomainError("file_gone")."""
        async with self._house.database.read() as session:
            context = await self._context(session, address, sender)
            row, path = await self._materials.open(context, key, thumbnail=thumbnail)
            kept = Kept(view=materials.view(context, row), path=path)
            watched = self._materials.watched(context, row)
        if watched:
            # Noted before it is given: what nobody could write down is not read either.
            async with self._house.database.write() as session:
                await self._materials.note_opened(await self._context(session, address, sender), row)
        return kept

    async def discard(self, address: Address, sender: str, key: str) -> None:
        """The sender takes a file back that no record has yet. Raises DomainError("file_gone")."""
        async with self._house.database.write() as session:
            context = await self._context(session, address, sender)
            await materials.own(context, [key])
            await materials.discard(context, [key])

    async def _context(self, session: AsyncSession, address: Address, sender: str) -> Context:
        query = select(Account).where(
            Account.channel == address.channel, Account.account == address.account, Account.sender == sender
        )
        account = (await session.execute(query)).scalar_one_or_none()
        inbound = Inbound(address=address, event_id="", sender=sender, text="")
        actor = (
            Actor(channel=address.channel, account=address.account, sender=sender)
            if account is None
            else await rows.actor_of(session, inbound, account)
        )
        return self._house.context(session, actor, self._clock())
