"""Separate consent, given once for one purpose (个人信息保护法 arts. 28-29), with what was entrusted along with it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, and_, delete, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from actions.core.sealed import sealed
from actions.core.tables import Base, Member

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select

    from actions.core.commands import Context


class Consent(Base):
    """One member's consent to one purpose. `details` (an emergency contact) are sealed."""

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("member_id", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    purpose: Mapped[str] = mapped_column(String(40))
    given_at: Mapped[datetime]
    details: Mapped[str] = sealed("consent", default="")


async def find(context: Context, member_id: int, purpose: str) -> Consent | None:
    """The consent, or None where it has not been given."""
    query = select(Consent).where(Consent.member_id == member_id, Consent.purpose == purpose)
    return (await context.session.execute(query)).scalar_one_or_none()


async def give(context: Context, member_id: int, purpose: str, details: Mapping[str, Any]) -> Consent:
    """Records a consent, or renews what is entrusted with it."""
    consent = await find(context, member_id, purpose)
    if consent is None:
        consent = Consent(member_id=member_id, purpose=purpose, given_at=context.now)
        context.session.add(consent)
    consent.details = context.vault.seal(dict(details), about="consent")
    await context.session.flush()
    return consent


def details(context: Context, consent: Consent) -> dict[str, Any]:
    """What was entrusted along with the consent, in clear."""
    return dict(context.vault.open(consent.details, about="consent")) if consent.details else {}


async def forget(context: Context, purpose: str, *, before: datetime, but: Select[int]) -> None:
    """Deletes consents that were given before a moment, but for the members in `but`; of who has left, all of them."""
    left = select(Member.id).where(Member.status == "left")
    unused = and_(Consent.given_at < before, Consent.member_id.not_in(but))
    query = delete(Consent).where(Consent.purpose == purpose, or_(unused, Consent.member_id.in_(left)))
    await context.session.execute(query)
