"""What is done with an announcement after it was written: agreed to, sent back, paused, taken back, set right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.announcements import segments as s
from actions.announcements import store
from actions.announcements.audience import count, resolve
from actions.announcements.chasing import chase_of
from actions.announcements.composing import commit, facts_of, request_of
from actions.announcements.rules import Office, broadcast_rules
from actions.announcements.sending import control_notice, progress_outcome, send, turn_all
from actions.announcements.tables import Announcement
from actions.core import batches
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, cancel_notices, close_prompts, notify

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actions.announcements.commands import Approve, Correct, Pause, Progress, Refuse, Resume, Withdraw
    from actions.core.commands import Context


async def _to_decide(context: Context, number: int) -> Announcement:
    """One that waits for the actor's word. Raises DomainError("announcement_decided"), ForbiddenError (回避)."""
    service, rules = broadcast_rules(context.catalogue)
    row = await store.one(context, number)
    actor = context.actor
    own = actor.member is not None and actor.member.id == row.author_id
    if own or not any(actor.holds(role, service=service) for role in rules.approvers):
        raise ForbiddenError
    if row.state != "pending":
        raise DomainError("announcement_decided")
    return row


async def approve(command: Approve, context: Context, office: Office) -> Outcome:
    """Raises DomainError("announcement_decided"), ForbiddenError, and what the segment refuses by now."""
    row = await _to_decide(context, command.announcement_id)
    row.approver_id = context.actor.member.id if context.actor.member else None
    row.state = "scheduled"
    await cancel_notices(context, request_of(row))
    segment = s.from_json(row.segment)
    counted = await count(context, await resolve(context, office.sources, segment))
    now = row.due_at <= context.now
    if now:
        await send(context, office, row)
    facts = {**facts_of(segment, counted), "number": row.id, "title": row.title, "due": row.due_at, "now": now}
    await close_prompts(context, f"announcement_control:{row.id}")
    if row.author_id is not None:
        await notify(context, control_notice(row, "announcements.approved_for_you", facts))
    return Outcome(wording="announcements.approved", params=facts, subject=row.subject, data={"state": row.state})


async def refuse(command: Refuse, context: Context, office: Office) -> Outcome:
    """Raises DomainError("announcement_decided"), ForbiddenError."""
    del office
    row = await _to_decide(context, command.announcement_id)
    row.approver_id = context.actor.member.id if context.actor.member else None
    row.state = "refused"
    await cancel_notices(context, request_of(row))
    params = {"number": row.id, "title": row.title, "reason": command.reason}
    await tell_author(context, row, "announcements.refused_for_you", corrects=row.corrects_id or 0, **params)
    return Outcome(wording="announcements.refused", params=params, subject=row.subject)


async def tell_author(context: Context, row: Announcement, wording: str, **params: object) -> None:
    """Tells who wrote it; the operator at the machine reads the ledger."""
    if row.author_id is not None:
        await notify(context, Notice(member_id=row.author_id, wording=wording, params=params))


async def pause(command: Pause, context: Context, office: Office) -> Outcome:
    """Raises DomainError: no_such_announcement, not_sending."""
    del office
    row = await store.managed(context, command.announcement_id)
    return await _turned(context, row, batches.pause, "announcements.paused", "not_sending")


async def resume(command: Resume, context: Context, office: Office) -> Outcome:
    """Raises DomainError: no_such_announcement, not_paused."""
    del office
    row = await store.managed(context, command.announcement_id)
    return await _turned(context, row, batches.resume, "announcements.resumed", "not_paused")


async def _turned(
    context: Context, row: Announcement, turn: Callable[[Context, int], Awaitable[int]], wording: str, refusal: str
) -> Outcome:
    """Turns all that is said of an announcement; refuses where that changes nothing."""
    rows = await turn_all(context, row, turn)
    if not rows:
        raise DomainError(refusal, number=row.id)
    return progress_outcome(row, wording, await store.standing(context, row), rows=rows)


async def withdraw(command: Withdraw, context: Context, office: Office) -> Outcome:
    """What is not said is not said any more, and nobody is reminded or chased.

    Raises DomainError: no_such_announcement, announcement_over (nothing of it is still to come).
    """
    del office
    row = await store.managed(context, command.announcement_id)
    if row.state not in ("pending", "scheduled", "sent"):
        raise DomainError("announcement_over", number=row.id)
    asked = row.state == "sent" and row.answer_by is not None and row.answer_by > context.now
    taken = await turn_all(context, row, batches.cancel)
    if row.state == "sent" and not taken and not asked:
        raise DomainError("announcement_over", number=row.id)
    corrects = row.corrects_id or 0 if row.state != "sent" else 0
    row.state = "withdrawn"
    await cancel_notices(context, request_of(row))
    await cancel_notices(context, chase_of(row.subject))
    await close_prompts(context, f"announcement_control:{row.id}")
    standing = await store.standing(context, row)
    return progress_outcome(row, "announcements.withdrawn", standing, taken=taken, asked=asked, corrects=corrects)


async def progress(command: Progress, context: Context, office: Office) -> Outcome:
    """Raises DomainError("no_such_announcement"), ForbiddenError."""
    del office
    row = await store.managed(context, command.announcement_id)
    return progress_outcome(row, "announcements.progress", await store.standing(context, row))


async def correct(command: Correct, context: Context, office: Office) -> Outcome:
    """What is wrong is held back at once; what is right waits for a second person where the earlier one did.

    Raises DomainError: no_such_announcement, correction_empty, not_sent_yet (withdraw it and write a new one),
    corrected_already (what is right by now is set right), and what `commit` refuses.
    """
    earlier = await store.managed(context, command.announcement_id)
    text = command.reason.strip()
    if not text:
        raise DomainError("correction_empty", number=earlier.id)
    if earlier.sent_at is None:
        raise DomainError("not_sent_yet", number=earlier.id)
    later = await store.correction_of(context, earlier)
    if later is not None:
        raise DomainError("corrected_already", number=earlier.id, by=later.id)
    await turn_all(context, earlier, batches.pause)
    segment = s.from_json(earlier.segment)
    counted = await count(context, await resolve(context, office.sources, segment))
    row = Announcement(
        title=store.title_of(text),
        segment=earlier.segment,
        content=store.sealed(context, text, store.opened(context, earlier)["link"]),
        kind=earlier.kind,
        topic=earlier.topic,
        state="scheduled",
        author_id=context.actor.member.id if context.actor.member else None,
        corrects_id=earlier.id,
        due_at=context.now,
        answer_by=earlier.answer_by if earlier.answer_by and earlier.answer_by > context.now else None,
        created_at=context.now,
    )
    return await commit(context, office, row, counted)
