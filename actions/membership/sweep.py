"""What falls due by itself: requests that nobody decided, codes and invites whose time is over, old counters."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from actions.core.tables import Account
from actions.membership import requests
from actions.membership.binding import tell_account
from actions.membership.people import account_at
from actions.membership.rules import rules_of
from actions.membership.tables import BindingCounter, BindingInvite, BindingRequest

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

#: A little longer than it is waited for.
_ASKED = timedelta(hours=1)


async def sweep(context: Context) -> int:
    """Does what is due; returns how many requests it ended."""
    done = await _expire(context)
    await _forget_asked(context)
    for service in context.catalogue:
        if service.life == "membership":
            await _forget(context, service)
    return done


async def _expire(context: Context) -> int:
    query = select(BindingRequest).where(BindingRequest.open_key.is_not(None), BindingRequest.expires_at <= context.now)
    if not context.database.is_sqlite:
        query = query.with_for_update(of=BindingRequest, skip_locked=True)
    rows = (await context.session.execute(query)).unique().scalars().all()
    for request in rows:
        asked = request.state == "pending" and not request.quiet
        await requests.end(context, request, "expired")
        if asked:
            account = await account_at(context, request.channel, request.account, request.sender)
            if account is not None:
                await tell_account(context, account, "notices.binding_expired", {})
    return len(rows)


async def _forget_asked(context: Context) -> None:
    """What somebody wanted in a group and never came over for."""
    stale = Account.asked_at <= context.now - _ASKED
    await context.session.execute(update(Account).where(Account.asked != "", stale).values(asked="", asked_at=None))


async def _forget(context: Context, service: Declaration) -> None:
    rules = rules_of(service)
    session = context.session
    window = context.now - timedelta(minutes=rules.window_minutes)
    await session.execute(delete(BindingCounter).where(BindingCounter.since <= window))
    await session.execute(
        delete(BindingInvite).where(BindingInvite.used_at.is_(None), BindingInvite.expires_at <= context.now)
    )
    # What came to nothing holds who tried to be whom: it goes when its counters do.
    lost = BindingRequest.state.in_(("expired", "withdrawn", "refused"))
    await session.execute(delete(BindingRequest).where(lost, BindingRequest.decided_at <= window))
    if service.retention_days is not None:
        limit = context.now - timedelta(days=service.retention_days)
        await session.execute(
            delete(BindingRequest).where(BindingRequest.open_key.is_(None), BindingRequest.decided_at <= limit)
        )
