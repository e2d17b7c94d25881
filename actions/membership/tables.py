"""Records of membership. What is tried too often is counted in rows, so that no restart forgets it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from actions.core.tables import Base, Member


class BindingCounter(Base):
    """How often something was tried since `since`; `key` is a pseudonym of an account, a 工号 or a mailbox."""

    __tablename__ = "binding_counter"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    tries: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime]


class BindingRequest(Base):
    """An account that asks to be bound.

    `state`: checked (a code is awaited) -> proved -> pending (an officer is asked) | bound; pending -> bound | refused
    | expired; any open one -> withdrawn. `member_id` is empty for a 工号 and name that do not match: such a request
    goes through the same steps, and no code ever fits it. `pair` is a pseudonym of the 工号 and name that were said.
    `quiet` requests went to an officer because there is no mailbox: the account is not told, as that would give away
    that the pair matched. `open_key` is set while the request is open, and unique: one at a time per account.
    """

    __tablename__ = "binding_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(60), default="")
    sender: Mapped[str] = mapped_column(String(120))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    pair: Mapped[str] = mapped_column(String(40))
    way: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), index=True)
    quiet: Mapped[bool] = mapped_column(default=False)
    invite_id: Mapped[int | None] = mapped_column(ForeignKey("binding_invite.id", ondelete="SET NULL"))
    code_hash: Mapped[str] = mapped_column(String(40), default="")
    code_sent_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
    open_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    member: Mapped[Member | None] = relationship(lazy="joined")

    @property
    def subject(self) -> str:
        """How notices and the audit name the record."""
        return f"binding:{self.id}"


class BindingInvite(Base):
    """A code that binds one member's account, once. Only a keyed hash of it is kept."""

    __tablename__ = "binding_invite"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(40), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
