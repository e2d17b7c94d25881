"""Taking accounts from a member: one's own, a lost one, all of somebody who has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from actions.core.commands import SYSTEM, Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import WAITING
from actions.core.tables import Account, Conversation, Credential, Offering, Outgoing, Prompt, RoleGrant, WebSession
from actions.membership import requests
from actions.membership.binding import tell_account
from actions.membership.people import account_at, accounts_of, find_member, member_of
from actions.membership.roles import refuse_last_administrator
from actions.membership.rules import OFFICERS, service_of
from actions.membership.tables import BindingInvite, BindingRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.tables import Member
    from actions.membership.commands import Leave, Unbind


async def unbind(command: Unbind, context: Context) -> Outcome:
    """Raises DomainError: no_account, no_such_member; ForbiddenError."""
    accounts = await (_named(context, command.staff_id) if command.staff_id else _present(context))
    if not accounts:
        raise DomainError("no_account")
    member_id = accounts[0].member_id
    for account in accounts:
        await free(context, account, tell=bool(command.staff_id))
    return Outcome(wording="membership.unbound", params={"count": len(accounts)}, subject=f"member:{member_id}")


async def _present(context: Context) -> Sequence[Account]:
    actor = context.actor
    account = await account_at(context, actor.channel, actor.account, actor.sender)
    return [account] if account is not None and account.member_id == actor.member_id else []


async def _named(context: Context, staff_id: str) -> Sequence[Account]:
    """Accounts of a 工号. Whether there is such a 工号 is told to those only who may know the roster."""
    actor = context.actor
    member = await find_member(context, staff_id)
    if member is None:
        if _is_officer(context):
            raise DomainError("no_such_member", staff_id=staff_id)
        raise ForbiddenError
    accounts = await accounts_of(context, member.id)
    if actor.member is not None and actor.member.id == member.id:
        return [one for one in accounts if (one.channel, one.account, one.sender) != _origin(context)]
    unit_officer = actor.holds("unit_officer", service=service_of(context.catalogue), unit_id=member.unit_id)
    if not unit_officer and not _is_officer(context):
        raise ForbiddenError
    return accounts


def _origin(context: Context) -> tuple[str, str, str]:
    return context.actor.channel, context.actor.account, context.actor.sender


def _is_officer(context: Context) -> bool:
    service = service_of(context.catalogue)
    return any(context.actor.holds(role, service=service) for role in OFFICERS)


async def free(context: Context, account: Account, *, tell: bool) -> None:
    """An account belongs to nobody again. Where somebody else asked for it, it is told, and its page is closed."""
    if tell:
        await tell_account(context, account, "notices.unbound", {})
        await _forget_talk(context, account)
    account.member_id, account.bound_at = None, None
    await context.session.flush()


async def _forget_talk(context: Context, account: Account) -> None:
    """Who holds a lost phone goes on with no form of the member's, and does not read what was said."""
    if account.conversation is not None:
        await context.session.execute(
            update(Conversation)
            .where(
                Conversation.channel == account.channel,
                Conversation.account == account.account,
                Conversation.key == account.conversation,
            )
            .values(state="")
        )
    if account.channel == "web":
        await context.session.execute(delete(WebSession).where(WebSession.sender == account.sender))


async def leave(command: Leave, context: Context) -> Outcome:
    """Raises DomainError: no_such_member, member_left, last_administrator.

    What was open is counted and not named: an officer does not learn of a private service by it.
    """
    member = await member_of(context, command.staff_id)
    if member.status == "left":
        raise DomainError("member_left", member=member.name)
    await refuse_last_administrator(context, member.id)
    withdrawn, kept = await _withdraw_records(context, member.id)
    accounts = await accounts_of(context, member.id)
    for account in accounts:
        await free(context, account, tell=True)
    await _revoke(context, member)
    member.status = "left"
    await context.session.flush()
    owned = await _owned(context, member.id)
    return Outcome(
        wording="membership.left",
        params={"member": member.name, "withdrawn": withdrawn, "kept": kept, "owned": owned},
        subject=f"member:{member.id}",
        data={"accounts": len(accounts), "withdrawn": withdrawn, "kept": kept, "owned": owned},
    )


async def _withdraw_records(context: Context, member_id: int) -> tuple[int, int]:
    """Withdraws what is open; returns how many, and how many a rule keeps."""
    withdrawn = kept = 0
    for records in context.records:
        for item in await records.items(context, member_id):
            if not item.withdrawable:
                kept += 1
                continue
            try:
                async with context.session.begin_nested():
                    await context.bus.execute(records.withdrawal(item.ref), context.acting_as(SYSTEM))
                withdrawn += 1
            except DomainError:
                kept += 1
    return withdrawn, kept


async def _revoke(context: Context, member: Member) -> None:
    session = context.session
    await session.execute(delete(RoleGrant).where(RoleGrant.member_id == member.id))
    await session.execute(delete(Credential).where(Credential.member_id == member.id))
    await session.execute(delete(BindingInvite).where(BindingInvite.member_id == member.id))
    waiting = select(BindingRequest).where(BindingRequest.member_id == member.id, BindingRequest.open_key.is_not(None))
    for request in (await session.execute(waiting)).unique().scalars().all():
        await requests.end(context, request, "withdrawn")
    await session.execute(
        update(Prompt).where(Prompt.member_id == member.id, Prompt.closed_at.is_(None)).values(closed_at=context.now)
    )
    await session.execute(
        update(Outgoing)
        .where(Outgoing.member_id == member.id, Outgoing.state.in_(WAITING), Outgoing.turn_id.is_(None))
        .values(state="cancelled")
    )


async def _owned(context: Context, member_id: int) -> list[str]:
    """What the member answers for, and somebody else has to take over."""
    query = select(Offering.title).where(Offering.owner_id == member_id, Offering.state.in_(("draft", "open")))
    return list((await context.session.execute(query.order_by(Offering.id))).scalars())
