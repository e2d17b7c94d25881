"""What is said about an appointment, to whom and when. Reminders of private services give nothing away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from actions.appointments.availability import rules_of, spec_of
from actions.appointments.commands import Approve, Refuse
from actions.core.commands import holders
from actions.core.notify import Notice, Option, notify
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.appointments.tables import Appointment
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


def facts(context: Context, appointment: Appointment) -> dict[str, Any]:
    """Parameters of the sentences about an appointment."""
    return {
        "service": context.catalogue[appointment.service].short,
        "starts_at": local(appointment.starts_at),
        "ends_at": local(appointment.ends_at),
        "offering": appointment.offering.title,
        "place": spec_of(appointment.offering).place,
        "party": appointment.party,
        "fields": dict(appointment.fields),
        "example": appointment.offering.example,
    }


async def tell_booked(
    context: Context, service: Declaration, appointment: Appointment, *, wording: str = "notices.owner_booked"
) -> None:
    """Sets the member's reminders, and tells who answers for the calendar."""
    await remind(context, service, appointment)
    await tell_owner(context, appointment, wording)


async def remind(context: Context, service: Declaration, appointment: Appointment) -> None:
    """Sets the reminders that are still to come."""
    for reminder in rules_of(service).reminders:
        due = appointment.starts_at - timedelta(hours=reminder.hours_before)
        if due <= context.now:
            continue
        await notify(
            context,
            Notice(
                member_id=appointment.member_id,
                wording=reminder.wording,
                params=facts(context, appointment),
                subject=appointment.subject,
                due=due,
                expires=appointment.starts_at,
            ),
        )


async def tell_owner(context: Context, appointment: Appointment, wording: str) -> None:
    """Tells the counsellor or key-holder, without the member's name; the agenda shows who comes."""
    owner = appointment.offering.owner_id
    if owner is None or owner == appointment.member_id:
        return
    notice = Notice(member_id=owner, wording=wording, params=facts(context, appointment), subject=f"owner:{owner}")
    await notify(context, notice)


async def tell_member(
    context: Context, appointment: Appointment, wording: str, params: Mapping[str, Any] | None = None
) -> None:
    """Tells the member what became of an appointment."""
    await notify(
        context,
        Notice(
            member_id=appointment.member_id,
            wording=wording,
            params=params if params is not None else facts(context, appointment),
        ),
    )


async def ask_approval(context: Context, service: Declaration, appointment: Appointment) -> None:
    """Asks those who approve, with the two answers as options. Nobody decides on their own request (回避)."""
    options = (
        Option(label="同意", command=Approve(appointment_id=appointment.id)),
        Option(label="退回", command=Refuse(appointment_id=appointment.id), asks_reason=True),
    )
    people = {
        member.id
        for role in rules_of(service).approvers
        for member in await holders(context.session, role, service=service.id)
    }
    for member_id in sorted(people - {appointment.member_id}):
        await notify(
            context,
            Notice(
                member_id=member_id,
                wording="notices.approval_wanted",
                params={**facts(context, appointment), "member": appointment.member.name},
                subject=appointment.subject,
                expires=appointment.starts_at,
                options=options,
            ),
        )
