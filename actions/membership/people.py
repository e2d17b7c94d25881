"""Finding members and accounts: how a 工号 and a name are read, and whose account is whose."""

from __future__ import annotations

import hmac
import re
import unicodedata
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from actions.core.errors import DomainError
from actions.core.tables import Account, Member, RoleGrant, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Context
    from actions.membership.rules import MembershipRules

_BLANKS = re.compile(r"\s+")
_DOTS = re.compile(r"[•‧∙・･・．.·]")


def fold_staff_id(text: str) -> str:
    """A 工号 in half width and with no blanks."""
    return unicodedata.normalize("NFKC", _BLANKS.sub("", unicodedata.normalize("NFKC", text)))


def fold_name(text: str) -> str:
    """A name as it is compared: half width, no blanks, one kind of dot, small letters."""
    small = _DOTS.sub("·", _BLANKS.sub("", unicodedata.normalize("NFKC", text))).casefold()
    return unicodedata.normalize("NFKC", small)


async def matching(context: Context, staff_id: str, name: str) -> Member | None:
    """The member whose 工号 and name these are, unless they left. As much work whatever does not fit."""
    member = await find_member(context, staff_id)
    known = fold_name(member.name) if member is not None else ""
    same = hmac.compare_digest(known.encode(), fold_name(name).encode())
    return member if member is not None and same and member.status != "left" else None


async def find_member(context: Context, staff_id: str) -> Member | None:
    """The member of a 工号, however it is typed, or None."""
    folded = fold_staff_id(staff_id)
    query = select(Member).where(Member.staff_id.in_((folded, folded.upper(), folded.lower())))
    found = (await context.session.execute(query)).unique().scalars().all()
    return next((member for member in found if member.staff_id == folded), found[0] if found else None)


async def member_of(context: Context, staff_id: str) -> Member:
    """The member of a 工号, locked. Raises DomainError("no_such_member")."""
    found = await find_member(context, staff_id)
    locked = await context.database.lock(context.session, Member, found.id) if found else None
    if locked is None:
        raise DomainError("no_such_member", staff_id=staff_id)
    return locked


async def unit_of(context: Context, title: str) -> Unit:
    """The unit of that name. Raises DomainError("no_such_unit")."""
    unit = (await context.session.execute(select(Unit).where(Unit.name == title.strip()))).scalar_one_or_none()
    if unit is None:
        raise DomainError("no_such_unit", unit=title)
    return unit


async def accounts_of(context: Context, member_id: int) -> Sequence[Account]:
    """A member's bound accounts, oldest first."""
    query = select(Account).where(Account.member_id == member_id).order_by(Account.id)
    return (await context.session.execute(query)).scalars().all()


async def account_at(context: Context, channel: str, account: str, sender: str) -> Account | None:
    """The account of a sender, locked."""
    query = select(Account.id).where(Account.channel == channel, Account.account == account, Account.sender == sender)
    found = (await context.session.execute(query)).scalar_one_or_none()
    return await context.database.lock(context.session, Account, found) if found is not None else None


async def approvers(context: Context, rules: MembershipRules, service: str, member: Member) -> list[Member]:
    """Who is asked to vouch for a member: holders of the first role that somebody holds, never the member (回避)."""
    for role in rules.approvers:
        query = (
            select(Member)
            .join(RoleGrant, RoleGrant.member_id == Member.id)
            .where(
                RoleGrant.role == role,
                RoleGrant.service.in_(("", service)),
                or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id == member.unit_id),
                Member.status != "left",
                Member.id != member.id,
            )
            .order_by(Member.id)
        )
        people = list((await context.session.execute(query)).scalars().unique())
        if people:
            return people
    return []
