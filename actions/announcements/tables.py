"""Records of what the union says by itself: announcements and their receipts, groups, and whom it has greeted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base


class Announcement(Base):
    """Something that officers tell many.

    `state`: pending (a second person has to agree) -> scheduled -> sent; pending -> refused | lapsed; scheduled | sent
    -> withdrawn. How far the sending has come is told by the rows of its batches, whose subject it is.
    `segment` is whom it is for, looked up when it is sent. `content` (text, link) is sealed. `corrects_id` is the
    announcement that it sets right. `answer_by` is until when those who got it are asked to say 收到; who has not is
    reminded before (`reminded_at`), and told to the author after. `reported_at`: the author has been told how it
    ended.
    """

    __tablename__ = "announcement"
    __table_args__ = (Index("ix_announcement_state_due_at", "state", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    segment: Mapped[dict[str, Any]]
    content: Mapped[str] = sealed("announcement")
    kind: Mapped[str] = mapped_column(String(8))
    topic: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[str] = mapped_column(String(12))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("announcement.id"))
    due_at: Mapped[datetime]
    answer_by: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]

    @property
    def subject(self) -> str:
        """How batches, notices and the audit name it."""
        return f"announcement:{self.id}"


class Receipt(Base):
    """A member has said 收到."""

    __tablename__ = "announcement_receipt"

    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcement.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    at: Mapped[datetime]


class ChatGroup(Base):
    """A group that an officer has bound.

    `conversation` is the platform's raw id, which may change: everything else hangs on the row. `unit_id` is empty for
    a group of the whole union. `muted_until` far away is until somebody says otherwise. `welcome` greets who joins.
    """

    __tablename__ = "chat_group"
    __table_args__ = (UniqueConstraint("channel", "account", "conversation"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(60), unique=True)
    channel: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(60), default="")
    conversation: Mapped[str] = mapped_column(String(160))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    bound_by: Mapped[int] = mapped_column(ForeignKey("member.id"))
    bound_at: Mapped[datetime]
    welcome: Mapped[str] = mapped_column(default="")
    welcomed_at: Mapped[datetime | None]
    muted_until: Mapped[datetime | None]

    @property
    def subject(self) -> str:
        """How the audit names it."""
        return f"group:{self.id}"


class GroupPhrase(Base):
    """A phrase that binds the group it is said in, once, by the officer who asked for it. Only a keyed hash is kept."""

    __tablename__ = "chat_group_phrase"

    id: Mapped[int] = mapped_column(primary_key=True)
    phrase_hash: Mapped[str] = mapped_column(String(40), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    title: Mapped[str] = mapped_column(String(60))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    expires_at: Mapped[datetime]


class GroupWord(Base):
    """What is answered in a group to an exact word."""

    __tablename__ = "chat_group_word"

    group_id: Mapped[int] = mapped_column(ForeignKey("chat_group.id"), primary_key=True)
    word: Mapped[str] = mapped_column(String(20), primary_key=True)
    answer: Mapped[str]


class Known(Base):
    """How the union knows a member, so that somebody new and somebody retired are seen: who is missing is new.

    `status` is the one that was seen last. `welcome_until` is until when a new colleague is still to be welcomed: that
    happens when they are bound.
    """

    __tablename__ = "greeting_known"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    status: Mapped[str] = mapped_column(String(12))
    welcome_until: Mapped[datetime | None] = mapped_column(index=True)
