"""What officers add to the passages, version by version; and the questions that found no answer."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base


class PassageVersion(Base):
    """One version of a passage. Rows are only added: the newest of a `ref` counts, over the files of data/knowledge.

    `status` is confirmed, 示例, or retired (not quoted any more). `change` tells what was done: loaded, confirmed,
    retired, answered. `origin` is the name of the file that it came out of.
    """

    __tablename__ = "passage_version"
    __table_args__ = (Index("ix_passage_version_ref_id", "ref", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(140))
    service: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(120))
    heading: Mapped[str] = mapped_column(String(60))
    text: Mapped[str]
    source: Mapped[str] = mapped_column(String(200))
    issuer: Mapped[str] = mapped_column(String(80), default="")
    url: Mapped[str] = mapped_column(String(300), default="")
    effective: Mapped[date | None]
    expires: Mapped[date | None]
    owner: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(12))
    verbatim: Mapped[bool] = mapped_column(default=False)
    change: Mapped[str] = mapped_column(String(12))
    origin: Mapped[str] = mapped_column(String(160), default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    at: Mapped[datetime]


class OpenQuestion(Base):
    """A question that found no answer, its personal data masked.

    `text`, `asker` (whom to tell) and `meaning` (the vector, for likeness) are sealed; `asker_key` is a pseudonym,
    `text_key` one of the words, so that the same question of the same person stands here once. `like_id` is the first
    question of its group. `state` is open, answered, labelled (`label` is an intent) or dismissed.
    """

    __tablename__ = "open_question"
    __table_args__ = (Index("ix_open_question_state_like_id", "state", "like_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    like_id: Mapped[int | None]
    service: Mapped[str] = mapped_column(String(40), default="")
    intent: Mapped[str] = mapped_column(String(40), default="")
    text: Mapped[str] = sealed("question")
    asker: Mapped[str] = sealed("asker")
    meaning: Mapped[str] = sealed("question meaning", default="")
    asker_key: Mapped[str] = mapped_column(String(32))
    text_key: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(12), default="open")
    label: Mapped[str] = mapped_column(String(40), default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    at: Mapped[datetime] = mapped_column(index=True)
    settled_at: Mapped[datetime | None]
