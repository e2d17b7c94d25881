"""What waits in a conversation is put off together: its limit is reached, or the platform asked to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from actions.core.tables import Outgoing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession


async def put_off(session: AsyncSession, row: Outgoing, until: datetime, *, lane: int | None = None) -> None:
    """Everything that waits where a row goes waits until a moment at least; with `lane` what is of that lane."""
    statement = update(Outgoing).where(
        Outgoing.state.in_(("queued", "unknown")),
        Outgoing.channel == row.channel,
        Outgoing.account == row.account,
        Outgoing.conversation == row.conversation,
        Outgoing.due_at < until,
    )
    if lane is not None:
        statement = statement.where(Outgoing.lane == lane)
    await session.execute(statement.values(due_at=until).execution_options(synchronize_session="fetch"))
