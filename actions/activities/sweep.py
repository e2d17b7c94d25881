"""What falls due by itself. Rows decide: each step looks for what is due at `now` and is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from actions.activities import notices, store, waitlist
from actions.activities.rules import spec_of
from actions.activities.tables import OPEN, Attendance, Entry, Person
from actions.blocks import materials
from actions.core.notify import forget_prompts
from actions.core.tables import Member, Offering

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


async def sweep(context: Context) -> int:
    """Offers that lapse, places of who has left, waitlists that are over, and what must be deleted.

    Costs a handful of queries where nothing is due. Returns how much was done.
    """
    await store.alone(context)
    concerned = await waitlist.expire(context)
    gone = await _let_go(context)
    done = len(concerned) + len(gone) + await _end_waiting(context)
    for offering_id in sorted(concerned | gone):
        offering = await context.session.get(Offering, offering_id, populate_existing=True)
        if offering is not None:
            done += await waitlist.fill(context, offering)
    for service in context.catalogue:
        if service.life == "activity" and service.retention_days is not None:
            done += await _forget(context, service, service.retention_days)
    return done


async def _let_go(context: Context) -> set[int]:
    """Who has left the university keeps no place of their own; returns the offerings in which something became free."""
    kept = (
        select(Entry)
        .join(Member, Member.id == Entry.member_id)
        .where(Entry.state.in_(OPEN), Entry.kind.in_(("person", "wish")), Member.status == "left")
    )
    rows = await store.rows(context, kept)
    for row in rows:
        await store.end(context, row, "withdrawn")
    return {row.offering_id for row in rows}


async def _end_waiting(context: Context) -> int:
    """A place on the list is over when the activity begins, and so is a wish that no unit filed by then."""
    open_ = Entry.state.in_(("waiting", "wished", "accepted"))
    offerings = select(Offering).where(Offering.id.in_(select(Entry.offering_id).where(open_)))
    done = 0
    for offering in (await context.session.execute(offerings)).scalars():
        starts_at = spec_of(offering).starts_at
        if starts_at is None or context.now < starts_at:
            continue
        for entry in await store.rows(context, select(Entry).where(Entry.offering_id == offering.id, open_)):
            told = entry.state
            await store.end(context, entry, "expired")
            if told != "accepted":
                await notices.tell_people(context, entry, "enrolment.over", was=told)
            done += 1
    return done


async def _forget(context: Context, service: Declaration, days: int) -> int:
    """Deletes entries past the service's retention, counted from the end of the activity or of the entry."""
    limit = context.now - timedelta(days=days)
    old = select(Entry).where(Entry.service == service.id, Entry.created_at < limit)
    forgotten = []
    for entry in await store.rows(context, old):
        spec = spec_of(entry.offering)
        # What has questions and no time of its own is over with its last day.
        ends_at = spec.ends_at or (spec.closes_at if spec.questions else None)
        if (ends_at is None and entry.state in OPEN) or (ends_at is not None and ends_at >= limit):
            continue
        forgotten.append(entry)
    ids = [entry.id for entry in forgotten]
    if not ids:
        return 0
    for entry in forgotten:
        await materials.drop(context, entry.subject)
        await store.give_back(context, entry)
    await store.forget(context, service, ids)
    await context.session.execute(delete(Attendance).where(Attendance.entry_id.in_(ids)))
    await context.session.execute(delete(Person).where(Person.entry_id.in_(ids)))
    await context.session.execute(delete(Entry).where(Entry.id.in_(ids)))
    await forget_prompts(context, [entry.subject for entry in forgotten])
    return len(ids)
