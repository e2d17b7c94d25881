"""What became of whom in the rounds of a contest."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.tables import Base


class Mark(Base):
    """How an entry did in a round (numbered from 0): a score, or whether it passed.

    `place` and `through` are written when the round is closed, and stay as they are then.
    """

    __tablename__ = "activity_mark"

    entry_id: Mapped[int] = mapped_column(ForeignKey("activity_entry.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    score: Mapped[float | None]
    passed: Mapped[bool | None]
    place: Mapped[int | None]
    through: Mapped[bool | None]
    at: Mapped[datetime]
    noted_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))


class ClosedRound(Base):
    """A round whose result was told. The key keeps it from being told twice."""

    __tablename__ = "activity_round"

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
