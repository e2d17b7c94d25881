"""Who would like to hear from whom: nobody who reads the table can tell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base


class Liking(Base):
    """One wish. `key` is a pseudonym of both people in their direction, `of` of the one who wishes, to count them.

    `contact` is what the other one gets, sealed. `met` tells that both said yes and were told.
    """

    __tablename__ = "activity_liking"

    key: Mapped[str] = mapped_column(String(24), primary_key=True)
    of: Mapped[str] = mapped_column(String(24), index=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    contact: Mapped[str] = sealed("activity")
    met: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
