"""Records of the life case. What is confidential is sealed; what is scarce is guarded by a unique key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from actions.core.sealed import sealed
from actions.core.tables import Base, Member, Offering, Unit


class Case(Base):
    """One matter that a member submitted: an idea, a proposal, a request.

    `state` is one of the service's; `entered_at` when it came there, `due_at` by when it has to leave. `unit_id` is the
    unit that it counts for. `confidential` is sealed; `title` is empty where the service is private. `kept` is what its
    moves and blocks keep (a link, marks, a category). `vector` is its meaning, for the similarity. `counted` records
    take a place of their call or allotment. `limit_key` counts toward the limit per person, and is unique. `parent_id`
    is the record that opened it, `merged_id` the one that it was merged into. `wall` is empty, asked, shown or hidden.
    """

    __tablename__ = "case_record"
    __table_args__ = (
        Index("ix_case_record_service_state", "service", "state"),
        Index("ix_case_record_due_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(40))
    offering_id: Mapped[int | None] = mapped_column(ForeignKey("offering.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(120), default="")
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    confidential: Mapped[str] = sealed("case", default="")
    kept: Mapped[dict[str, Any]] = mapped_column(default=dict)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    wall: Mapped[str] = mapped_column(String(8), default="")
    counted: Mapped[bool] = mapped_column(default=True)
    limit_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("case_record.id"))
    merged_id: Mapped[int | None] = mapped_column(ForeignKey("case_record.id"), index=True)
    created_at: Mapped[datetime]
    entered_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    member: Mapped[Member] = relationship(lazy="joined")
    unit: Mapped[Unit | None] = relationship(lazy="joined")
    offering: Mapped[Offering | None] = relationship(lazy="joined")

    @property
    def subject(self) -> str:
        """How the author's notices, files and the audit name the record."""
        return f"case:{self.id}"

    @property
    def task(self) -> str:
        """How the notices to those who may move it name the record."""
        return f"case_task:{self.id}"

    @property
    def on_wall(self) -> str:
        """How the notices to those who review the public wall name it."""
        return f"case_wall:{self.id}"


class CaseStep(Base):
    """What happened to a record: a move, or a comment. `words` are sealed where the service is private.

    `actor_id` is None for the clock. `shown` tells whether the author reads the words. `late`: the state was left after
    its deadline.
    """

    __tablename__ = "case_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_record.id"), index=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    move: Mapped[str] = mapped_column(String(30))
    before: Mapped[str] = mapped_column(String(20), default="")
    after: Mapped[str] = mapped_column(String(20), default="")
    words: Mapped[str] = sealed("case", default="")
    shown: Mapped[bool] = mapped_column(default=True)
    late: Mapped[bool] = mapped_column(default=False)


class CaseHandler(Base):
    """Somebody who was given a record: `part` is handler (主办) or helper (协办)."""

    __tablename__ = "case_handler"
    __table_args__ = (UniqueConstraint("case_id", "member_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_record.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    part: Mapped[str] = mapped_column(String(8))
    member: Mapped[Member] = relationship(lazy="joined")


class CaseSecond(Base):
    """An invitation to second a record; `state` is invited, seconded, declined or withdrawn."""

    __tablename__ = "case_second"
    __table_args__ = (UniqueConstraint("case_id", "member_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_record.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="invited")
    invited_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    member: Mapped[Member] = relationship(lazy="joined")
    case: Mapped[Case] = relationship(lazy="joined")

    @property
    def subject(self) -> str:
        """How notices and the audit name it."""
        return f"second:{self.id}"


class CaseSupport(Base):
    """A member's support of what is on the wall: once each. It never enters the review."""

    __tablename__ = "case_support"

    case_id: Mapped[int] = mapped_column(ForeignKey("case_record.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    at: Mapped[datetime]


class CaseObjection(Base):
    """An objection in a publicity period, to one body. Words and who objects are sealed; `state` is open or settled."""

    __tablename__ = "case_objection"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_record.id"), index=True)
    body: Mapped[str] = mapped_column(String(40))
    said: Mapped[str] = sealed("objection")
    state: Mapped[str] = mapped_column(String(8), default="open")
    at: Mapped[datetime]
    finding: Mapped[str] = sealed("objection", default="")


class CaseLook(Base):
    """Somebody other than its author saw a confidential record; `what` is look, list, print, export or file."""

    __tablename__ = "case_look"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_record.id"), index=True)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(20), default="look")
