"""Answers that nobody can be told by: who has answered stands in one place, what was answered in another.

Nothing joins the two: neither holds a time or an order, and all answers of a survey lie shuffled in a single sealed
text that is written anew with every one of them, so that not even the pages of the database tell which came when.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base


class Dropped(Base):
    """Somebody has answered without their name; the key keeps it to one answer each. No row id, so no order."""

    __tablename__ = "activity_dropped"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own way to write it

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)


class Urn(Base):
    """All nameless answers of one survey, and, once counted, what is shown of all its answers.

    `answers` (a list, shuffled) is emptied when it is counted, at `counted_at`; `results` never changes after that.
    """

    __tablename__ = "activity_urn"

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    answers: Mapped[str] = sealed("activity", default="")
    results: Mapped[str] = sealed("activity", default="")
    counted_at: Mapped[datetime | None]
