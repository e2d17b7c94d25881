"""The life appointment as the dialogue sees it: what is free, what is held, what a confirmed form commits."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from actions.appointments import booking, offers, officers, seats, store, waitlist
from actions.appointments import commands as c
from actions.appointments.availability import Wish, bookable_window, calendars, free_slots, rules_of
from actions.appointments.choosing import allowed_choices, calendar_choices, pick_calendar, time_choices
from actions.appointments.form import WAITLIST, Form
from actions.appointments.rules import AppointmentRules, CalendarSpec
from actions.appointments.sweep import sweep
from actions.appointments.wishes import resolve
from actions.blocks import consent
from actions.core.commands import Registration, bound
from actions.core.life import Opening

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from actions.core.catalogue import Declaration
    from actions.core.commands import Command, Context
    from actions.core.life import Choice, Resolved
    from actions.core.tables import Offering


class Appointments:
    """A time with a counsellor or in a room."""

    name = "appointment"
    rules = AppointmentRules
    spec = CalendarSpec

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this life. Rights that depend on the record are checked where the record is locked."""
        return (
            Registration(command=c.Hold, handler=booking.hold, right=bound, private=_private),
            Registration(command=c.Release, handler=booking.release, right=bound, private=_private),
            Registration(command=c.Book, handler=booking.book, right=bound, private=_private),
            Registration(command=c.Cancel, handler=booking.cancel, right=bound, private=_always),
            Registration(command=c.Move, handler=booking.move, right=bound, private=_always),
            Registration(command=c.JoinWaitlist, handler=waitlist.join, right=bound, private=_private),
            Registration(command=c.LeaveWaitlist, handler=waitlist.leave, right=bound, private=_always),
            Registration(command=c.AcceptOffer, handler=waitlist.accept, right=bound, private=_always),
            Registration(command=c.DeclineOffer, handler=waitlist.decline, right=bound, private=_always),
            Registration(command=c.Approve, handler=officers.approve, right=bound),
            Registration(command=c.Refuse, handler=officers.refuse, right=bound),
            Registration(command=c.Mark, handler=officers.mark, right=bound),
            Registration(command=c.FixSeries, handler=officers.fix_series, right=bound),
            Registration(command=c.Block, handler=officers.block, right=bound),
            Registration(command=c.Unblock, handler=officers.unblock, right=bound),
            Registration(command=c.EmergencyContact, handler=officers.emergency_contact, right=bound),
            Registration(command=c.Agenda, handler=officers.agenda, right=bound),
            Registration(command=c.Counts, handler=officers.counts, right=_may_count),
        )

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Facts `first` (consent has not been given yet) and `repeats` (may book several weeks at once).

        Raises DomainError: one_open_booking, offer_waits.
        """
        await offers.refresh(context, service)
        await store.refuse_second(context, service)
        rules = rules_of(service)
        given = not rules.consent or await consent.find(context, context.actor.member_id, rules.consent) is not None
        repeats = bool(rules.repeat_role) and context.actor.holds(rules.repeat_role, service=service.id)
        return {"first": not given, "repeats": repeats}

    async def resolve(
        self, context: Context, service: Declaration, values: Mapping[str, Any], changed: Iterable[str]
    ) -> Resolved:
        """Turns wishes ("下周三下午") into a slot where only one fits, and refuses what cannot be."""
        await offers.refresh(context, service)
        return await resolve(context, service, dict(values), set(changed))

    async def choices(
        self, context: Context, service: Declaration, values: Mapping[str, Any], key: str
    ) -> tuple[Choice, ...]:
        """Free times, calendars that are free then, or what a calendar allows."""
        form = Form(service, values)
        field = service.field(key)
        if field.type == "slot":
            return await time_choices(context, form)
        if field.type == "offering":
            return await calendar_choices(context, form)
        return await allowed_choices(context, form, field)

    async def hold(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Holds the slot; of several calendars that will do, the one with the fewest bookings."""
        form = Form(service, values)
        if form.time == WAITLIST:
            return {}
        await seats.alone(context)
        await store.drop_holds(context, service.id, context.actor.member_id)
        await offers.settle(context, service)
        slot = await pick_calendar(context, form)
        await context.bus.execute(
            c.Hold(
                service=service.id,
                offering_id=slot.offering_id,
                starts_at=slot.starts_at,
                party=form.party,
            ),
            context,
        )
        until = context.now + timedelta(minutes=rules_of(service).hold_minutes)
        return {"picked": slot.title, "offering_id": slot.offering_id, "held_until": until.isoformat()}

    async def openings(self, context: Context, service: Declaration) -> Sequence[Opening]:
        """Its calendars with their free times; whoever has these hours taken sees what others would."""
        low, high = bookable_window(rules_of(service), context.now)
        starts: defaultdict[int, list[datetime]] = defaultdict(list)
        for slot in await free_slots(context, service, Wish(low=low, high=high)):
            starts[slot.offering_id].append(slot.starts_at)
        return [
            Opening(
                offering_id=offering.id,
                service=service.id,
                title=offering.title,
                label=f"{offering.title} {offering.campus}".strip(),
                campus=offering.campus,
                next_at=min(starts[offering.id], default=None),
                left=len(starts[offering.id]),
                example=offering.example,
            )
            for offering in await calendars(context, service)
        ]

    async def release(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
        """Lets go of the hold of a form that is given up."""
        if "held_until" in values:
            await context.bus.execute(c.Release(service=service.id), context)

    def commit(self, service: Declaration, values: Mapping[str, Any]) -> Command:
        """Book, or join the waitlist where the member chose to wait."""
        form = Form(service, values)
        if form.time == WAITLIST:
            low, high = form.awaited or (None, None)
            return c.JoinWaitlist(
                service=service.id,
                window_start=low,
                window_end=high,
                titles=[form.calendar] if form.calendar else [],
                avoid=list(form.avoid),
                party=form.party,
                fields=form.plain,
                confidential=form.confidential,
                consent=form.consent,
            )
        return c.Book(
            service=service.id,
            offering_id=values["offering_id"],
            starts_at=datetime.fromisoformat(form.time),
            party=form.party,
            weeks=form.weeks,
            fields=form.plain,
            confidential=form.confidential,
            consent=form.consent,
        )

    async def offering_cancelled(self, context: Context, offering: Offering) -> int:
        """Cancels what is booked in a calendar that is no more."""
        return await officers.cancelled_offering(context, offering)

    async def sweep(self, context: Context) -> int:
        """What falls due by itself."""
        return await sweep(context)


def _private(command: Any, context: Context) -> bool:
    return command.service in context.catalogue and context.catalogue[command.service].private


def _always(_command: Any, _context: Context) -> bool:
    return True


async def _may_count(command: c.Counts, context: Context) -> bool:
    return any(context.actor.holds(role, service=command.service) for role in ("union_officer", "administrator"))
