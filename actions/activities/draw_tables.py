"""The draw of an offering, and what has happened since: where and when, results, who withdrew."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from actions.core.tables import Base, Offering


class DrawRecord(Base):
    """A competition; values as `actions.fixtures` writes them. One for an offering.

    `draw` is never changed, but by drawing anew before the first result: then `times` counts up. `season` and `rest`
    are what the timetable `slots` (by game) was made for. `results` are by game, `withdrawn` names entrants.
    """

    __tablename__ = "activity_draw"

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    sport: Mapped[str] = mapped_column(String(40))
    draw: Mapped[dict[str, Any]]
    times: Mapped[int] = mapped_column(default=1)
    season: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rest: Mapped[dict[str, Any]] = mapped_column(default=dict)
    slots: Mapped[dict[str, Any]] = mapped_column(default=dict)
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)
    withdrawn: Mapped[list[str]] = mapped_column(default=list)
    drawn_at: Mapped[datetime]
    drawn_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    offering: Mapped[Offering] = relationship(lazy="joined")
