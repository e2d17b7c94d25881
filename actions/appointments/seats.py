"""Taking and freeing seats: lock the calendar, look once, write; the primary key is the last guard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from actions.appointments.availability import Slot, Wish, clashing, free_slots, rules_of, spec_of
from actions.appointments.tables import Seat
from actions.core.errors import DomainError
from actions.core.tables import Offering
from actions.core.zones import local, to_utc

if TYPE_CHECKING:
    from actions.appointments.tables import Appointment
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


async def slot_at(context: Context, service: Declaration, offering_id: int, start: datetime, *, party: int = 1) -> Slot:
    """The free slot of a calendar at a time, with the calendar locked until the transaction ends.

    Raises DomainError("slot_taken") where it is not free (or no slot at all).
    """
    offering = await context.database.lock(context.session, Offering, offering_id)
    if offering is None or offering.service != service.id or offering.state != "open":
        raise DomainError("slot_taken", field="slot")
    if party > spec_of(offering).capacity:
        capacity = spec_of(offering).capacity
        raise DomainError(
            "party_too_large", field=rules_of(service).party_field, capacity=capacity, room=offering.title, party=party
        )
    wish = Wish(low=start, high=start + timedelta(seconds=1), titles={offering.title}, party=party)
    for slot in await free_slots(context, service, wish):
        if slot.offering_id == offering_id:
            return slot
    raise DomainError("slot_taken", field="slot", starts_at=local(start))


async def take(context: Context, appointment: Appointment, slot: Slot, seats: int) -> None:
    """Writes the seats of an appointment. Raises DomainError("slot_taken") where somebody else was quicker."""
    query = select(Seat.number).where(Seat.offering_id == slot.offering_id, Seat.starts_at == to_utc(slot.starts_at))
    gone = set((await context.session.execute(query)).scalars())
    free = [number for number in range(1, len(gone) + seats + 1) if number not in gone][:seats]
    try:
        async with context.session.begin_nested():
            context.session.add_all(
                Seat(
                    offering_id=slot.offering_id,
                    starts_at=slot.starts_at,
                    number=number,
                    appointment_id=appointment.id,
                )
                for number in free
            )
    except IntegrityError as error:
        raise DomainError("slot_taken", field="slot", starts_at=local(slot.starts_at)) from error


async def free(context: Context, appointment: Appointment) -> None:
    """Gives the seats of an appointment back."""
    await context.session.execute(delete(Seat).where(Seat.appointment_id == appointment.id))


async def refuse_clash(
    context: Context, service: Declaration, start: datetime, *, member_id: int, but: int | None = None
) -> None:
    """Raises DomainError("own_clash") where the member has something else at that time."""
    end = start + timedelta(minutes=rules_of(service).minutes)
    if await clashing(context, member_id, start, end, but=but):
        raise DomainError("own_clash", field="slot", starts_at=local(start))
