"""The one open request of an account: opened, looked up, ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.notify import cancel_notices
from actions.membership import tries
from actions.membership.people import fold_name, fold_staff_id
from actions.membership.tables import BindingRequest

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.core.tables import Member
    from actions.membership.rules import Form, Verification


def pair_of(context: Context, form: Form) -> str:
    """A 工号 and name as they were said, so that the same again is known for the same."""
    return context.vault.pseudonym(f"binding-pair:{fold_staff_id(form.staff_id).upper()}:{fold_name(form.name)}")


async def current(context: Context) -> BindingRequest | None:
    """The open request of the actor's account, locked."""
    query = select(BindingRequest.id).where(BindingRequest.open_key == tries.account_key(context))
    found = (await context.session.execute(query)).scalar_one_or_none()
    return await context.database.lock(context.session, BindingRequest, found) if found is not None else None


async def start(
    context: Context, form: Form, member: Member | None, *, way: Verification, state: str
) -> BindingRequest:
    """A request of the actor's account; the one that was open before gives way."""
    before = await current(context)
    if before is not None:
        await end(context, before, "withdrawn")
    actor = context.actor
    request = BindingRequest(
        channel=actor.channel,
        account=actor.account,
        sender=actor.sender,
        member=member,
        pair=pair_of(context, form),
        way=way,
        state=state,
        quiet=False,
        failures=0,
        expires_at=context.now + timedelta(minutes=form.rules.code_minutes),
        open_key=tries.account_key(context),
        created_at=context.now,
    )
    context.session.add(request)
    await context.session.flush()
    return request


async def end(context: Context, request: BindingRequest, state: str) -> None:
    """Ends a request; what was asked about it, and what was not sent yet, goes with it."""
    request.state = state
    request.open_key, request.code_hash = None, ""
    request.decided_at = context.now
    await cancel_notices(context, request.subject)
    await context.session.flush()
