"""What is said about an appointment, to whom and when. What is pushed about a private service gives nothing away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from actions.appointments import papers
from actions.appointments.availability import rules_of, spec_of
from actions.appointments.commands import AcceptOffer, Approve, DeclineOffer, FixSeries, Mark, Refuse
from actions.blocks.deadlines import reminders
from actions.core.commands import holders
from actions.core.entries import CalendarEntry
from actions.core.notify import Notice, Option, cancel_notices, notify
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.appointments.tables import Appointment
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

#: How long a counsellor is asked whether the member came.
_ASKED_FOR = timedelta(days=7)
#: A series that is offered by a tap, in weeks, beside the longest one.
_MONTH = 4


def facts(context: Context, appointment: Appointment) -> dict[str, Any]:
    """Parameters of the sentences about an appointment."""
    spec = spec_of(appointment.offering)
    return {
        "service": context.catalogue[appointment.service].short,
        "starts_at": local(appointment.starts_at),
        "ends_at": local(appointment.ends_at),
        "offering": appointment.offering.title,
        "place": spec.place,
        "key": spec.key,
        "party": appointment.party,
        "fields": dict(appointment.fields),
        "example": appointment.offering.example,
    }


def pushed(context: Context, appointment: Appointment) -> dict[str, Any]:
    """As `facts`, for what appears on a locked screen: of a private service the time alone."""
    known = facts(context, appointment)
    if context.catalogue[appointment.service].private:
        known |= {"service": "", "offering": "", "place": "", "key": "", "fields": {}}
    return known


def entry(context: Context, appointment: Appointment) -> CalendarEntry | None:
    """A booking as a calendar keeps it; None for what is not certain."""
    if appointment.state != "booked":
        return None
    known = pushed(context, appointment)
    return CalendarEntry(
        ref=appointment.subject,
        member_id=appointment.member_id,
        title=known["service"],
        about=known["offering"],
        place=known["place"],
        starts_at=known["starts_at"],
        ends_at=known["ends_at"],
        reminders=[item.hours_before for item in rules_of(context.catalogue[appointment.service]).reminders],
    )


async def tell_booked(
    context: Context, service: Declaration, appointment: Appointment, *, wording: str = "notices.owner_booked"
) -> None:
    """Sets the member's reminders, and tells who answers for the calendar."""
    await remind(context, service, appointment)
    await tell_owner(context, appointment, wording)


async def remind(context: Context, service: Declaration, appointment: Appointment) -> None:
    """Sets the reminders that are still to come."""
    wordings = {reminder.hours_before: reminder.wording for reminder in rules_of(service).reminders}
    for moment in reminders(appointment.starts_at, wordings, context.now):
        await notify(
            context,
            Notice(
                member_id=appointment.member_id,
                wording=wordings[moment.hours_before],
                params=pushed(context, appointment),
                subject=appointment.subject,
                due=moment.due,
                expires=moment.until,
                kind="reminder",
            ),
        )


async def tell_owner(context: Context, appointment: Appointment, wording: str) -> None:
    """Tells the counsellor or key-holder, where it was not they who did it.

    Who comes to a private service is not told on a locked screen; the agenda shows it.
    """
    owner, actor = appointment.offering.owner_id, context.actor.member
    if owner is None or owner == appointment.member_id or (actor is not None and owner == actor.id):
        return
    service = context.catalogue[appointment.service]
    if not rules_of(service).tell_owner:
        return
    known = {**facts(context, appointment), "member": "" if service.private else appointment.member.name}
    notice = Notice(
        member_id=owner, wording=wording, params=known, subject=f"owner:{owner}", expires=appointment.ends_at
    )
    await notify(context, notice)


async def tell_member(context: Context, appointment: Appointment, wording: str, **more: Any) -> None:
    """Tells the member what became of an appointment. A reason is not pushed where the service is private."""
    private = context.catalogue[appointment.service].private
    params = {**pushed(context, appointment), **more}
    if private and "reason" in params:
        params["reason"] = ""
    calendar = entry(context, appointment)
    await notify(context, Notice(member_id=appointment.member_id, wording=wording, params=params, calendar=calendar))


async def offer(context: Context, appointment: Appointment, replaced: Appointment | None) -> None:
    """Offers a slot to who waits; `replaced` is the booking that it would take the place of."""
    await notify(
        context,
        Notice(
            member_id=appointment.member_id,
            wording="notices.offer",
            params={
                **pushed(context, appointment),
                "until": appointment.expires_at,
                "replaced": local(replaced.starts_at) if replaced else None,
            },
            subject=appointment.subject,
            expires=appointment.expires_at,
            options=(
                Option(label="接受", command=AcceptOffer(appointment_id=appointment.id)),
                Option(label="放弃", command=DeclineOffer(appointment_id=appointment.id)),
            ),
        ),
    )


async def ask_approval(context: Context, service: Declaration, rows: Sequence[Appointment]) -> None:
    """Asks those who approve, with the two answers as options. Nobody decides on their own request (回避).

    `rows` are what waits, by time; what was asked about them before is taken back.
    """
    first = rows[0]
    await cancel_notices(context, first.request)
    options = (
        Option(label="同意", command=Approve(appointment_id=first.request_id)),
        Option(label="退回", command=Refuse(appointment_id=first.request_id), asks_reason=True),
    )
    people = {
        member.id
        for role in rules_of(service).approvers
        for member in await holders(context.session, role, service=service.id)
    }
    params = {**facts(context, first), "member": first.member.name, "weeks": len(rows)}
    handed_in = await papers.of(context, first)
    for member_id in sorted(people - {first.member_id}):
        await notify(
            context,
            Notice(
                member_id=member_id,
                wording="notices.approval_wanted",
                params=params,
                subject=first.request,
                expires=rows[-1].starts_at,
                options=options,
                files=handed_in,
            ),
        )


async def ask_attendance(context: Context, service: Declaration, appointment: Appointment) -> None:
    """Asks who answers for the calendar whether the member came, and whether to go on weekly."""
    rules, owner = rules_of(service), appointment.offering.owner_id
    if not rules.ask_attendance or owner is None:
        return
    number = appointment.id
    weeks = sorted({min(_MONTH, rules.series_cap), rules.series_cap} - {0})
    await notify(
        context,
        Notice(
            member_id=owner,
            wording="notices.attendance_wanted",
            params={**pushed(context, appointment), "series": bool(weeks)},
            subject=appointment.subject,
            expires=context.now + _ASKED_FOR,
            options=(
                Option(label="到了", command=Mark(appointment_id=number, attended=True)),
                Option(label="没来", command=Mark(appointment_id=number, attended=False)),
                *(Option(label=f"再约{n}周", command=FixSeries(appointment_id=number, weeks=n)) for n in weeks),
            ),
        ),
    )
