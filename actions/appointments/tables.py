"""Records of the life appointment. What is scarce is a row of `appointment_seat`: its key cannot be there twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from actions.core.sealed import sealed
from actions.core.tables import Base, Member, Offering

#: States in which an appointment keeps its seats.
KEEPING = ("held", "offered", "pending", "booked")


class Appointment(Base):
    """A time with a counsellor or in a room.

    `state`: held (while the member confirms) -> booked, or pending (waits for approval) -> booked | refused;
    offered (to somebody on the waitlist) -> booked | pending | expired; booked -> cancelled | done | no_show.
    `expires_at` is when a hold or an offer lapses, or a request that nobody decided.
    `limit_key` is set while the record counts toward "one open first booking each", and unique.
    `series_id` is the first of the same time in several weeks.
    `confidential` is sealed, and emptied when the appointment is over.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        Index("ix_appointment_offering_id_starts_at", "offering_id", "starts_at"),
        Index("ix_appointment_state_ends_at", "state", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(40))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    party: Mapped[int] = mapped_column(default=1)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    confidential: Mapped[str] = sealed("appointment", default="")
    limit_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    series_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"), index=True)
    waiting_id: Mapped[int | None] = mapped_column(ForeignKey("appointment_waiting.id"))
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    offering: Mapped[Offering] = relationship(lazy="joined")
    member: Mapped[Member] = relationship(lazy="joined")

    @property
    def subject(self) -> str:
        """How notices and the audit name the record."""
        return f"appointment:{self.id}"

    @property
    def request_id(self) -> int:
        """The first of those that are approved together."""
        return self.series_id or self.id

    @property
    def request(self) -> str:
        """How notices name the request for approval."""
        return f"appointment_request:{self.request_id}"


class Seat(Base):
    """One seat of one calendar at one time; the primary key is what keeps a slot from being sold twice."""

    __tablename__ = "appointment_seat"

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), index=True)


class Waiting(Base):
    """A place on the waitlist for any slot that begins within the window. Order of ids is the order of the list.

    `titles` are the calendars that will do (none named: any), `avoid` those that will not.
    `state`: waiting -> offered -> accepted | expired | declined; waiting -> left | over (its time has gone by). An
    offer that the union takes back leads to waiting again. `limit_key` lets a member wait once per service.
    """

    __tablename__ = "appointment_waiting"
    __table_args__ = (Index("ix_appointment_waiting_service_state", "service", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(40))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    titles: Mapped[list[str]] = mapped_column(default=list)
    avoid: Mapped[list[str]] = mapped_column(default=list)
    party: Mapped[int] = mapped_column(default=1)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    confidential: Mapped[str] = sealed("appointment", default="")
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    limit_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime]
    member: Mapped[Member] = relationship(lazy="joined")

    @property
    def subject(self) -> str:
        """How notices and the audit name the record."""
        return f"waiting:{self.id}"

    def leave(self, state: str) -> None:
        """The place is given up; nothing that was entrusted with it is kept."""
        self.state, self.limit_key, self.confidential = state, None, ""
