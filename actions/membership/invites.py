"""Invite codes: one per member, good for one account, known to nobody but who was handed it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import CursorResult, delete, select, update

from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError
from actions.core.tables import Account, Member
from actions.core.zones import local
from actions.membership import codes
from actions.membership.people import member_of, unit_of
from actions.membership.rules import current_rules
from actions.membership.tables import BindingInvite

if TYPE_CHECKING:
    from actions.membership.commands import IssueInvites


async def consume(context: Context, invite_id: int) -> bool:
    """Uses up an invite; False where somebody else was quicker. The database decides, not what was read before."""
    result = await context.session.execute(
        update(BindingInvite)
        .where(BindingInvite.id == invite_id, BindingInvite.used_at.is_(None))
        .values(used_at=context.now)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


async def issue(command: IssueInvites, context: Context) -> Outcome:
    """Raises DomainError: no_such_member, no_such_unit, member_left."""
    rules = current_rules(context.catalogue)
    expires = context.now + timedelta(days=rules.invite_days)
    rows = []
    for member in await _invited(context, command):
        await context.session.execute(
            delete(BindingInvite).where(BindingInvite.member_id == member.id, BindingInvite.used_at.is_(None))
        )
        code = codes.new_invite()
        context.session.add(
            BindingInvite(member_id=member.id, code_hash=codes.invite_hash(context, code), expires_at=expires)
        )
        unit = member.unit.name if member.unit else ""
        rows.append({"staff_id": member.staff_id, "name": member.name, "unit": unit, "code": code})
    await context.session.flush()
    return Outcome(
        wording="membership.invited",
        params={"count": len(rows), "expires_at": local(expires)},
        subject="invites",
        data={"rows": rows, "expires_at": local(expires).isoformat()},
    )


async def _invited(context: Context, command: IssueInvites) -> list[Member]:
    if command.staff_ids:
        named = [await member_of(context, staff_id) for staff_id in command.staff_ids]
        for member in named:
            if member.status == "left":
                raise DomainError("member_left", member=member.name)
        return named
    bound = select(Account.member_id).where(Account.member_id.is_not(None))
    query = select(Member).where(Member.status != "left", Member.id.not_in(bound)).order_by(Member.staff_id)
    if command.unit:
        query = query.where(Member.unit_id == (await unit_of(context, command.unit)).id)
    return list((await context.session.execute(query)).scalars().unique())
