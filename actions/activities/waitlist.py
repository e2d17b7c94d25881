"""Who waits longest is offered the place that becomes free; what is not taken in time goes on to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.activities import entering, notices, store
from actions.activities.blocks import blocks_of
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Entry
from actions.blocks.quota import Seat, free_seat
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import close_prompts
from actions.core.tables import Unit

if TYPE_CHECKING:
    from datetime import datetime

    from actions.activities.commands import AcceptOffer, DeclineOffer
    from actions.core.commands import Context
    from actions.core.tables import Offering


async def settle(context: Context, offering: Offering) -> None:
    """What a scarce place begins with: nobody else at it, no offer that has lapsed, those who wait served first."""
    await store.alone(context)
    await expire(context, offering.id)
    await fill(context, offering)


async def expire(context: Context, offering_id: int | None = None) -> set[int]:
    """Ends offers that have lapsed, for those who are alone. Returns the offerings concerned."""
    query = select(Entry).where(Entry.state == "offered", Entry.expires_at <= context.now).order_by(Entry.id)
    if offering_id is not None:
        query = query.where(Entry.offering_id == offering_id)
    lapsed = await store.rows(context, query)
    for entry in lapsed:
        await store.end(context, entry, "expired")
        await notices.tell_people(context, entry, "enrolment.offer_expired")
    return {entry.offering_id for entry in lapsed}


async def fill(context: Context, offering: Offering) -> int:
    """Offers free places to those who wait, in the order of the list, for those who are alone; returns how many.

    Who could not take the place that is free (another unit's share) is passed over, and stays where they are.
    """
    until = _until(context, offering)
    if offering.state == "cancelled" or until <= context.now:
        return 0
    offered = 0
    while (entry := await _next(context, offering)) is not None:
        await store.take_place(context, entry)
        entry.state, entry.expires_at = "offered", until
        await context.session.flush()
        await notices.tell_offer(context, entry)
        offered += 1
    return offered


async def _next(context: Context, offering: Offering) -> Entry | None:
    """The first in line who could take a place; a long line is gone through by units, of which there are few."""
    taken, quota = await store.taken(context, offering.id), spec_of(offering).quota
    if quota.total is not None and len(taken.numbers) >= quota.total:
        return None
    line = Entry.offering_id == offering.id, Entry.state == "waiting"
    first = select(func.min(Entry.id), Unit.name).outerjoin(Unit, Unit.id == Entry.unit_id).where(*line)
    heads = (await context.session.execute(first.group_by(Unit.name))).all()
    able = [number for number, unit in heads if isinstance(free_seat(quota, taken, unit or ""), Seat)]
    if not able:
        return None
    return (await store.rows(context, select(Entry).where(Entry.id == min(able))))[0]


def _until(context: Context, offering: Offering) -> datetime:
    """How long an offer stands that is made now."""
    rules = rules_of(context.catalogue[offering.service])
    until = context.now + timedelta(hours=rules.offer_hours)
    starts_at = spec_of(offering).starts_at
    return until if starts_at is None else min(until, starts_at - timedelta(hours=rules.offer_until_hours))


async def ahead(context: Context, entry: Entry) -> int:
    """How many wait longer."""
    query = select(func.count()).where(
        Entry.offering_id == entry.offering_id, Entry.state == "waiting", Entry.id < entry.id
    )
    return (await context.session.execute(query)).scalar_one()


async def accept(command: AcceptOffer, context: Context) -> Outcome:
    """Raises DomainError("offer_gone"); ForbiddenError where it is somebody else's."""
    entry = await _offered(context, command.entry_id)
    await close_prompts(context, entry.subject)
    blocks = blocks_of(context, context.catalogue[entry.service])
    state = next(filter(None, [await block.accepted(context, entry) for block in blocks]), "")
    if not state:
        return await entering.enter(context, entry)
    entry.state, entry.expires_at = state, None
    await context.session.flush()
    return await entering.outcome(context, entry)


async def decline(command: DeclineOffer, context: Context) -> Outcome:
    """Raises as `accept` does."""
    entry = await _offered(context, command.entry_id)
    await store.end(context, entry, "declined")
    await fill(context, entry.offering)
    return Outcome(wording="activities.declined", params=notices.facts(context, entry), subject=entry.subject)


async def _offered(context: Context, entry_id: int) -> Entry:
    await store.alone(context)
    found = await store.rows(context, select(Entry).where(Entry.id == entry_id))
    entry = found[0] if found else None
    if entry is None or entry.state != "offered" or (entry.expires_at or context.now) <= context.now:
        raise DomainError("offer_gone")
    if not store.is_own(context, entry):
        raise ForbiddenError
    return entry
