"""What was said, for the channels whose clients fetch it; and what of it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Select, delete, exists, func, or_, select, update

from actions.core.tables import Batch, Outgoing, Prompt, Turn
from bot.messages import Address, Outbound

if TYPE_CHECKING:
    from actions.core.database import Database
    from bot.delivery.texts import Texts

_TURNS_KEPT = timedelta(days=7)
_BATCHES_KEPT = timedelta(days=30)
_WAITS = ("queued", "paused", "sending", "unknown")
_NOT_SAID = ("cancelled", "expired", "suppressed", "failed")


class Pages:
    """Reads what was said in a conversation, by position."""

    def __init__(self, database: Database, texts: Texts) -> None:
        self._database = database
        self._texts = texts

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
            batches = await self._texts.of_batches(session, rows)
        said = [(row, self._texts.message(row, address, batches)) for row in rows]
        return [replace(message, id=row.position or 0) for row, message in said if message is not None]

    async def heard(self, channel: str, after: int) -> tuple[int, list[Address]]:
        """Where something was said on a channel after a position, by any process, and the last position."""
        query = select(Outgoing.account, Outgoing.conversation, func.max(Outgoing.position)).where(
            Outgoing.channel == channel, Outgoing.position > after
        )
        async with self._database.read() as session:
            rows = (await session.execute(query.group_by(Outgoing.account, Outgoing.conversation))).all()
        places = [Address(channel=channel, account=account, conversation=name) for account, name, _last in rows]
        return max([after, *(last or after for _account, _name, last in rows)]), places

    async def forget(self, now: datetime, kept: timedelta) -> None:
        """Empties the text of what was said longer ago than `kept`, and deletes old turns.

        What waits for a digest is kept as long as a batch.
        """
        async with self._database.write() as session:
            await session.execute(
                update(Outgoing)
                .where(
                    Outgoing.content != "",
                    or_(Outgoing.sent_at < now - kept, Outgoing.state.in_(_NOT_SAID)),
                    or_(Outgoing.reason != "digest", Outgoing.due_at < now - _BATCHES_KEPT),
                )
                .values(content="")
            )
            waits = exists().where(Outgoing.batch_id == Batch.id, Outgoing.state.in_(_WAITS))
            await session.execute(
                update(Batch).where(Batch.content != "", Batch.due_at < now - _BATCHES_KEPT, ~waits).values(content="")
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
        or_(Outgoing.content != "", Outgoing.batch_id.is_not(None)),
    )
