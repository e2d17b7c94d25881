"""Sending what waits in the queue. Rows decide what is due; a row that is being sent is leased, so that a crash
only delays it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Select, delete, func, or_, select, update

from actions.core.notify import next_position
from actions.core.tables import Account, Conversation, Outgoing, Prompt, Turn
from bot.messages import Address, Outbound, SendError, Senders

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.database import Database
    from actions.core.vault import Vault
    from bot.wording import Wording

log = structlog.get_logger(__name__)

_BATCH = 50
_LEASE = timedelta(seconds=60)
_MOST_TRIES = 6
_TURNS_KEPT = timedelta(days=7)


class Delivery:
    """The queue of one process."""

    def __init__(  # noqa: PLR0913 - called once, by the composition root
        self,
        database: Database,
        vault: Vault,
        wording: Wording,
        senders: Senders,
        clock: Callable[[], datetime],
        *,
        text_hours: int,
        fault: Callable[[str], None] = lambda _point: None,
    ) -> None:
        """`text_hours`: how long the sealed text of what was said is kept. `fault`: as the house has it."""
        self._database = database
        self._vault = vault
        self._wording = wording
        self._senders = senders
        self._clock = clock
        self._text_kept = timedelta(hours=text_hours)
        self._fault = fault
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something was written that may be due now."""
        self._wake.set()

    async def run(self, *, pause: float = 5.0) -> None:
        """Sends what is due until cancelled; looks every `pause` seconds, and at once when woken."""
        while True:
            self._wake.clear()
            try:
                await self.flush()
            except Exception:
                log.exception("delivery_failed")
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=pause)
            except TimeoutError:
                continue

    async def flush(self) -> list[Outbound]:
        """Sends everything that is due at the moment; returns what was sent, in order."""
        sent: list[Outbound] = []
        while batch := await self._claim():
            self._fault("delivery.claimed")
            for row_id in batch:
                message = await self._send(row_id)
                if message is not None:
                    sent.append(message)
        return sent

    async def _claim(self) -> list[int]:
        """Leases due rows: until the lease ends no other worker takes them."""
        now = self._clock()
        due = select(Outgoing.id).where(Outgoing.state == "queued", Outgoing.due_at <= now)
        async with self._database.read() as session:
            if not (await session.execute(due.limit(1))).first():
                return []
        query = due.order_by(Outgoing.due_at, Outgoing.id).limit(_BATCH)
        if not self._database.is_sqlite:
            query = query.with_for_update(skip_locked=True)
        async with self._database.write() as session:
            ids = list((await session.execute(query)).scalars())
            await session.execute(
                update(Outgoing).where(Outgoing.id.in_(ids)).values(due_at=now + _LEASE, attempts=Outgoing.attempts + 1)
            )
        return ids

    async def _send(self, row_id: int) -> Outbound | None:
        now = self._clock()
        async with self._database.read() as session:
            row = await session.get(Outgoing, row_id)
            address = None if row is None else await self._address(session, row)
        if row is None or row.state != "queued":
            return None
        if row.expires_at is not None and row.expires_at <= now:
            await self._settle(row_id, state="expired")
            return None
        if address is None:
            await self._settle(row_id, state="failed", error="nobody is bound")
            return None
        message = self.render(row, address)
        try:
            sender = self._senders.of(address.channel)
            if sender.pulled:
                # The row is what the client reads: it must be there before the client is woken.
                await self._said(row_id, address, now)
                self._fault("delivery.settled")
                await sender.send(message)
            else:
                await sender.send(message)
                self._fault("delivery.sent")
                await self._said(row_id, address, now)
        except SendError as error:
            await self._failed(row, error)
            return None
        return message

    async def _said(self, row_id: int, address: Address, now: datetime) -> None:
        where = {"channel": address.channel, "account": address.account, "conversation": address.conversation}
        async with self._database.write() as session:
            await self._alone_in(session, address)
            position = await next_position(session, now, **where)
            await session.execute(
                update(Outgoing)
                .where(Outgoing.id == row_id, Outgoing.state == "queued")
                .values(state="sent", sent_at=now, position=position, **where)
            )

    async def _alone_in(self, session: AsyncSession, address: Address) -> None:
        """Nothing else is said in a private conversation meanwhile: a page reads by position, and skips nothing."""
        if not self._database.is_sqlite:
            query = select(Conversation.id).where(
                Conversation.channel == address.channel,
                Conversation.account == address.account,
                Conversation.key == address.conversation,
            )
            await session.execute(query.with_for_update())

    def render(self, row: Outgoing, address: Address) -> Outbound:
        """The message of a row."""
        content = self._vault.open(row.content, about="outgoing")
        return replace(self._wording.outbound(address, content, row_id=row.id), reply=row.turn_id is not None)

    async def _address(self, session: AsyncSession, row: Outgoing) -> Address | None:
        if row.conversation:
            return Address(channel=row.channel, account=row.account, conversation=row.conversation)
        query = (
            select(Account)
            .where(
                Account.member_id == row.member_id,
                Account.conversation.is_not(None),
                Account.channel.in_(self._senders.by_channel),
            )
            .order_by(Account.heard_at.desc(), Account.id.desc())
        )
        account = (await session.execute(query.limit(1))).scalar_one_or_none()
        if account is None or account.conversation is None:
            return None
        return Address(channel=account.channel, account=account.account, conversation=account.conversation)

    async def _failed(self, row: Outgoing, error: SendError) -> None:
        log.warning("send_failed", row=row.id, channel=row.channel, reason=error.reason, attempt=row.attempts)
        if error.permanent or row.attempts >= _MOST_TRIES:
            await self._settle(row.id, state="failed", error=error.reason[:120])
            return
        back_off = timedelta(seconds=15 * 2**row.attempts)
        await self._settle(row.id, state="queued", due_at=self._clock() + back_off, error=error.reason[:120])

    async def _settle(self, row_id: int, **values: Any) -> None:
        async with self._database.write() as session:
            await session.execute(
                update(Outgoing).where(Outgoing.id == row_id, Outgoing.state == "queued").values(**values)
            )

    async def since(self, address: Address, after: int, limit: int) -> list[Outbound]:
        """What was said in a conversation after a position, oldest first: notices, and replies for its other pages."""
        query = _said_in(address).where(Outgoing.position > after).order_by(Outgoing.position).limit(limit)
        return await self._read(query, address)

    async def before(self, address: Address, position: int, limit: int) -> list[Outbound]:
        """The last things that were said in a conversation before a position, oldest first."""
        query = _said_in(address).where(Outgoing.position < position).order_by(Outgoing.position.desc()).limit(limit)
        return (await self._read(query, address))[::-1]

    async def _read(self, query: Select[Outgoing], address: Address) -> list[Outbound]:
        async with self._database.read() as session:
            rows = (await session.execute(query)).scalars().all()
        return [replace(self.render(row, address), id=row.position or 0) for row in rows]

    async def heard(self, channel: str, after: int) -> tuple[int, list[Address]]:
        """Where something was said on a channel after a position, by any process, and the last position."""
        query = select(Outgoing.account, Outgoing.conversation, func.max(Outgoing.position)).where(
            Outgoing.channel == channel, Outgoing.position > after
        )
        async with self._database.read() as session:
            rows = (await session.execute(query.group_by(Outgoing.account, Outgoing.conversation))).all()
        places = [Address(channel=channel, account=account, conversation=name) for account, name, _last in rows]
        return max([after, *(last or after for _account, _name, last in rows)]), places

    async def forget(self) -> None:
        """Empties the text of what was said long enough ago, and deletes old turns."""
        now = self._clock()
        async with self._database.write() as session:
            await session.execute(
                update(Outgoing)
                .where(
                    Outgoing.content != "",
                    or_(Outgoing.sent_at < now - self._text_kept, Outgoing.state.in_(("cancelled", "expired"))),
                )
                .values(content="")
            )
            await session.execute(
                update(Prompt)
                .where(Prompt.notice != "", or_(Prompt.closed_at.is_not(None), Prompt.expires_at <= now))
                .values(notice="")
            )
            old = select(Turn.id).where(Turn.created_at < now - _TURNS_KEPT)
            await session.execute(delete(Outgoing).where(Outgoing.turn_id.in_(old)))
            await session.execute(delete(Turn).where(Turn.created_at < now - _TURNS_KEPT))


def _said_in(address: Address) -> Select[Outgoing]:
    return select(Outgoing).where(
        Outgoing.channel == address.channel,
        Outgoing.account == address.account,
        Outgoing.conversation == address.conversation,
        Outgoing.state == "sent",
        Outgoing.content != "",
    )
