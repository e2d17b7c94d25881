"""What the interface remembers of requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import SmallInteger, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base

if TYPE_CHECKING:
    from actions.core.database import Database

#: How long an answer can be had again.
KEPT = timedelta(hours=24)


class ApiAnswer(Base):
    """A request that has a name of its own, and how it was answered.

    `name` is a digest of caller, member and the name that the caller gave; `request` one of what was asked. `status`
    is None while it is under way. `body` is sealed. Rows are cleared away after a day, or when texts are.
    """

    __tablename__ = "api_answer"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[str] = sealed("api-answer", default="")
    at: Mapped[datetime] = mapped_column(index=True)


async def forget_answers(database: Database, now: datetime, kept: timedelta) -> None:
    """Deletes what was answered longer ago than `kept`."""
    async with database.write() as session:
        await session.execute(delete(ApiAnswer).where(ApiAnswer.at <= now - kept))
