"""Records of the life activity. What is scarce is a row of `activity_place`: its keys cannot be there twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from actions.core.sealed import sealed
from actions.core.tables import Base, Member, Offering, Unit

#: States in which an entry keeps its place.
KEEPING = ("registered", "pending", "offered")
#: States in which an entry is open: its people cannot be in another one of the offering.
OPEN = (*KEEPING, "wished", "accepted", "waiting", "excused", "recommended", "publicised", "standby")
#: States of those who take part, or will once somebody has agreed.
IN = ("registered", "pending")


class Entry(Base):
    """One sign-up: a person's, a pair's, a relay's, a team's; or the wish of a person who wants to be in a team.

    `kind` is person, pair, relay, team or wish; `member_id` is who answers for it, `unit_id` the unit that it counts
    for. `state`:
        wished (the unit has to file it) -> registered | pending | waiting | sent_back; of a wish: -> accepted
        pending (waits for approval) -> registered | refused
        waiting (for a place) -> offered -> registered | pending | declined | expired
        registered -> withdrawn | cancelled (by the union)
        excused (an answer that takes no place: leave) <-> registered
        of what is allotted: wished -> recommended -> publicised -> registered, or standby -> offered -> registered
    `expires_at` is when an offer lapses. `confidential` is sealed, and emptied when the entry is over.
    """

    __tablename__ = "activity_entry"
    __table_args__ = (Index("ix_activity_entry_offering_id_state", "offering_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(40))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    filed_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    confidential: Mapped[str] = sealed("activity", default="")
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    offering: Mapped[Offering] = relationship(lazy="joined")
    member: Mapped[Member] = relationship(lazy="joined", foreign_keys=[member_id])
    unit: Mapped[Unit | None] = relationship(lazy="joined")
    people: Mapped[list[Person]] = relationship(lazy="selectin", order_by="Person.id", cascade="all, delete-orphan")

    @property
    def subject(self) -> str:
        """How notices and the audit name the record."""
        return f"entry:{self.id}"


class Person(Base):
    """Somebody in an entry. `role` is player, leader or captain; `number` what a player wears.

    `ticket` is the code that they are checked in with.
    `open_key` is set while the entry is open, and unique: nobody is twice in an offering, nor in two teams of it. Who
    only leads a team may lead another one.
    """

    __tablename__ = "activity_person"
    __table_args__ = (Index("ix_activity_person_member_id", "member_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("activity_entry.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    role: Mapped[str] = mapped_column(String(8), default="player")
    number: Mapped[int | None]
    ticket: Mapped[str | None] = mapped_column(String(12), unique=True)
    open_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    member: Mapped[Member] = relationship(lazy="joined")


class Place(Base):
    """One place of an offering; the keys are what keeps it, and a unit's share of it, from being given twice."""

    __tablename__ = "activity_place"
    __table_args__ = (UniqueConstraint("offering_id", "unit_id", "unit_number"),)

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("activity_entry.id"), unique=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    unit_number: Mapped[int | None]


class Attendance(Base):
    """Somebody who was at a session (numbered from 0)."""

    __tablename__ = "activity_attendance"

    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), primary_key=True)
    session: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("activity_entry.id"), index=True)
    at: Mapped[datetime]
    noted_by: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
