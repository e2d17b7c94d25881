"""Reading and writing the records of this life: the steps that its commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.appointments import notices, seats
from actions.appointments.availability import rules_of, spec_of
from actions.appointments.tables import KEEPING, Appointment
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import cancel_notices

if TYPE_CHECKING:
    from actions.appointments.availability import Slot
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


def new_appointment(context: Context, service: Declaration, slot: Slot, member_id: int) -> Appointment:
    """A row for a slot, counted toward the one open booking where the service has that rule."""
    limited = rules_of(service).one_open_booking
    return Appointment(
        service=service.id,
        offering_id=slot.offering_id,
        member_id=member_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        limit_key=f"{service.id}:{member_id}" if limited else None,
        created_at=context.now,
        party=1,
        fields={},
        confidential="",
    )


async def add(context: Context, appointment: Appointment, slot: Slot) -> None:
    """Writes an appointment with its seats."""
    context.session.add(appointment)
    await context.session.flush()
    await context.session.refresh(appointment, ["offering", "member"])
    needed = spec_of(appointment.offering).seats_for(appointment.party)
    await seats.take(context, appointment, slot, needed)


async def refuse_second(context: Context, service: Declaration) -> None:
    """Raises DomainError("one_open_booking") where the service allows one first booking at a time."""
    if not rules_of(service).one_open_booking:
        return
    query = select(Appointment).where(
        Appointment.limit_key == f"{service.id}:{context.actor.member_id}", Appointment.state.in_(KEEPING)
    )
    other = (await context.session.execute(query)).unique().scalar_one_or_none()
    if other is not None:
        raise DomainError("one_open_booking", **notices.facts(context, other))


async def end(context: Context, appointment: Appointment, state: str) -> None:
    """Ends an appointment: seats, limit, reminders and open questions about it go with it."""
    appointment.state = state
    appointment.limit_key = None
    appointment.confidential = ""
    appointment.expires_at = None
    await seats.free(context, appointment)
    await cancel_notices(context, appointment.subject)
    await context.session.flush()


async def own_or_managed(context: Context, appointment_id: int) -> Appointment:
    """An open appointment of the actor's own, or of a calendar the actor answers for.

    Raises DomainError("not_found") where it is not open, ForbiddenError where it is not theirs.
    """
    appointment = await context.database.lock(context.session, Appointment, appointment_id)
    if appointment is None:
        raise DomainError("not_found")
    if not may_manage(context, appointment) and not _is_own(context, appointment):
        raise ForbiddenError
    if appointment.state not in ("pending", "booked"):
        raise DomainError("not_found")
    return appointment


def _is_own(context: Context, appointment: Appointment) -> bool:
    return context.actor.member is not None and appointment.member_id == context.actor.member.id


def may_manage(context: Context, appointment: Appointment) -> bool:
    """The counsellor or key-holder of the calendar; for services that are not private an officer too."""
    actor = context.actor
    if actor.system or (actor.member is not None and appointment.offering.owner_id == actor.member.id):
        return True
    service = context.catalogue[appointment.service]
    return not service.private and any(actor.holds(role, service=service.id) for role in rules_of(service).approvers)


def declared(context: Context, service: str) -> Declaration:
    """The declaration of a service of this life. Raises DomainError("unknown_service")."""
    if service not in context.catalogue or context.catalogue[service].life != "appointment":
        raise DomainError("unknown_service", service=service)
    return context.catalogue[service]
