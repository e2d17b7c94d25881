"""Who comes to a calendar's times, for those who may address them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.appointments.tables import Appointment

if TYPE_CHECKING:
    from sqlalchemy import Select

    from actions.core.commands import Context
    from actions.core.tables import Offering


class AppointmentRegistrants:
    """Registrants of the life appointment. There is no roster that has to answer: nobody is asked to book."""

    life = "appointment"

    async def registrants(self, context: Context, offering: Offering) -> Select[int]:
        """Members whose appointment, booked or waiting for approval, is still to come."""
        return select(Appointment.member_id).where(
            Appointment.offering_id == offering.id,
            Appointment.state.in_(("booked", "pending")),
            Appointment.ends_at > context.now,
        )
