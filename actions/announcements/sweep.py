"""What falls due by itself: announcements whose time has come, requests that lapse, receipts, and what is reported."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from actions.announcements import chasing, store
from actions.announcements.audience import missing
from actions.announcements.composing import request_of
from actions.announcements.rules import Office, broadcast_rules
from actions.announcements.sending import send
from actions.announcements.steering import tell_author
from actions.announcements.tables import Announcement
from actions.core.batches import Mailing, add_members, open_batch
from actions.core.errors import DomainError
from actions.core.notify import cancel_notices
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from actions.core.commands import Context

#: The author is told how the sending went, once, when it has ended; what waits longer is not waited for.
_REPORTED_WITHIN = timedelta(days=2)
#: What a process that was down still tells of deadlines that are over.
_CHASED_WITHIN = timedelta(days=7)


async def sweep(context: Context, office: Office) -> int:
    """Costs a handful of queries where nothing is due. Returns how much was done."""
    done = await _lapse(context)
    done += await _start(context, office)
    done += await _report(context)
    done += await _remind(context, office)
    return done + await _chase(context, office)


async def _rows(context: Context, *which: ColumnElement[bool]) -> Sequence[Announcement]:
    """Rows to work on; what another process is at is left to it."""
    query = select(Announcement).where(*which).order_by(Announcement.id)
    if not context.database.is_sqlite:
        query = query.with_for_update(skip_locked=True)
    return (await context.session.execute(query.execution_options(populate_existing=True))).scalars().all()


async def _lapse(context: Context) -> int:
    """Nobody has decided, for days or until long after it was to be sent: it is not sent."""
    _, rules = broadcast_rules(context.catalogue)
    undecided = Announcement.created_at <= context.now - timedelta(days=rules.approval_days)
    timed = Announcement.due_at > Announcement.created_at
    too_late = and_(timed, Announcement.due_at < context.now - timedelta(hours=rules.useful_hours))
    rows = await _rows(context, Announcement.state == "pending", or_(undecided, too_late))
    for row in rows:
        row.state = "lapsed"
        await cancel_notices(context, request_of(row))
        params = {"number": row.id, "title": row.title, "corrects": row.corrects_id or 0}
        await tell_author(context, row, "announcements.lapsed", **params)
    return len(rows)


async def _start(context: Context, office: Office) -> int:
    """Sends what is due. What is so late that it does no good any more is not sent, and its author told."""
    _, rules = broadcast_rules(context.catalogue)
    rows = await _rows(context, Announcement.state == "scheduled", Announcement.due_at <= context.now)
    for row in rows:
        params = {"number": row.id, "title": row.title, "due": local(row.due_at).isoformat()}
        if context.now - row.due_at > timedelta(hours=rules.useful_hours):
            row.state = "lapsed"
            await tell_author(context, row, "announcements.too_late", **params)
            continue
        try:
            async with context.session.begin_nested():
                await send(context, office, row)
        except DomainError as error:
            row.state, row.sent_at = "lapsed", None
            reason = office.render(f"errors.{error.code}", error.params)
            await tell_author(context, row, "announcements.not_sent", reason=reason, **params)
    return len(rows)


async def _report(context: Context) -> int:
    """Tells the author how it ended."""
    open_ = Announcement.state == "sent", Announcement.reported_at.is_(None), Announcement.author_id.is_not(None)
    told = 0
    for row in await _rows(context, *open_, Announcement.sent_at < context.now):
        standing = await store.standing(context, row)
        if standing.waiting and row.sent_at is not None and context.now - row.sent_at < _REPORTED_WITHIN:
            continue
        row.reported_at = context.now
        params = {**store.counts(standing), "number": row.id, "title": row.title, "state": row.state}
        await tell_author(context, row, "announcements.report", due=local(row.due_at).isoformat(), **params)
        told += 1
    return told


async def _remind(context: Context, office: Office) -> int:
    """Before the deadline: who was asked for 收到 and has not said it is asked again, once."""
    _, rules = broadcast_rules(context.catalogue)
    soon = context.now + timedelta(hours=rules.remind_hours)
    asks = Announcement.state == "sent", Announcement.answer_by > context.now, Announcement.answer_by <= soon
    rows = await _rows(context, *asks, Announcement.reminded_at.is_(None))
    for row in rows:
        if await store.is_paused(context, row):
            continue
        row.reminded_at = context.now
        # Who was asked within the same span is not asked twice.
        if row.sent_at is None or row.sent_at > context.now - timedelta(hours=rules.remind_hours) / 2:
            continue
        roster = await office.sources.roster(context, row.subject)
        content = store.opened(context, row)
        params = {"number": row.id, "title": row.title, "text": content["text"]}
        batch = await open_batch(
            context,
            Mailing(
                title=row.title,
                wording="announcements.receipt_reminder",
                params={**params, "answer_by": local(row.answer_by or context.now).isoformat()},
                options=[{"label": "收到", "value": f"收到 {row.id}"}],
                kind="reminder",
                subject=store.reminder_of(row),
                expires=row.answer_by,
            ),
        )
        await add_members(context, batch, missing(roster))
    return len(rows)


async def _chase(context: Context, office: Office) -> int:
    """After the deadline of whatever has a roster, who answers for it gets the 催办表, to send on to the chairs."""
    rosters = await office.sources.over(context, context.now - _CHASED_WITHIN, context.now)
    return sum([await chasing.tell_owner(context, office, roster) for roster in rosters])
