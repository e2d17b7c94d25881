"""The short lists that a member chooses from."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.appointments.availability import Slot, bookable_window, busy, calendars, fits, free_slots, spec_of
from actions.appointments.calendar import starts_between
from actions.appointments.form import ANY, WAITLIST, Form
from actions.appointments.tables import KEEPING, Appointment
from actions.core.errors import DomainError
from actions.core.life import Choice
from actions.core.zones import local, spoken

if TYPE_CHECKING:
    from actions.appointments.rules import CalendarSpec
    from actions.core.catalogue import FormField
    from actions.core.commands import Context
    from actions.core.tables import Offering

_MOST = 8


async def free_for(context: Context, form: Form, low: datetime, high: datetime) -> tuple[list[Slot], list[Slot]]:
    """Free slots that fit the form, apart: those that the member can take, and those that clash with their own.

    What the member holds of this service is no clash: another hold takes its place.
    """
    slots = await free_slots(context, form.service, form.wanting(low, high))
    member = context.actor.member
    if not slots or member is None:
        return slots, []
    spans = (await busy(context, [member.id])).get(member.id, ())
    held = select(Appointment.id).where(Appointment.member_id == member.id, Appointment.state == "held")
    holds = set((await context.session.execute(held.where(Appointment.service == form.service.id))).scalars())
    firm = [span for span in spans if span.appointment_id not in holds]
    clashing = [slot for slot in slots if any(span.touches(slot.starts_at, slot.ends_at) for span in firm)]
    return [slot for slot in slots if slot not in clashing], clashing


async def time_choices(context: Context, form: Form) -> tuple[Choice, ...]:
    """Free times within the wish; where there are none, the nearest ones, and the waitlist.

    Raises DomainError("all_full") where nothing is free, and nothing to be waited for.
    """
    earliest, latest = bookable_window(form.rules, context.now)
    low, high = form.window or (earliest, latest)
    within, _clashing = await free_for(context, form, low, high)
    if within:
        starts = _starts(within)
        spread = _few(form, starts) if form.window else _spread(starts)
        awaited = form.awaited
        missed = awaited is not None and awaited != form.window and awaited[0] not in starts
        waiting = await _waiting(context, form, *awaited) if awaited and missed else ()
        return (*map(_choice, spread), *waiting)
    anything, _clashing = await free_for(context, form, earliest, latest)
    nearest = sorted(_starts(anything), key=lambda start: max(low - start, start - high))
    choices = (
        *(_choice(start) for start in sorted(nearest[: _MOST // 2])),
        *await _waiting(context, form, low, high),
    )
    if not choices:
        raise DomainError("all_full", days=form.rules.horizon_days)
    return choices


async def _waiting(context: Context, form: Form, low: datetime, high: datetime) -> tuple[Choice, ...]:
    """The waitlist, for a window that has times, though none that is free."""
    earliest, latest = bookable_window(form.rules, context.now)
    if not form.rules.waitlist or not await has_times(context, form, max(low, earliest), min(high, latest)):
        return ()
    return (Choice(value=WAITLIST, label="排候补"),)


async def candidates(context: Context, form: Form) -> list[tuple[Offering, CalendarSpec]]:
    """Open calendars that will do, whatever the time and the size of the group."""
    return [
        (offering, spec_of(offering))
        for offering in await calendars(context, form.service)
        if form.calendar in ("", offering.title) and offering.title not in form.avoid
    ]


async def has_times(context: Context, form: Form, low: datetime, high: datetime) -> bool:
    """Whether a calendar that will do has any slot in a window, taken or not."""
    return any(
        any(starts_between(spec, form.rules, low, high))
        for _offering, spec in await candidates(context, form)
        if fits(spec, form.chosen)
    )


def _starts(slots: list[Slot]) -> list[datetime]:
    return sorted({slot.starts_at for slot in slots})


def _few(form: Form, starts: list[datetime]) -> list[datetime]:
    """The first times of what was wished for; where a clock time was named, those that are nearest to it."""
    point = form.point
    if point is None:
        return starts[:_MOST]
    return sorted(sorted(starts, key=lambda start: abs(start - point))[:_MOST])


def _spread(starts: list[datetime]) -> list[datetime]:
    """For somebody who named no day: the first two times of the next days that have some."""
    days = [list(group) for _day, group in groupby(starts, key=lambda start: start.date())]
    return [start for day in days[: _MOST // 2] for start in day[:2]]


def _choice(start: datetime) -> Choice:
    return Choice(value=start.isoformat(), label=spoken(start))


async def calendar_choices(context: Context, form: Form) -> tuple[Choice, ...]:
    """Calendars that are free at the chosen time (all that fit, where none is chosen yet), and "any"."""
    field = form.service.field(form.calendar_key)
    titles = [
        offering.title
        for offering in await calendars(context, form.service)
        if offering.title not in form.avoid and fits(spec_of(offering), form.chosen)
    ]
    start = form.start
    if start is not None:
        free, _clashing = await free_for(context, form, start, start + timedelta(seconds=1))
        titles = [title for title in titles if title in {slot.title for slot in free}]
    if not titles:
        raise DomainError("slot_taken", field=form.time_key, starts_at=local(start) if start else None)
    # A room of one name may be on two campuses: it is one choice here, and the campus is asked for.
    choices = tuple(Choice(value=title, label=title) for title in dict.fromkeys(titles))
    if field.any and len(choices) > 1:
        return (*choices, Choice(value=ANY, label=field.any))
    return choices


async def allowed_choices(context: Context, form: Form, field: FormField) -> tuple[Choice, ...]:
    """A declared choice, less what no calendar that will do allows."""
    others = {key: value for key, value in form.chosen.items() if key != field.key}
    rooms = [spec for _offering, spec in await candidates(context, form) if fits(spec, others)]
    return tuple(
        Choice(value=choice.value, label=choice.value)
        for choice in field.choices
        if any(choice.value in spec.allows.get(field.key, (choice.value,)) for spec in rooms)
    )


async def pick_calendar(context: Context, form: Form) -> Slot:
    """The slot to hold. Raises DomainError("slot_taken") where none of the calendars that will do is free."""
    start = form.start
    if start is None:
        raise DomainError("slot_taken", field=form.time_key, starts_at=None)
    slots = await free_slots(context, form.service, form.wanting(start, start + timedelta(seconds=1)))
    if not slots:
        raise DomainError("slot_taken", field=form.time_key, starts_at=local(start))
    query = (
        select(Appointment.offering_id, func.count())
        .where(
            Appointment.offering_id.in_({slot.offering_id for slot in slots}),
            Appointment.state.in_(KEEPING),
            Appointment.ends_at > context.now,
        )
        .group_by(Appointment.offering_id)
    )
    load = {row[0]: row[1] for row in (await context.session.execute(query)).all()}
    return min(slots, key=lambda slot: (load.get(slot.offering_id, 0), slot.offering_id))
