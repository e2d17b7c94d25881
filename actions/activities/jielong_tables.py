"""A pasted 接龙 while an officer goes through it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from actions.core.tables import Base, Offering


class JielongPaste(Base):
    """`state` is open, registered or dropped. `content` (text and picks) is sealed, and emptied when it is over."""

    __tablename__ = "activity_jielong"

    id: Mapped[int] = mapped_column(primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default="open")
    content: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    offering: Mapped[Offering] = relationship(lazy="joined")

    @property
    def subject(self) -> str:
        """How its options and the audit name it."""
        return f"jielong:{self.id}"
