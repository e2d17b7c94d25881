"""Reading and writing the records of this life: the steps that its commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Select, or_, select

from actions.appointments import notices, seats
from actions.appointments.availability import rules_of
from actions.appointments.tables import Appointment, Waiting
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import cancel_notices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.appointments.availability import Slot
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

R = TypeVar("R", Appointment, Waiting)


async def rows(context: Context, query: Select[R]) -> Sequence[R]:
    """The records of a query, read afresh: another turn may have changed what this one saw before it was `alone`."""
    fresh = query.execution_options(populate_existing=True)
    return list((await context.session.execute(fresh)).unique().scalars())


async def find(context: Context, appointment_id: int) -> Appointment | None:
    """An appointment, for those who are going to change it: from here on they are alone."""
    await seats.alone(context)
    return await context.session.get(Appointment, appointment_id, populate_existing=True)


def limit_key(service: Declaration, member_id: int) -> str | None:
    """What counts toward one open booking each; None for a service without that rule."""
    return f"{service.id}:{member_id}" if rules_of(service).one_open_booking else None


def new_appointment(context: Context, service: Declaration, slot: Slot, member_id: int) -> Appointment:
    """A row for a slot."""
    return Appointment(
        service=service.id,
        offering_id=slot.offering_id,
        member_id=member_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        created_at=context.now,
        party=1,
        fields={},
        confidential="",
    )


async def add(context: Context, appointment: Appointment) -> None:
    """Writes an appointment with its seats. Raises DomainError("slot_taken")."""
    context.session.add(appointment)
    await context.session.flush()
    await context.session.refresh(appointment, ["offering", "member"])
    await seats.take(context, appointment)


async def open_bookings(context: Context, service: Declaration, members: Sequence[int]) -> Sequence[Appointment]:
    """What members have open of a service that allows one booking at a time; holds do not count."""
    if not rules_of(service).one_open_booking:
        return ()
    query = select(Appointment).where(
        Appointment.service == service.id,
        Appointment.member_id.in_(members),
        Appointment.state.in_(("offered", "pending", "booked")),
        Appointment.ends_at > context.now,
    )
    return await rows(context, query.order_by(Appointment.starts_at))


async def refuse_second(context: Context, service: Declaration) -> None:
    """Raises DomainError: one_open_booking, or offer_waits where the member has still to answer an offer."""
    found = await open_bookings(context, service, [context.actor.member_id])
    for row in sorted(found, key=lambda each: each.state != "offered"):
        code = "offer_waits" if row.state == "offered" else "one_open_booking"
        raise DomainError(code, **notices.facts(context, row))


async def end(context: Context, appointment: Appointment, state: str) -> None:
    """Ends an appointment: seats, limit, reminders and open questions about it go with it."""
    undecided = appointment.state == "pending"
    appointment.state = state
    appointment.limit_key = None
    appointment.confidential = ""
    appointment.expires_at = None
    await seats.free(context, appointment)
    await cancel_notices(context, appointment.subject)
    await context.session.flush()
    if undecided and not await request(context, appointment.request_id):
        await cancel_notices(context, appointment.request)


async def request(context: Context, request_id: int) -> Sequence[Appointment]:
    """What waits for one approval: an appointment, or what is left of a repeated one, by time."""
    query = select(Appointment).where(
        or_(Appointment.id == request_id, Appointment.series_id == request_id), Appointment.state == "pending"
    )
    return await rows(context, query.order_by(Appointment.starts_at))


async def drop_holds(context: Context, service: str, member_id: int) -> int:
    """Lets go of what a member holds; nothing remains of a hold. Returns how many there were."""
    query = select(Appointment).where(
        Appointment.service == service, Appointment.member_id == member_id, Appointment.state == "held"
    )
    held = await rows(context, query)
    for row in held:
        await drop(context, row)
    return len(held)


async def drop(context: Context, hold: Appointment) -> None:
    """Lets go of a hold."""
    await seats.free(context, hold)
    await context.session.delete(hold)
    await context.session.flush()


async def own_or_managed(context: Context, appointment_id: int) -> Appointment:
    """An open appointment of the actor's own, or of a calendar the actor answers for; the actor is alone with it.

    Raises DomainError("not_found") where it is not open, ForbiddenError where it is not theirs.
    """
    appointment = await find(context, appointment_id)
    if appointment is None:
        raise DomainError("not_found")
    if not may_manage(context, appointment) and not is_own(context, appointment):
        raise ForbiddenError
    until = {"pending": appointment.starts_at, "booked": appointment.ends_at}.get(appointment.state)
    if until is None or until <= context.now:
        raise DomainError("not_found")
    return appointment


def is_own(context: Context, appointment: Appointment) -> bool:
    """Whether the actor is who comes."""
    return context.actor.member is not None and appointment.member_id == context.actor.member.id


def answers_for(context: Context, appointment: Appointment) -> bool:
    """Whether the actor is the counsellor or key-holder of the calendar."""
    actor = context.actor
    return actor.system or (actor.member is not None and appointment.offering.owner_id == actor.member.id)


def may_manage(context: Context, appointment: Appointment) -> bool:
    """The counsellor or key-holder of the calendar; for services that are not private an officer too."""
    if answers_for(context, appointment):
        return True
    service = context.catalogue[appointment.service]
    approvers = rules_of(service).approvers
    return not service.private and any(context.actor.holds(role, service=service.id) for role in approvers)


def declared(context: Context, service: str) -> Declaration:
    """The declaration of a service of this life. Raises DomainError("unknown_service")."""
    if service not in context.catalogue or context.catalogue[service].life != "appointment":
        raise DomainError("unknown_service", service=service)
    return context.catalogue[service]
