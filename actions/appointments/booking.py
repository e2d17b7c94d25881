"""Hold, book, cancel, move: the commands that a member's own appointment goes through."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.appointments import notices, seats, store, waitlist
from actions.appointments.availability import rules_of, spec_of
from actions.appointments.tables import Appointment
from actions.blocks import consent
from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError
from actions.core.notify import cancel_notices
from actions.core.zones import local, to_utc

if TYPE_CHECKING:
    from datetime import datetime

    from actions.appointments.commands import Book, Cancel, Hold, Move, Release
    from actions.core.catalogue import Declaration


async def hold(command: Hold, context: Context) -> Outcome:
    """Raises DomainError: slot_taken, own_clash, one_open_booking, party_too_large."""
    service = store.declared(context, command.service)
    appointment = await _hold(context, service, command)
    return Outcome(
        wording="appointments.held",
        subject=appointment.subject,
        data={"expires_at": appointment.expires_at.isoformat() if appointment.expires_at else None},
    )


async def _hold(context: Context, service: Declaration, command: Hold | Book) -> Appointment:
    rules = rules_of(service)
    await drop_holds(context, service.id, context.actor.member_id)
    await store.refuse_second(context, service)
    await seats.refuse_clash(context, service, command.starts_at, member_id=context.actor.member_id)
    slot = await seats.slot_at(context, service, command.offering_id, command.starts_at, party=command.party)
    appointment = store.new_appointment(context, service, slot, context.actor.member_id)
    appointment.state = "held"
    appointment.party = command.party
    appointment.expires_at = context.now + timedelta(minutes=rules.hold_minutes)
    await store.add(context, appointment, slot)
    return appointment


async def drop_holds(context: Context, service: str, member_id: int) -> None:
    """Lets go of what a member holds; nothing remains of a hold."""
    query = select(Appointment).where(
        Appointment.service == service, Appointment.member_id == member_id, Appointment.state == "held"
    )
    for row in (await context.session.execute(query)).unique().scalars():
        await seats.free(context, row)
        await context.session.delete(row)
    await context.session.flush()


async def release(command: Release, context: Context) -> Outcome:
    """Lets go of a hold, and offers what it kept to the waitlist."""
    await drop_holds(context, command.service, context.actor.member_id)
    await waitlist.fill(context, store.declared(context, command.service))
    return Outcome(wording="appointments.released")


async def book(command: Book, context: Context) -> Outcome:
    """Raises DomainError as `hold` does, and consent_needed, repeat_not_allowed."""
    service = store.declared(context, command.service)
    rules = rules_of(service)
    _check_weeks(command, context, service)
    await _record_consent(context, service, command.consent)
    appointment = await _held(context, command) or await _hold(context, service, command)
    appointment.fields = command.fields
    if command.confidential:
        appointment.confidential = context.vault.seal(command.confidential, about="appointment")
    appointment.expires_at = None
    needs_approval = rules.approval_over is not None and command.party > rules.approval_over
    appointment.state = "pending" if needs_approval else "booked"
    await context.session.flush()
    skipped = await repeat(context, service, appointment, command.weeks)
    if needs_approval:
        await notices.ask_approval(context, service, appointment)
    else:
        await notices.tell_booked(context, service, appointment)
    return Outcome(
        wording="appointments.pending" if needs_approval else "appointments.booked",
        params={**notices.facts(context, appointment), "weeks": command.weeks, "skipped": skipped},
        subject=appointment.subject,
    )


def _check_weeks(command: Book, context: Context, service: Declaration) -> None:
    rules = rules_of(service)
    if command.weeks == 1:
        return
    if not rules.repeat_role or not context.actor.holds(rules.repeat_role, service=service.id):
        raise DomainError("repeat_not_allowed")
    if command.weeks > rules.repeat_cap:
        raise DomainError("repeat_too_long", cap=rules.repeat_cap)


async def _record_consent(context: Context, service: Declaration, given: dict[str, Any]) -> None:
    purpose = rules_of(service).consent
    if not purpose:
        return
    if given:
        await consent.give(context, context.actor.member_id, purpose, given)
    elif await consent.find(context, context.actor.member_id, purpose) is None:
        raise DomainError("consent_needed", field="consent")


async def _held(context: Context, command: Book) -> Appointment | None:
    query = select(Appointment).where(
        Appointment.service == command.service,
        Appointment.member_id == context.actor.member_id,
        Appointment.state == "held",
        Appointment.offering_id == command.offering_id,
        Appointment.starts_at == to_utc(command.starts_at),
        Appointment.party == command.party,
        Appointment.expires_at > context.now,
    )
    return (await context.session.execute(query)).unique().scalar_one_or_none()


async def repeat(context: Context, service: Declaration, first: Appointment, weeks: int) -> list[datetime]:
    """Books the same time in the following weeks; returns the times that were not free, in Shanghai time."""
    skipped = []
    for week in range(1, weeks):
        start = local(first.starts_at) + timedelta(weeks=week)
        try:
            await seats.refuse_clash(context, service, start, member_id=first.member_id)
            slot = await seats.slot_at(context, service, first.offering_id, start, party=first.party)
        except DomainError:
            skipped.append(start)
            continue
        appointment = store.new_appointment(context, service, slot, first.member_id)
        appointment.limit_key = None
        appointment.state, appointment.party = first.state, first.party
        appointment.fields, appointment.series_id = dict(first.fields), first.id
        await store.add(context, appointment, slot)
        if appointment.state == "booked":
            await notices.remind(context, service, appointment)
    return skipped


async def cancel(command: Cancel, context: Context) -> Outcome:
    """Raises DomainError: not_found, too_late_to_cancel; ForbiddenError for other people's appointments."""
    appointment = await store.own_or_managed(context, command.appointment_id)
    service = store.declared(context, appointment.service)
    by_member = context.actor.member is not None and appointment.member_id == context.actor.member_id
    if by_member:
        refuse_late(context, service, appointment)
    await store.end(context, appointment, "cancelled")
    facts = {**notices.facts(context, appointment), "reason": command.reason}
    if by_member:
        await notices.tell_owner(context, appointment, "notices.owner_cancelled")
    else:
        await notices.tell_member(context, appointment, "notices.cancelled_by_us", facts)
    await waitlist.fill(context, service)
    return Outcome(wording="appointments.cancelled", params=facts, subject=appointment.subject)


