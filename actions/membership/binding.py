"""Binding an account: what was proved is carried out, or an officer is asked to vouch for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Letter, Notice, Option, notify, send_letter
from actions.core.tables import Account
from actions.membership import invites, requests, tries
from actions.membership.commands import ApproveBinding, RefuseBinding
from actions.membership.people import account_at, accounts_of, approvers, find_member
from actions.membership.rules import current_rules, service_of
from actions.membership.tables import BindingRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from actions.core.tables import Member
    from actions.membership.commands import Bind


async def bind(command: Bind, context: Context) -> Outcome:
    """Raises DomainError: already_bound, binding_locked, binding_stale (no proof came before, or its time is over)."""
    if context.actor.member is not None:
        raise DomainError("already_bound", member=context.actor.member.name)
    await _refuse_locked(context, command.staff_id)
    request, member = await _proved(context, command.staff_id)
    account = await own_account(context)
    if account.member_id is not None:
        raise DomainError("already_bound", member=member.name)
    if request.way == "officer":
        await _ask(context, request, member)
        return Outcome(wording="membership.pending", params={"member": member.name}, subject=request.subject)
    if request.invite_id is not None and not await invites.consume(context, request.invite_id):
        raise DomainError("binding_stale")
    await _complete(context, request, member, account)
    return Outcome(wording="membership.bound", params=facts(member), subject=request.subject)


def facts(member: Member) -> dict[str, Any]:
    """What is said of a member whose account is bound."""
    return {"member": member.name, "unit": member.unit.name if member.unit else ""}


async def _refuse_locked(context: Context, staff_id: str) -> None:
    rules = current_rules(context.catalogue)
    keys = tries.account_key(context), tries.staff_key(context, staff_id)
    counted = await tries.take(context, rules, *keys)
    if counted.left == 0:
        raise counted.locked()


async def _proved(context: Context, staff_id: str) -> tuple[BindingRequest, Member]:
    request = await requests.current(context)
    if request is None or request.state != "proved" or request.expires_at <= context.now:
        raise DomainError("binding_stale")
    member = request.member
    meant = await find_member(context, staff_id)
    if member is None or member.status == "left" or meant is not member:
        raise DomainError("binding_stale")
    return request, member


async def own_account(context: Context) -> Account:
    """The account that the actor speaks with, made where there is none."""
    actor = context.actor
    account = await account_at(context, actor.channel, actor.account, actor.sender)
    if account is None:
        account = Account(channel=actor.channel, account=actor.account, sender=actor.sender, heard_at=context.now)
        context.session.add(account)
        await context.session.flush()
    return account


async def _complete(context: Context, request: BindingRequest, member: Member, account: Account) -> None:
    for other in await accounts_of(context, member.id):
        await tell_account(context, other, "notices.bound_elsewhere", {"channel": account.channel})
    account.member_id, account.bound_at = member.id, context.now
    await requests.end(context, request, "bound")


async def tell_account(
    context: Context, account: Account, wording: str, params: Mapping[str, Any], *, member_id: int | None = None
) -> None:
    """Says something to an account, bound or not; one that was never spoken to in private is not told."""
    if account.conversation is None:
        return
    letter = Letter(
        channel=account.channel,
        account=account.account,
        conversation=account.conversation,
        wording=wording,
        params=params,
        member_id=member_id,
    )
    await send_letter(context, letter)


async def _ask(context: Context, request: BindingRequest, member: Member) -> None:
    rules = current_rules(context.catalogue)
    request.state = "pending"
    request.expires_at = context.now + timedelta(days=rules.request_days)
    params = {
        **facts(member),
        "staff_id": member.staff_id,
        "channel": request.channel,
        "accounts": len(await accounts_of(context, member.id)),
    }
    options = (
        Option(label="同意", command=ApproveBinding(request_id=request.id)),
        Option(label="退回", command=RefuseBinding(request_id=request.id), asks_reason=True),
    )
    for officer in await approvers(context, rules, service_of(context.catalogue), member):
        notice = Notice(
            member_id=officer.id,
            wording="notices.binding_wanted",
            params=params,
            subject=request.subject,
            expires=request.expires_at,
            options=options,
        )
        await notify(context, notice)
    await context.session.flush()


async def approve(command: ApproveBinding, context: Context) -> Outcome:
    """Raises DomainError: binding_decided, member_left, already_bound; ForbiddenError, for one's own too (回避)."""
    request, member = await _pending(context, command.request_id)
    if member.status == "left":
        raise DomainError("member_left", member=member.name)
    account = await account_at(context, request.channel, request.account, request.sender)
    if account is None or account.member_id is not None:
        raise DomainError("binding_decided")
    await _complete(context, request, member, account)
    if account.conversation is None:
        await notify(context, Notice(member_id=member.id, wording="notices.binding_approved", params=facts(member)))
    else:
        await tell_account(context, account, "notices.binding_approved", facts(member), member_id=member.id)
    return Outcome(wording="membership.approved", params=facts(member), subject=request.subject)


async def refuse(command: RefuseBinding, context: Context) -> Outcome:
    """Raises as `approve` does. The account is not bound: it is told at its own address."""
    request, member = await _pending(context, command.request_id)
    await requests.end(context, request, "refused")
    account = await account_at(context, request.channel, request.account, request.sender)
    if account is not None:
        await tell_account(context, account, "notices.binding_refused", {"reason": command.reason})
    return Outcome(wording="membership.refused", params=facts(member), subject=request.subject)


async def _pending(context: Context, request_id: int) -> tuple[BindingRequest, Member]:
    request = await context.database.lock(context.session, BindingRequest, request_id)
    member = request.member if request is not None else None
    if request is None or member is None or request.state != "pending":
        raise DomainError("binding_decided")
    if request.expires_at <= context.now:
        raise DomainError("binding_decided")
    if not _may_decide(context, member):
        raise ForbiddenError
    return request, member


def _may_decide(context: Context, member: Member) -> bool:
    actor, service = context.actor, service_of(context.catalogue)
    if actor.member is not None and actor.member.id == member.id:
        return False
    roles = current_rules(context.catalogue).approvers
    return any(actor.holds(role, service=service, unit_id=member.unit_id) for role in roles)
