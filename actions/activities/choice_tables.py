"""What an entry is given of the sets of its offering, and who picked it up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from actions.activities.tables import Entry
from actions.core.tables import Base


class Share(Base):
    """One set for one entry.

    `number` counts the sets of which there are not enough for everybody: the key keeps each from being given twice.
    `defaulted` tells that nobody chose it. `code` picks it up; it is emptied when it was used, and so works once.
    `collected_by` is who carried it away, the person or a colleague, `noted_by` who handed it out.
    """

    __tablename__ = "activity_share"
    __table_args__ = (UniqueConstraint("offering_id", "option", "number"),)

    entry_id: Mapped[int] = mapped_column(ForeignKey("activity_entry.id"), primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    option: Mapped[str] = mapped_column(String(60))
    number: Mapped[int | None]
    defaulted: Mapped[bool] = mapped_column(default=False)
    code: Mapped[str | None] = mapped_column(String(12), unique=True)
    collected_at: Mapped[datetime | None]
    collected_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    noted_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    entry: Mapped[Entry] = relationship(lazy="joined")
