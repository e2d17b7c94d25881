"""The waitlist's commands: join and leave it, accept and decline what is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.appointments import booking, notices, offers, papers, seats, store
from actions.appointments.availability import bookable_window, calendars, rules_of, spec_of
from actions.appointments.tables import Appointment, Waiting
from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import close_prompts

if TYPE_CHECKING:
    from actions.appointments.commands import AcceptOffer, DeclineOffer, JoinWaitlist, LeaveWaitlist
    from actions.core.catalogue import Declaration


async def join(command: JoinWaitlist, context: Context) -> Outcome:
    """Raises DomainError: no_waitlist, one_open_booking, offer_waits, consent_needed, window_past, party_too_large."""
    service = store.declared(context, command.service)
    rules, member_id = rules_of(service), context.actor.member_id
    if not rules.waitlist:
        raise DomainError("no_waitlist")
    await seats.alone(context)
    await store.drop_holds(context, service.id, member_id)
    if not offers.may_replace(context, service, await store.open_bookings(context, service, [member_id])):
        await store.refuse_second(context, service)
    await _refuse_large(context, service, command)
    await booking.record_consent(context, service, command.consent)
    await _replace_own(context, service, member_id)
    waiting = _place(command, context, service)
    context.session.add(waiting)
    await context.session.flush()
    await context.session.refresh(waiting, ["member"])
    await papers.keep(context, service, waiting, command.fields)
    ahead = await _ahead(context, waiting)
    await offers.settle(context, service)
    return Outcome(
        wording="appointments.waiting",
        params={"service": service.short, "offer_minutes": rules.offer_minutes, "ahead": ahead},
        subject=waiting.subject,
    )


def _place(command: JoinWaitlist, context: Context, service: Declaration) -> Waiting:
    earliest, latest = bookable_window(rules_of(service), context.now)
    low, high = command.window_start or earliest, command.window_end or latest
    if low >= high or high <= earliest:
        raise DomainError("window_past", field="slot")
    sealed = context.vault.seal(command.confidential, about="appointment") if command.confidential else ""
    return Waiting(
        service=service.id,
        member_id=context.actor.member_id,
        window_start=low,
        window_end=high,
        titles=command.titles,
        avoid=command.avoid,
        party=command.party,
        fields=command.fields,
        confidential=sealed,
        state="waiting",
        limit_key=f"{service.id}:{context.actor.member_id}",
        created_at=context.now,
    )


async def _refuse_large(context: Context, service: Declaration, command: JoinWaitlist) -> None:
    """Nobody waits for a room that there is not."""
    rooms = [room for room in await calendars(context, service) if not command.titles or room.title in command.titles]
    largest = max(rooms, key=lambda room: spec_of(room).capacity, default=None)
    if largest is not None:
        seats.refuse_large(service, largest, command.party)


async def _replace_own(context: Context, service: Declaration, member_id: int) -> None:
    query = select(Waiting).where(Waiting.limit_key == f"{service.id}:{member_id}")
    for row in await store.rows(context, query):
        offered = select(Appointment).where(Appointment.waiting_id == row.id, Appointment.state == "offered")
        for offer in await store.rows(context, offered):
            await offers.withdraw(context, offer, "declined")
        await papers.leave(context, row, "left")
    await context.session.flush()


async def _ahead(context: Context, waiting: Waiting) -> int:
    """How many wait longer for a time that this one would take too."""
    query = select(func.count()).where(
        Waiting.service == waiting.service,
        Waiting.state == "waiting",
        Waiting.id < waiting.id,
        Waiting.window_start < waiting.window_end,
        Waiting.window_end > waiting.window_start,
    )
    return (await context.session.execute(query)).scalar_one()


async def leave(command: LeaveWaitlist, context: Context) -> Outcome:
    """Raises DomainError("not_found") where there is no such place, ForbiddenError where it is somebody else's."""
    await seats.alone(context)
    waiting = await context.session.get(Waiting, command.waiting_id, populate_existing=True)
    if waiting is None or waiting.state != "waiting":
        raise DomainError("not_found")
    if not context.actor.system and waiting.member_id != context.actor.member_id:
        raise ForbiddenError
    await papers.leave(context, waiting, "left")
    return Outcome(wording="appointments.left_waitlist", subject=waiting.subject)


async def accept(command: AcceptOffer, context: Context) -> Outcome:
    """Raises DomainError: offer_gone, too_late_to_cancel where what it replaces can no longer be given up.

    ForbiddenError where the offer is somebody else's.
    """
    appointment = await _offered(context, command.appointment_id)
    service = context.catalogue[appointment.service]
    replaced = await _give_up(context, service, appointment)
    appointment.limit_key = store.limit_key(service, appointment.member_id)
    booking.enter(service, appointment)
    waiting = await context.session.get(Waiting, appointment.waiting_id)
    if waiting is not None:
        await papers.move_up(context, waiting, appointment)
    await context.session.flush()
    await close_prompts(context, appointment.subject)
    await booking.announce(context, service, appointment)
    await offers.fill(context, service)
    return booking.booked_outcome(context, appointment, replaced=replaced)


async def _give_up(context: Context, service: Declaration, offer: Appointment) -> Appointment | None:
    """What the member has of the service goes, where only one may be open; returns it."""
    if not rules_of(service).one_open_booking:
        return None
    await store.drop_holds(context, service.id, offer.member_id)
    others = await store.open_bookings(context, service, [offer.member_id])
    own = [row for row in others if row.id != offer.id]
    if not own:
        return None
    booking.refuse_late(context, service, own[0])
    if not offers.may_replace(context, service, own):
        raise DomainError("one_open_booking", **notices.facts(context, own[0]))
    await booking.call_off(context, own[0])
    return own[0]


async def decline(command: DeclineOffer, context: Context) -> Outcome:
    """Raises as `accept` does."""
    appointment = await _offered(context, command.appointment_id)
    await offers.withdraw(context, appointment, "declined")
    await offers.fill(context, context.catalogue[appointment.service])
    return Outcome(wording="appointments.declined", subject=appointment.subject)


async def _offered(context: Context, appointment_id: int) -> Appointment:
    appointment = await store.find(context, appointment_id)
    if appointment is None or appointment.state != "offered" or (appointment.expires_at or context.now) <= context.now:
        raise DomainError("offer_gone")
    if appointment.member_id != context.actor.member_id:
        raise ForbiddenError
    return appointment
