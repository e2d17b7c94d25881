"""What the unit files or sends back, and what is agreed to or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.activities import entering, notices, signing, store, waitlist
from actions.activities.rules import rules_of
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import cancel_notices

if TYPE_CHECKING:
    from actions.activities.commands import Approve, File, Refuse, SendBack
    from actions.activities.tables import Entry
    from actions.core.commands import Context


async def file(command: File, context: Context) -> Outcome:
    """Raises DomainError: already_decided, decide_together, full; ForbiddenError for who does not file for the unit, or
    for oneself.
    """
    entry = await _wished(context, command.entry_id)
    if rules_of(context.catalogue[entry.service]).allotment is not None:
        raise DomainError("decide_together", title=entry.offering.title)
    await cancel_notices(context, entry.subject)
    facts = {**notices.facts(context, entry), "waiting": False}
    if entry.kind == "wish":
        entry.state = "accepted"
        await context.session.flush()
        await notices.tell_people(context, entry, "enrolment.noted_by_unit")
        return Outcome(wording="activities.noted", params=facts, subject=entry.subject)
    await waitlist.settle(context, entry.offering)
    seated = await signing.seat(context, entry, waitlist_open=rules_of(context.catalogue[entry.service]).waitlist)
    if entry.state == "waiting":
        await notices.tell_people(context, entry, "enrolment.filed_waiting")
    waits = seated.data["state"] == "waiting"
    return Outcome(wording="activities.filed", params={**facts, "waiting": waits}, subject=entry.subject)


async def send_back(command: SendBack, context: Context) -> Outcome:
    """Raises as `file` does."""
    entry = await _wished(context, command.entry_id)
    facts = {**notices.facts(context, entry), "reason": command.reason}
    await notices.tell_people(context, entry, "enrolment.sent_back", reason=command.reason)
    await store.end(context, entry, "sent_back")
    return Outcome(wording="activities.sent_back", params=facts, subject=entry.subject)


async def _wished(context: Context, entry_id: int) -> Entry:
    entry = await store.find(context, entry_id)
    if entry.state != "wished":
        raise DomainError("already_decided")
    own = context.actor.member is not None and entry.member_id == context.actor.member.id
    if own or not store.files_for(context, entry.service, entry.unit_id):
        raise ForbiddenError
    return entry


async def approve(command: Approve, context: Context) -> Outcome:
    """Raises DomainError("already_decided"); ForbiddenError for who may not, and for one's own entry (回避)."""
    entry = await _pending(context, command.entry_id)
    await cancel_notices(context, entry.subject)
    await entering.confirm(context, entry)
    await notices.tell_people(context, entry, "enrolment.approved")
    return Outcome(wording="activities.approved", params=notices.facts(context, entry), subject=entry.subject)


async def refuse(command: Refuse, context: Context) -> Outcome:
    """Raises as `approve` does."""
    entry = await _pending(context, command.entry_id)
    facts = {**notices.facts(context, entry), "reason": command.reason}
    await notices.tell_people(context, entry, "enrolment.refused", reason=command.reason)
    await store.end(context, entry, "refused")
    await waitlist.fill(context, entry.offering)
    return Outcome(wording="activities.refused", params=facts, subject=entry.subject)


async def _pending(context: Context, entry_id: int) -> Entry:
    entry = await store.find(context, entry_id)
    if entry.state != "pending":
        raise DomainError("already_decided")
    actor = context.actor
    if actor.system:
        return entry
    if store.is_own(context, entry) or actor.member_id not in await notices.approvers(context, entry.offering):
        raise ForbiddenError
    return entry
