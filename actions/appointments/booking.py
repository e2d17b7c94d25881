"""Hold, book, cancel, move: the commands that a member's own appointment goes through."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.appointments import notices, offers, papers, seats, store
from actions.appointments.availability import rules_of
from actions.appointments.tables import Appointment
from actions.blocks import consent
from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError
from actions.core.notify import cancel_notices
from actions.core.zones import local, to_utc

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from actions.appointments.commands import Book, Cancel, Hold, Move, Release
    from actions.core.catalogue import Declaration


async def hold(command: Hold, context: Context) -> Outcome:
    """Raises DomainError: slot_taken, own_clash, one_open_booking, offer_waits, party_too_large."""
    service = store.declared(context, command.service)
    await offers.settle(context, service)
    appointment = await _hold(context, service, command, {})
    return Outcome(
        wording="appointments.held",
        subject=appointment.subject,
        data={"expires_at": appointment.expires_at.isoformat() if appointment.expires_at else None},
    )


async def _hold(context: Context, service: Declaration, command: Hold | Book, fields: Mapping[str, Any]) -> Appointment:
    rules, member_id = rules_of(service), context.actor.member_id
    if await store.drop_holds(context, service.id, member_id):
        await offers.fill(context, service)
    await store.refuse_second(context, service)
    end = command.starts_at + timedelta(minutes=rules.minutes)
    await seats.refuse_clash(context, command.starts_at, end, member_id=member_id)
    wanted = Appointment(party=command.party, fields=dict(fields))
    slot = await seats.slot_at(context, service, command.offering_id, seats.exactly(command.starts_at, wanted))
    appointment = store.new_appointment(context, service, slot, member_id)
    appointment.state, appointment.party = "held", command.party
    appointment.limit_key = store.limit_key(service, member_id)
    appointment.expires_at = context.now + timedelta(minutes=rules.hold_minutes)
    await store.add(context, appointment)
    return appointment


async def release(command: Release, context: Context) -> Outcome:
    """Lets go of a hold, and offers what it kept to the waitlist."""
    service = store.declared(context, command.service)
    await seats.alone(context)
    if await store.drop_holds(context, service.id, context.actor.member_id):
        await offers.fill(context, service)
    return Outcome(wording="appointments.released")


async def book(command: Book, context: Context) -> Outcome:
    """Raises DomainError as `hold` does, and consent_needed, repeat_not_allowed, repeat_too_long."""
    service = store.declared(context, command.service)
    _check_weeks(command, context, service)
    await offers.settle(context, service)
    await record_consent(context, service, command.consent)
    appointment = await _held(context, command) or await _hold(context, service, command, command.fields)
    appointment.fields = command.fields
    if command.confidential:
        appointment.confidential = context.vault.seal(command.confidential, about="appointment")
    enter(service, appointment)
    await context.session.flush()
    await papers.keep(context, service, appointment, command.fields)
    skipped = await repeat(context, service, appointment, command.weeks)
    await announce(context, service, appointment)
    return booked_outcome(context, appointment, weeks=command.weeks, skipped=skipped)


def enter(service: Declaration, appointment: Appointment) -> None:
    """A hold or an accepted offer becomes a booking, or a request where the group is large."""
    over = rules_of(service).approval_over
    pending = over is not None and appointment.party > over
    appointment.state = "pending" if pending else "booked"
    appointment.expires_at = appointment.starts_at if pending else None


async def announce(context: Context, service: Declaration, appointment: Appointment) -> None:
    """Asks for approval, or sets the reminders and tells who answers for the calendar."""
    if appointment.state == "pending":
        await notices.ask_approval(context, service, await store.request(context, appointment.request_id))
    else:
        await notices.tell_booked(context, service, appointment)


def booked_outcome(
    context: Context,
    appointment: Appointment,
    *,
    weeks: int = 1,
    skipped: list[datetime] | None = None,
    replaced: Appointment | None = None,
) -> Outcome:
    """What is said of a booking or a request; `replaced` is the booking that it took the place of."""
    params = {
        **notices.facts(context, appointment),
        "weeks": weeks,
        "skipped": skipped or [],
        "replaced": local(replaced.starts_at) if replaced else None,
    }
    return Outcome(
        wording=f"appointments.{appointment.state}",
        params=params,
        subject=appointment.subject,
        data={"calendar": notices.entry(context, appointment)},
    )


def _check_weeks(command: Book, context: Context, service: Declaration) -> None:
    rules = rules_of(service)
    if command.weeks == 1:
        return
    if not rules.repeat_role or not context.actor.holds(rules.repeat_role, service=service.id):
        raise DomainError("repeat_not_allowed")
    if command.weeks > rules.repeat_cap:
        raise DomainError("repeat_too_long", cap=rules.repeat_cap)


async def record_consent(context: Context, service: Declaration, given: Mapping[str, Any]) -> None:
    """Records the consent that goes with a first booking. Raises DomainError("consent_needed") where there is none."""
    purpose = rules_of(service).consent
    if not purpose:
        return
    wanted = [field for field in service.form if field.type in ("consent", "contact") and not field.optional]
    missing = [
        field
        for field in wanted
        if not (given.get(field.key) is True if field.type == "consent" else given.get(field.key))
    ]
    if not missing:
        await consent.give(context, context.actor.member_id, purpose, given)
    elif given or await consent.find(context, context.actor.member_id, purpose) is None:
        raise DomainError("consent_needed", field=missing[0].key)


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
    return next(iter(await store.rows(context, query)), None)


async def repeat(context: Context, service: Declaration, first: Appointment, weeks: int) -> list[datetime]:
    """Books the same time in the following weeks, beyond the horizon too.

    Returns the times that were not free, in Shanghai time.
    """
    skipped = []
    for week in range(1, weeks):
        start = local(first.starts_at) + timedelta(weeks=week)
        end = local(first.ends_at) + timedelta(weeks=week)
        try:
            await seats.refuse_clash(context, start, end, member_id=first.member_id)
            wanted = seats.exactly(start, first, beyond=True)
            slot = await seats.slot_at(context, service, first.offering_id, wanted)
        except DomainError:
            skipped.append(start)
            continue
        appointment = store.new_appointment(context, service, slot, first.member_id)
        appointment.party, appointment.fields = first.party, dict(first.fields)
        appointment.series_id = first.request_id
        enter(service, appointment)
        await store.add(context, appointment)
        if appointment.state == "booked":
            await notices.remind(context, service, appointment)
    return skipped


async def cancel(command: Cancel, context: Context) -> Outcome:
    """Raises DomainError: not_found, too_late_to_cancel; ForbiddenError for other people's appointments."""
    appointment = await store.own_or_managed(context, command.appointment_id)
    service = store.declared(context, appointment.service)
    own = store.is_own(context, appointment)
    if own:
        refuse_late(context, service, appointment)
    facts = {**notices.facts(context, appointment), "reason": command.reason}
    await call_off(context, appointment)
    if not own:
        await notices.tell_member(context, appointment, "notices.cancelled_by_us", reason=command.reason)
    await offers.fill(context, service)
    return Outcome(wording="appointments.cancelled", params=facts, subject=appointment.subject)


