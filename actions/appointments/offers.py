"""Who waits longest is offered what becomes free, and what is not taken in time goes on to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select, true

from actions.appointments import notices, papers, seats, store
from actions.appointments.availability import Openings, Slot, Wish, bookable_window, busy, openings, rules_of
from actions.appointments.tables import Appointment, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement

    from actions.appointments.availability import Span
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


def _over(context: Context, service: str | None) -> ColumnElement[bool]:
    """What time has overtaken, though no sweep has seen it yet."""
    lapsed = and_(Appointment.state.in_(("held", "offered", "pending")), Appointment.expires_at <= context.now)
    done = and_(Appointment.state == "booked", Appointment.ends_at <= context.now)
    return and_(or_(lapsed, done), Appointment.service == service if service else true())


async def settle(context: Context, service: Declaration) -> None:
    """What everything scarce begins with: nobody else at it, nothing lapsed, and those who wait served first."""
    await seats.alone(context)
    await expire(context, service.id)
    await fill(context, service)


async def refresh(context: Context, service: Declaration) -> None:
    """Ends what has lapsed before somebody looks at what is free; costs one query where nothing has."""
    query = select(Appointment.id).where(_over(context, service.id)).limit(1)
    if (await context.session.execute(query)).first() is not None:
        await settle(context, service)


async def expire(context: Context, service: str | None = None) -> set[str]:
    """Ends what is over, and holds, offers and undecided requests that lapse, for those who are alone.

    Returns the services concerned. Of a hold nothing remains.
    """
    rows = await store.rows(context, select(Appointment).where(_over(context, service)).order_by(Appointment.id))
    for row in rows:
        await _expire(context, row)
    return {row.service for row in rows}


async def _expire(context: Context, row: Appointment) -> None:
    if row.state == "held":
        await store.drop(context, row)
    elif row.state == "offered":
        await withdraw(context, row, "expired")
        await notices.tell_member(context, row, "notices.offer_expired")
    elif row.state == "pending":
        await store.end(context, row, "refused")
        await notices.tell_member(context, row, "notices.not_decided")
    else:
        # The word that was meant for the counsellor goes, and the member may book again.
        await store.end(context, row, "done")
        await notices.ask_attendance(context, context.catalogue[row.service], row)


async def withdraw(context: Context, offer: Appointment, state: str) -> None:
    """Ends an offer; its place on the list ends as `state` says, or is taken up again where it says "waiting"."""
    await store.end(context, offer, "expired")
    waiting = await context.session.get(Waiting, offer.waiting_id) if offer.waiting_id else None
    if waiting is None or waiting.state != "offered":
        return
    if state == "waiting":
        waiting.state = state
    else:
        await papers.leave(context, waiting, state)
    await context.session.flush()


async def fill(context: Context, service: Declaration) -> int:
    """Offers what is free to those who wait, in the order of the list, for those who are alone.

    Returns how many offers were made. With nobody waiting it costs one query.
    """
    query = select(Waiting).where(
        Waiting.service == service.id, Waiting.state == "waiting", Waiting.window_end > context.now
    )
    queue: Sequence[Waiting] = await store.rows(context, query.order_by(Waiting.id))
    if not queue:
        return 0
    members = [waiting.member_id for waiting in queue]
    free = await openings(context, service, *bookable_window(rules_of(service), context.now))
    spans = await busy(context, members)
    open_bookings = await store.open_bookings(context, service, members)
    offers = 0
    for waiting in queue:
        own = [row for row in open_bookings if row.member_id == waiting.member_id]
        if waiting.member.status == "left" or not may_replace(context, service, own):
            continue
        slot = _slot_for(service, waiting, free, spans.get(waiting.member_id, ()))
        if slot is not None:
            free.give(slot, waiting.party)
            await _offer(context, service, waiting, slot, own)
            offers += 1
    return offers


def may_replace(context: Context, service: Declaration, own: Sequence[Appointment]) -> bool:
    """Whether somebody with these open bookings may be offered another: they give up the one that they chose.

    A series that the counsellor fixed is not given up so, nor what can no longer be cancelled.
    """
    if not own:
        return True
    limit = timedelta(minutes=rules_of(service).cancel_until_minutes)
    only = own[0]
    return (
        len(own) == 1
        and only.limit_key is not None
        and (only.state == "pending" or context.now <= only.starts_at - limit)
    )


def _slot_for(service: Declaration, waiting: Waiting, free: Openings, spans: Iterable[Span]) -> Slot | None:
    """The first slot that fits; what would be given up for it is not in the way."""
    replaced = service.id if rules_of(service).one_open_booking else ""
    firm = [span for span in spans if span.service != replaced]
    for slot in free.slots(wish_of(waiting)):
        if not any(span.touches(slot.starts_at, slot.ends_at) for span in firm):
            return slot
    return None


def wish_of(waiting: Waiting) -> Wish:
    """What somebody on the list waits for."""
    return Wish(
        low=waiting.window_start,
        high=waiting.window_end,
        titles=waiting.titles or None,
        avoid=waiting.avoid,
        fields=waiting.fields,
        party=waiting.party,
    )


async def _offer(
    context: Context, service: Declaration, waiting: Waiting, slot: Slot, own: Sequence[Appointment]
) -> None:
    """An offer holds the slot. It does not count as the one open booking until it is accepted."""
    appointment = store.new_appointment(context, service, slot, waiting.member_id)
    appointment.state, appointment.party = "offered", waiting.party
    appointment.fields, appointment.confidential = dict(waiting.fields), waiting.confidential
    appointment.waiting_id = waiting.id
    until = context.now + timedelta(minutes=rules_of(service).offer_minutes)
    appointment.expires_at = min(until, slot.starts_at)
    await store.add(context, appointment)
    waiting.state = "offered"
    await notices.offer(context, appointment, own[0] if own else None)
