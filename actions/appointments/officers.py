"""What counsellors, key-holders and officers do: approve, mark, fix a series, close a calendar, look."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from actions.appointments import notices, offers, seats, store
from actions.appointments.availability import rules_of, spec_of
from actions.appointments.booking import repeat
from actions.appointments.rules import Closure
from actions.appointments.tables import KEEPING, Appointment
from actions.blocks import consent
from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import cancel_notices
from actions.core.offerings import lock_offering
from actions.core.tables import Offering
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.appointments.commands import (
        Agenda,
        Approve,
        Block,
        Counts,
        EmergencyContact,
        FixSeries,
        Mark,
        Refuse,
        Unblock,
    )
    from actions.core.catalogue import Declaration

_CLOSERS = ("union_officer", "administrator")
#: States that say what became of a booking; a hold or an offer is none yet.
_COUNTED = ("pending", "booked", "done", "no_show", "cancelled", "refused")


async def approve(command: Approve, context: Context) -> Outcome:
    """Raises DomainError("already_decided"), ForbiddenError; the requester never approves their own (回避)."""
    rows = await _pending(context, command.appointment_id)
    first = rows[0]
    service = store.declared(context, first.service)
    for row in rows:
        row.state, row.expires_at = "booked", None
    await context.session.flush()
    await cancel_notices(context, first.request)
    await notices.tell_booked(context, service, first)
    for row in rows[1:]:
        await notices.remind(context, service, row)
    await notices.tell_member(context, first, "notices.approved", weeks=len(rows))
    return Outcome(wording="appointments.approved", params=notices.facts(context, first), subject=first.subject)


async def refuse(command: Refuse, context: Context) -> Outcome:
    """Raises as `approve` does."""
    rows = await _pending(context, command.appointment_id)
    first = rows[0]
    facts = {**notices.facts(context, first), "reason": command.reason}
    for row in rows:
        await store.end(context, row, "refused")
    await notices.tell_member(context, first, "notices.refused", reason=command.reason)
    await offers.fill(context, store.declared(context, first.service))
    return Outcome(wording="appointments.refused", params=facts, subject=first.subject)


async def _pending(context: Context, appointment_id: int) -> Sequence[Appointment]:
    """What is left to decide of a request, by time; the actor is alone with it."""
    await seats.alone(context)
    rows = [row for row in await store.request(context, appointment_id) if row.starts_at > context.now]
    if not rows:
        raise DomainError("already_decided")
    actor, first = context.actor, rows[0]
    rules = rules_of(context.catalogue[first.service])
    if store.is_own(context, first) or not any(actor.holds(role, service=first.service) for role in rules.approvers):
        raise ForbiddenError
    return rows


async def mark(command: Mark, context: Context) -> Outcome:
    """Raises DomainError: not_found, not_yet_over; ForbiddenError."""
    appointment = await store.find(context, command.appointment_id)
    if appointment is None or appointment.state not in ("booked", "done", "no_show"):
        raise DomainError("not_found")
    if not store.may_manage(context, appointment) or store.is_own(context, appointment):
        raise ForbiddenError
    if appointment.starts_at > context.now:
        raise DomainError("not_yet_over")
    await store.end(context, appointment, "done" if command.attended else "no_show")
    return Outcome(
        wording="appointments.marked", params=notices.facts(context, appointment), subject=appointment.subject
    )


async def fix_series(command: FixSeries, context: Context) -> Outcome:
    """Raises DomainError: not_found, series_too_long, series_full; ForbiddenError for anyone but the counsellor."""
    appointment = await store.find(context, command.appointment_id)
    if appointment is None or appointment.state not in ("booked", "done", "no_show"):
        raise DomainError("not_found")
    if not store.answers_for(context, appointment):
        raise ForbiddenError
    service = store.declared(context, appointment.service)
    await _refuse_long(context, service, appointment, command.weeks)
    skipped = await repeat(context, service, appointment, command.weeks + 1)
    if len(skipped) == command.weeks:
        raise DomainError("series_full", starts_at=local(appointment.starts_at))
    facts = {**notices.facts(context, appointment), "weeks": command.weeks, "skipped": skipped}
    await notices.tell_member(context, appointment, "notices.series_fixed", weeks=command.weeks, skipped=skipped)
    return Outcome(wording="appointments.series_fixed", params=facts, subject=appointment.subject)


async def _refuse_long(context: Context, service: Declaration, appointment: Appointment, weeks: int) -> None:
    """Raises DomainError("series_too_long") where more of a series would be open than its cap."""
    cap = rules_of(service).series_cap
    query = select(func.count()).where(
        Appointment.series_id == appointment.request_id,
        Appointment.state == "booked",
        Appointment.ends_at > context.now,
        Appointment.id != appointment.id,
    )
    open_ = (await context.session.execute(query)).scalar_one()
    if weeks + open_ > cap:
        raise DomainError("series_too_long", cap=cap, open=open_)


async def block(command: Block, context: Context) -> Outcome:
    """Raises DomainError: not_found, bad_period; ForbiddenError for anyone but who answers for the calendar."""
    offering = await _calendar(context, command)
    closure = Closure(start=command.start, end=command.end, reason=command.reason)
    spec = spec_of(offering)
    _close(offering, [*spec.closures, closure])
    told = await cancel_within(context, offering, closure)
    return _closed(offering, "appointments.blocked", told=told)


async def unblock(command: Unblock, context: Context) -> Outcome:
    """Raises as `block` does; what reaches beyond the time stays closed there."""
    offering = await _calendar(context, command)
    left = [part for closure in spec_of(offering).closures for part in closure.less(command.start, command.end)]
    _close(offering, left)
    await context.session.flush()
    await offers.settle(context, context.catalogue[offering.service])
    return _closed(offering, "appointments.unblocked")


async def _calendar(context: Context, command: Block | Unblock) -> Offering:
    offering = await lock_offering(context, command.offering_id)
    if offering is None or context.catalogue[offering.service].life != "appointment":
        raise DomainError("not_found")
    actor = context.actor
    own = actor.member is not None and offering.owner_id == actor.member.id
    if not own and not any(actor.holds(role, service=offering.service) for role in _CLOSERS):
        raise ForbiddenError
    if command.start >= command.end:
        raise DomainError("bad_period")
    return offering


def _close(offering: Offering, closures: Sequence[Closure]) -> None:
    spec = spec_of(offering).model_copy(update={"closures": tuple(closures)})
    offering.spec = spec.model_dump(mode="json")


def _closed(offering: Offering, wording: str, **params: Any) -> Outcome:
    return Outcome(wording=wording, params={"offering": offering.title, **params}, subject=f"offering:{offering.id}")


async def cancel_within(context: Context, offering: Offering, closure: Closure) -> int:
    """Cancels what a closure touches, tells the members; returns how many bookings and requests there were.

    A hold goes without a word, and who was offered a slot waits on at their place.
    """
    await context.session.flush()
    await seats.alone(context)
    query = select(Appointment).where(
        Appointment.offering_id == offering.id,
        Appointment.state.in_(KEEPING),
        Appointment.starts_at < closure.end,
        Appointment.ends_at > max(closure.start, context.now),
    )
    told = 0
    for row in await store.rows(context, query.order_by(Appointment.starts_at)):
        if row.state == "held":
            await store.drop(context, row)
        elif row.state == "offered":
            await offers.withdraw(context, row, "waiting")
        else:
            await store.end(context, row, "cancelled")
            await notices.tell_member(context, row, "notices.cancelled_by_us", reason=closure.reason)
            told += 1
    await offers.settle(context, context.catalogue[offering.service])
    return told


async def emergency_contact(command: EmergencyContact, context: Context) -> Outcome:
    """What was entrusted with the consent, to the counsellor of the appointment alone.

    Raises DomainError("not_found") where nothing was entrusted, ForbiddenError.
    """
    appointment = await context.session.get(Appointment, command.appointment_id)
    if appointment is None or appointment.state not in ("booked", "done", "no_show"):
        raise DomainError("not_found")
    if context.actor.system or not store.answers_for(context, appointment):
        raise ForbiddenError
    purpose = rules_of(store.declared(context, appointment.service)).consent
    given = await consent.find(context, appointment.member_id, purpose) if purpose else None
    if given is None:
        raise DomainError("not_found")
    entrusted = [str(value) for value in consent.details(context, given).values() if value is not True]
    return Outcome(
        wording="appointments.emergency_contact",
        params={"member": appointment.member.name, "contact": "；".join(entrusted)},
        subject=appointment.subject,
    )


async def agenda(command: Agenda, context: Context) -> Outcome:
    """The actor's own calendars only; nobody sees another counsellor's."""
    until = context.now + timedelta(days=command.days)
    query = (
        select(Appointment)
        .join(Offering, Offering.id == Appointment.offering_id)
        .where(
            Offering.owner_id == context.actor.member_id,
            Appointment.state.in_(("pending", "booked")),
            Appointment.ends_at > context.now,
            Appointment.starts_at < until,
        )
        .order_by(Appointment.starts_at)
    )
    rows = (await context.session.execute(query)).unique().scalars().all()
    own = select(Offering.id, Offering.title).where(Offering.owner_id == context.actor.member_id)
    calendars = [{"id": number, "title": title} for number, title in (await context.session.execute(own)).all()]
    return Outcome(
        wording="appointments.agenda",
        params={"days": command.days, "rows": [_row(context, row) for row in rows]},
        subject="agenda",
        data={"calendars": calendars},
    )


def _row(context: Context, appointment: Appointment) -> dict[str, Any]:
    confidential = context.vault.open(appointment.confidential, about="appointment") if appointment.confidential else {}
    return {
        **notices.facts(context, appointment),
        "id": appointment.id,
        "member": appointment.member.name,
        "state": appointment.state,
        "words": list(confidential.values()),
    }


async def counts(command: Counts, context: Context) -> Outcome:
    """Numbers only, whatever the service."""
    service = store.declared(context, command.service)
    query = select(Appointment.starts_at, Appointment.state).where(
        Appointment.service == service.id, Appointment.state.in_(_COUNTED)
    )
    by_month = Counter(
        (local(start).strftime("%Y-%m"), state) for start, state in (await context.session.execute(query)).all()
    )
    rows = [{"month": month, "state": state, "count": n} for (month, state), n in sorted(by_month.items())]
    return Outcome(wording="appointments.counts", params={"service": service.short, "rows": rows}, data={"rows": rows})


async def cancelled_offering(context: Context, offering: Offering) -> int:
    """An offering was cancelled: so is everything in it that is still to come."""
    far = context.now + timedelta(days=3650)
    return await cancel_within(context, offering, Closure(start=context.now, end=far, reason=""))
