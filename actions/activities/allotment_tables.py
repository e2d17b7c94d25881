"""What is kept of an allotment: places, decisions, publicity, who took part when, numbers for the insurance."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base


class Seat(Base):
    """One place of an option. The keys keep it, and a unit's share, from being given twice.

    `unit_number` counts within the unit; None for who was named from above, and where the unit has no share of its own.
    """

    __tablename__ = "activity_seat"
    __table_args__ = (
        UniqueConstraint("offering_id", "option", "number"),
        UniqueConstraint("offering_id", "unit_id", "unit_number"),
    )

    entry_id: Mapped[int] = mapped_column(ForeignKey("activity_entry.id"), primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    option: Mapped[str] = mapped_column(String(60))
    number: Mapped[int]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    unit_number: Mapped[int | None]


class Decision(Base):
    """That people decided together: a unit whom it recommends, the union (`unit_id` is None) on the whole list.

    `decided_on` is the day and `how` the body, as whoever wrote it down (`by`) told them.
    """

    __tablename__ = "activity_decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    decided_on: Mapped[date]
    how: Mapped[str] = mapped_column(String(200))
    by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    at: Mapped[datetime]


class Publicity(Base):
    """The list is public from `begins` to `until`; `told_at`: its end was told, `settled_at`: it was made final."""

    __tablename__ = "activity_publicity"

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    begins: Mapped[datetime]
    until: Mapped[datetime]
    told_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Trip(Base):
    """Somebody took part in a year: written when it is over, or entered for the years before."""

    __tablename__ = "activity_trip"

    service: Mapped[str] = mapped_column(String(40), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)


class Identity(Base):
    """The identity number that the insurance of one entry asks for, sealed; deleted as soon as it is not needed."""

    __tablename__ = "activity_identity"

    entry_id: Mapped[int] = mapped_column(ForeignKey("activity_entry.id"), primary_key=True)
    number: Mapped[str] = sealed("identity")


class IdentityLook(Base):
    """Somebody was handed a list with the number of an entry."""

    __tablename__ = "activity_identity_look"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("activity_entry.id"), index=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    at: Mapped[datetime]
