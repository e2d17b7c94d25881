"""Alerts and who was told of them. What was said is not among it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.tables import Base


class Alert(Base):
    """One call for help. `person` is a pseudonym; `level` counts down the duty list, round after round.

    `state`: open -> acknowledged; unheard where nobody was on the duty list. `open_key` is the person while the alert
    goes down the list, and unique, so that two messages at once raise one alert. `check_at` is when to ask after the
    person, `checker_id` who was given that to do, `checked_at` when it was done.
    """

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(primary_key=True)
    raised_at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(20))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    person: Mapped[str] = mapped_column(String(40), index=True)
    state: Mapped[str] = mapped_column(String(12))
    level: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    acknowledged_at: Mapped[datetime | None]
    open_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    check_at: Mapped[datetime | None] = mapped_column(index=True)
    checker_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    checked_at: Mapped[datetime | None]

    @property
    def subject(self) -> str:
        """How notices and the audit name the alert."""
        return f"alert:{self.id}"


class AlertNotice(Base):
    """Who was told of an alert, and when."""

    __tablename__ = "alert_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alert.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    at: Mapped[datetime]
