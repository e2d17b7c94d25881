"""Hand-overs, and who has them. The words go through and are not kept: but for a message left off hours, sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base


class Handover(Base):
    """Somebody in a private chat (channel, account, conversation, sender) who asked for a person.

    Live states, in which the assistant is silent there: `waiting` for an officer; `answered`, an officer has it;
    `leaving`, one message to be left off hours. Others: `left`, the message lies until the office opens; `listed`,
    handed back with nobody there in time, officers may still take it; `late`, an officer took it after that; `closed`,
    `timed_out`. `open_key` is the chat while the hand-over is live, and unique; `next_at` is when the clock has to
    look. `lines` and `replies` count what the member and the officer said; `sure`: the member tells private matters
    too; `words` is a message left off hours, sealed.
    """

    __tablename__ = "handover"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(60))
    conversation: Mapped[str] = mapped_column(String(160))
    sender: Mapped[str] = mapped_column(String(120))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    state: Mapped[str] = mapped_column(String(12))
    opened_at: Mapped[datetime]
    last_at: Mapped[datetime]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    open_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    chat_key: Mapped[str] = mapped_column(String(40), index=True)
    parked: Mapped[bool] = mapped_column(default=False)
    lines: Mapped[int] = mapped_column(default=0)
    replies: Mapped[int] = mapped_column(default=0)
    sure: Mapped[bool] = mapped_column(default=False)
    words: Mapped[str] = sealed("handover", default="")

    @property
    def subject(self) -> str:
        """How notices and the audit name the hand-over."""
        return f"handover:{self.id}"

    @property
    def live(self) -> bool:
        """Whether what is said in the chat is for a person."""
        return self.open_key is not None


class HandoverTaker(Base):
    """The officer who has a hand-over: the primary key lets only one have it.

    While `armed_until` lies ahead, what the officer says next in the chat `armed_in` goes to the member.
    """

    __tablename__ = "handover_taker"

    handover_id: Mapped[int] = mapped_column(ForeignKey("handover.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    taken_at: Mapped[datetime]
    armed_in: Mapped[str | None] = mapped_column(String(40))
    armed_until: Mapped[datetime | None]
