"""The code that a room shows, so that whoever is there notes it themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.tables import Base


class RoomCode(Base):
    """The code of a session that counts now: a new one takes the place of the last."""

    __tablename__ = "activity_room_code"

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    session: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    at: Mapped[datetime]
    shown_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
