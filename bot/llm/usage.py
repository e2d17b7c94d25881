"""What the model may cost in a day, counted in the database: restarts and other processes share one budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.tables import Base
from actions.core.zones import local

if TYPE_CHECKING:
    from sqlalchemy import CursorResult

    from actions.core.database import Database


class LlmUsage(Base):
    """One day's calls and tokens."""

    __tablename__ = "llm_usage"

    day: Mapped[date] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(default=0)
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """A day's calls and tokens, and what they cost in yuan at the prices of the settings."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """How much a day may hold.

    Args:
        calls: at most so many.
        tokens: in and out together; a call is made while fewer are spent.
        price_in: yuan per million tokens that are sent; `price_out` of those that come back.
        cost: yuan; 0 for no limit of its own.

    """

    calls: int
    tokens: int
    price_in: float = 0.0
    price_out: float = 0.0
    cost: float = 0.0

    async def take(self, database: Database, now: datetime) -> bool:
        """Counts a call that is about to be made; False, and nothing counted, where the day's budget is spent."""
        day = local(now).date()
        limit = [LlmUsage.calls < self.calls, LlmUsage.tokens_in + LlmUsage.tokens_out < self.tokens]
        if self.cost:
            limit.append(LlmUsage.tokens_in * self.price_in + LlmUsage.tokens_out * self.price_out < self.cost * 1e6)
        await _begin(database, day)
        async with database.write() as session:
            counted = await session.execute(
                update(LlmUsage).where(LlmUsage.day == day, *limit).values(calls=LlmUsage.calls + 1)
            )
            return cast("CursorResult[Any]", counted).rowcount == 1

    async def settle(self, database: Database, now: datetime, tokens_in: int, tokens_out: int) -> None:
        """Adds the tokens of a call to the day's."""
        async with database.write() as session:
            await session.execute(
                update(LlmUsage)
                .where(LlmUsage.day == local(now).date())
                .values(tokens_in=LlmUsage.tokens_in + tokens_in, tokens_out=LlmUsage.tokens_out + tokens_out)
            )

    async def spent(self, database: Database, now: datetime) -> Spent:
        """What the day has cost until now."""
        async with database.read() as session:
            row = (
                await session.execute(select(LlmUsage).where(LlmUsage.day == local(now).date()))
            ).scalar_one_or_none()
        if row is None:
            return Spent()
        cost = (row.tokens_in * self.price_in + row.tokens_out * self.price_out) / 1e6
        return Spent(calls=row.calls, tokens_in=row.tokens_in, tokens_out=row.tokens_out, cost=cost)


async def _begin(database: Database, day: date) -> None:
    """The day's row; another process may make it in the same moment."""
    async with database.read() as session:
        if (await session.execute(select(LlmUsage.day).where(LlmUsage.day == day))).scalar_one_or_none() is not None:
            return
    try:
        async with database.write() as session:
            session.add(LlmUsage(day=day, calls=0, tokens_in=0, tokens_out=0))
    except IntegrityError:
        return
