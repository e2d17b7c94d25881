"""What clubs report before they meet, and what became of it: kept for the yearly review."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from actions.core.tables import Base, Offering


class MeetingReport(Base):
    """One meeting. `state` is reported (an officer has to confirm it), confirmed or sent_back.

    `people` is how many are expected; a confirmed one is the `session` of the offering (numbered from 0) at which
    attendance is noted.
    """

    __tablename__ = "activity_report"

    id: Mapped[int] = mapped_column(primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    title: Mapped[str] = mapped_column(String(60))
    place: Mapped[str] = mapped_column(String(60), default="")
    people: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="reported")
    reason: Mapped[str] = mapped_column(String(200), default="")
    session: Mapped[int | None]
    reported_at: Mapped[datetime]
    reported_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    offering: Mapped[Offering] = relationship(lazy="joined")

    @property
    def subject(self) -> str:
        """How notices name it."""
        return f"meeting_report:{self.id}"
