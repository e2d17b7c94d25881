"""Taking and freeing seats: one at a time, look once, write; the primary key is the last guard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from actions.appointments.availability import Slot, Wish, busy, free_slots, rules_of, spec_of
from actions.appointments.tables import Seat
from actions.core.errors import DomainError
from actions.core.tables import Offering
from actions.core.zones import local, to_utc

if TYPE_CHECKING:
    from actions.appointments.tables import Appointment
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

# Any number that nothing else locks by.
_LOCK = 0x4170706F


async def alone(context: Context) -> None:
    """From here to the end of the transaction nobody else changes appointments, as it is on SQLite anyway.

    One lock for all of them: a slot, a member's own time and the order of the waitlist hang together, and with one
    lock nobody waits in a ring. It is the last lock that a unit of work takes. What was read before is read afresh.
    """
    if not context.database.is_sqlite:
        await context.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def slot_at(context: Context, service: Declaration, offering_id: int, wish: Wish) -> Slot:
    """The free slot of a calendar at `wish.low`, for those who are `alone`.

    Raises DomainError: slot_taken where it is not free (or no slot at all), party_too_large.
    """
    offering = await context.session.get(Offering, offering_id, populate_existing=True)
    start = wish.low
    if offering is None or offering.service != service.id or offering.state != "open":
        raise DomainError("slot_taken", field="slot", starts_at=local(start))
    refuse_large(service, offering, wish.party)
    for slot in await free_slots(context, service, wish):
        if slot.offering_id == offering_id:
            return slot
    raise DomainError("slot_taken", field="slot", starts_at=local(start))


def refuse_large(service: Declaration, offering: Offering, party: int) -> None:
    """Raises DomainError("party_too_large")."""
    capacity = spec_of(offering).capacity
    if party > capacity:
        key = rules_of(service).party_field
        raise DomainError("party_too_large", field=key, capacity=capacity, room=offering.title, party=party)


def exactly(start: datetime, appointment: Appointment, *, beyond: bool = False) -> Wish:
    """The wish for an appointment's slot at a moment."""
    return Wish(
        low=start,
        high=start + timedelta(seconds=1),
        fields=appointment.fields,
        party=appointment.party,
        beyond=beyond,
    )


async def take(context: Context, appointment: Appointment) -> None:
    """Writes the seats of an appointment. Raises DomainError("slot_taken") where too few are left.

    Seats are numbered within the capacity, so that two writers who both saw the last one meet in the primary key.
    """
    spec = spec_of(appointment.offering)
    query = select(Seat.number).where(
        Seat.offering_id == appointment.offering_id, Seat.starts_at == to_utc(appointment.starts_at)
    )
    gone = set((await context.session.execute(query)).scalars())
    left = [number for number in range(1, spec.seats + 1) if number not in gone]
    needed = spec.seats_for(appointment.party)
    if len(left) < needed:
        raise DomainError("slot_taken", field="slot", starts_at=local(appointment.starts_at))
    context.session.add_all(
        Seat(
            offering_id=appointment.offering_id,
            starts_at=appointment.starts_at,
            number=number,
            appointment_id=appointment.id,
        )
        for number in left[:needed]
    )
    await context.session.flush()


async def free(context: Context, appointment: Appointment) -> None:
    """Gives the seats of an appointment back."""
    await context.session.execute(delete(Seat).where(Seat.appointment_id == appointment.id))


async def refuse_clash(context: Context, start: datetime, end: datetime, *, member_id: int, but: int = 0) -> None:
    """Raises DomainError("own_clash") where the member has something else then; `but` is what is being moved."""
    spans = (await busy(context, [member_id])).get(member_id, ())
    if any(span.touches(start, end) and span.appointment_id != but for span in spans):
        raise DomainError("own_clash", field="slot", starts_at=local(start))