def refuse_late(context: Context, service: Declaration, appointment: Appointment) -> None:
    """Raises DomainError("too_late_to_cancel") past the limit of the service; a pending request may always go."""
    limit = timedelta(minutes=rules_of(service).cancel_until_minutes)
    if appointment.state == "booked" and context.now > appointment.starts_at - limit:
        raise DomainError(
            "too_late_to_cancel",
            minutes=rules_of(service).cancel_until_minutes,
            **notices.facts(context, appointment),
        )


async def move(command: Move, context: Context) -> Outcome:
    """Raises DomainError: not_found, too_late_to_cancel, slot_taken, own_clash."""
    appointment = await store.own_or_managed(context, command.appointment_id)
    service = store.declared(context, appointment.service)
    refuse_late(context, service, appointment)
    member_id = appointment.member_id
    await seats.refuse_clash(context, service, command.starts_at, member_id=member_id, but=appointment.id)
    await seats.free(context, appointment)
    slot = await seats.slot_at(context, service, command.offering_id, command.starts_at, party=appointment.party)
    before = notices.facts(context, appointment)
    appointment.offering_id = slot.offering_id
    appointment.starts_at, appointment.ends_at = slot.starts_at, slot.ends_at
    await context.session.flush()
    await context.session.refresh(appointment, ["offering"])
    await seats.take(context, appointment, slot, spec_of(appointment.offering).seats_for(appointment.party))
    await cancel_notices(context, appointment.subject)
    if appointment.state == "pending":
        await notices.ask_approval(context, service, appointment)
    else:
        await notices.tell_booked(context, service, appointment, wording="notices.owner_moved")
    await waitlist.fill(context, service)
    return Outcome(
        wording="appointments.moved",
        params={**notices.facts(context, appointment), "was_at": before["starts_at"]},
        subject=appointment.subject,
    )
