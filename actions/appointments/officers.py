"""What counsellors, key-holders and officers do: approve, mark, fix a series, close a calendar, look."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.appointments import notices, store, waitlist
from actions.appointments.availability import rules_of, spec_of
from actions.appointments.booking import repeat
from actions.appointments.rules import Closure
from actions.appointments.tables import Appointment
from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import close_prompts
from actions.core.tables import Offering
from actions.core.zones import local

if TYPE_CHECKING:
    from actions.appointments.commands import Agenda, Approve, Block, Counts, FixSeries, Mark, Refuse


async def approve(command: Approve, context: Context) -> Outcome:
    """Raises DomainError("already_decided"), ForbiddenError; the requester never approves their own (回避)."""
    appointment = await _pending(context, command.appointment_id)
    service = store.declared(context, appointment.service)
    series = await _series(context, appointment)
    for row in series:
        row.state = "booked"
    await close_prompts(context, appointment.subject)
    await notices.tell_booked(context, service, appointment)
    for row in series[1:]:
        await notices.remind(context, service, row)
    await notices.tell_member(context, appointment, "notices.approved")
    return Outcome(
        wording="appointments.approved",
        params=notices.facts(context, appointment),
        subject=appointment.subject,
    )


async def refuse(command: Refuse, context: Context) -> Outcome:
    """Raises as `approve` does."""
    appointment = await _pending(context, command.appointment_id)
    facts = {**notices.facts(context, appointment), "reason": command.reason}
    for row in await _series(context, appointment):
        await store.end(context, row, "refused")
    await notices.tell_member(context, appointment, "notices.refused", facts)
    await waitlist.fill(context, store.declared(context, appointment.service))
    return Outcome(wording="appointments.refused", params=facts, subject=appointment.subject)


async def _pending(context: Context, appointment_id: int) -> Appointment:
    appointment = await context.database.lock(context.session, Appointment, appointment_id)
    if appointment is None or appointment.state != "pending":
        raise DomainError("already_decided")
    actor = context.actor
    own = actor.member is not None and appointment.member_id == actor.member.id
    rules = rules_of(context.catalogue[appointment.service])
    if own or not any(actor.holds(role, service=appointment.service) for role in rules.approvers):
        raise ForbiddenError
    return appointment


async def _series(context: Context, first: Appointment) -> list[Appointment]:
    query = (
        select(Appointment)
        .where(Appointment.series_id == first.id, Appointment.state == first.state)
        .order_by(Appointment.starts_at)
    )
    return [first, *(await context.session.execute(query)).unique().scalars()]


async def mark(command: Mark, context: Context) -> Outcome:
    """Raises DomainError: not_found, not_yet_over; ForbiddenError."""
    appointment = await context.database.lock(context.session, Appointment, command.appointment_id)
    if appointment is None or appointment.state not in ("booked", "done", "no_show"):
        raise DomainError("not_found")
    if not store.may_manage(context, appointment):
        raise ForbiddenError
    if appointment.starts_at > context.now:
        raise DomainError("not_yet_over")
    await store.end(context, appointment, "done" if command.attended else "no_show")
    return Outcome(
        wording="appointments.marked", params=notices.facts(context, appointment), subject=appointment.subject
    )


async def fix_series(command: FixSeries, context: Context) -> Outcome:
    """Raises DomainError: not_found, series_too_long; ForbiddenError for anyone but the counsellor."""
    appointment = await context.database.lock(context.session, Appointment, command.appointment_id)
    if appointment is None or appointment.state not in ("booked", "done"):
        raise DomainError("not_found")
    actor = context.actor
    if not actor.system and (actor.member is None or appointment.offering.owner_id != actor.member.id):
        raise ForbiddenError
    service = store.declared(context, appointment.service)
    cap = rules_of(service).series_cap
    if command.weeks > cap:
        raise DomainError("series_too_long", cap=cap)
    appointment.limit_key = None
    state, appointment.state = appointment.state, "booked"
    skipped = await repeat(context, service, appointment, command.weeks + 1)
    appointment.state = state
    facts = {**notices.facts(context, appointment), "weeks": command.weeks, "skipped": skipped}
    await notices.tell_member(context, appointment, "notices.series_fixed", facts)
    return Outcome(wording="appointments.series_fixed", params=facts, subject=appointment.subject)


async def block(command: Block, context: Context) -> Outcome:
    """Raises DomainError("not_found"), ForbiddenError for anyone but who answers for the calendar."""
    offering = await context.database.lock(context.session, Offering, command.offering_id)
    if offering is None:
        raise DomainError("not_found")
    if not _may_block(context, offering):
        raise ForbiddenError
    closure = Closure(start=command.start, end=command.end, reason=command.reason)
    spec = spec_of(offering)
    offering.spec = spec.model_copy(update={"closures": (*spec.closures, closure)}).model_dump(mode="json")
    told = await cancel_within(context, offering, closure)
    return Outcome(
        wording="appointments.blocked",
        params={"offering": offering.title, "told": told},
        subject=f"offering:{offering.id}",
    )


def _may_block(context: Context, offering: Offering) -> bool:
    actor = context.actor
    own = actor.member is not None and offering.owner_id == actor.member.id
    return own or any(actor.holds(role, service=offering.service) for role in ("union_officer", "administrator"))


async def cancel_within(context: Context, offering: Offering, closure: Closure) -> int:
    """Cancels what a closure touches, tells the members; returns how many."""
    query = select(Appointment).where(
        Appointment.offering_id == offering.id,
        Appointment.state.in_(("held", "offered", "pending", "booked")),
        Appointment.starts_at < closure.end,
        Appointment.ends_at > closure.start,
    )
    rows = (await context.session.execute(query)).unique().scalars().all()
    for row in rows:
        facts = {**notices.facts(context, row), "reason": closure.reason}
        await store.end(context, row, "cancelled")
        await notices.tell_member(context, row, "notices.cancelled_by_us", facts)
    await waitlist.fill(context, context.catalogue[offering.service])
    return len(rows)


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
    return Outcome(
        wording="appointments.agenda",
        params={"days": command.days, "rows": [_row(context, row) for row in rows]},
        subject="agenda",
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
    query = select(Appointment.starts_at, Appointment.state).where(Appointment.service == service.id)
    by_month = Counter(
        (local(start).strftime("%Y-%m"), state) for start, state in (await context.session.execute(query)).all()
    )
    rows = [{"month": month, "state": state, "count": n} for (month, state), n in sorted(by_month.items())]
    return Outcome(wording="appointments.counts", params={"service": service.short, "rows": rows}, data={"rows": rows})


async def cancelled_offering(context: Context, offering: Offering) -> int:
    """An offering was cancelled: so is everything in it that is still to come."""
    far = context.now + timedelta(days=3650)
    return await cancel_within(context, offering, Closure(start=context.now, end=far, reason=""))