async def call_off(context: Context, appointment: Appointment) -> None:
    """Cancels a booking or a request; who answers for the calendar is told of what was certain."""
    certain = appointment.state == "booked"
    await store.end(context, appointment, "cancelled")
    if certain:
        await notices.tell_owner(context, appointment, "notices.owner_cancelled")


def refuse_late(context: Context, service: Declaration, appointment: Appointment) -> None:
    """Raises DomainError("too_late_to_cancel") past the limit of the service; a pending request may always go."""
    if is_late(context, service, appointment):
        raise DomainError(
            "too_late_to_cancel",
            minutes=rules_of(service).cancel_until_minutes,
            **notices.facts(context, appointment),
        )


def is_late(context: Context, service: Declaration, appointment: Appointment) -> bool:
    """Whether a booking is past the limit until which the member may give it up."""
    limit = timedelta(minutes=rules_of(service).cancel_until_minutes)
    return appointment.state == "booked" and context.now > appointment.starts_at - limit


async def move(command: Move, context: Context) -> Outcome:
    """Raises DomainError: not_found, too_late_to_cancel, slot_taken, own_clash."""
    appointment = await store.own_or_managed(context, command.appointment_id)
    service = store.declared(context, appointment.service)
    own = store.is_own(context, appointment)
    if own:
        refuse_late(context, service, appointment)
    await offers.settle(context, service)
    was_at, elsewhere = local(appointment.starts_at), command.offering_id != appointment.offering_id
    if not elsewhere and appointment.starts_at == command.starts_at:
        # Asked for once more: it is there already, and nobody hears of it twice.
        return _moved(context, appointment, was_at)
    if elsewhere and appointment.state == "booked":
        await notices.tell_owner(context, appointment, "notices.owner_cancelled")
    await _put(context, service, appointment, command)
    await cancel_notices(context, appointment.subject)
    if appointment.state == "pending":
        await announce(context, service, appointment)
    else:
        wording = "notices.owner_booked" if elsewhere else "notices.owner_moved"
        await notices.tell_booked(context, service, appointment, wording=wording)
    if not own:
        await notices.tell_member(context, appointment, "notices.moved_by_us", was_at=was_at)
    await offers.fill(context, service)
    return _moved(context, appointment, was_at)


def _moved(context: Context, appointment: Appointment, was_at: datetime) -> Outcome:
    return Outcome(
        wording="appointments.moved",
        params={**notices.facts(context, appointment), "was_at": was_at},
        subject=appointment.subject,
        data={"calendar": notices.entry(context, appointment)},
    )


async def _put(context: Context, service: Declaration, appointment: Appointment, command: Move) -> None:
    """Gives up the seats of an appointment for those of another slot."""
    end = command.starts_at + timedelta(minutes=rules_of(service).minutes)
    member_id = appointment.member_id
    await seats.refuse_clash(context, command.starts_at, end, member_id=member_id, but=appointment.id)
    await seats.free(context, appointment)
    wanted = seats.exactly(command.starts_at, appointment)
    slot = await seats.slot_at(context, service, command.offering_id, wanted)
    appointment.offering_id = slot.offering_id
    appointment.starts_at, appointment.ends_at = slot.starts_at, slot.ends_at
    if appointment.state == "pending":
        appointment.expires_at = slot.starts_at
    await context.session.flush()
    await context.session.refresh(appointment, ["offering"])
    await seats.take(context, appointment)
