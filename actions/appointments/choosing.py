"""The short lists that a member chooses from."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.appointments.availability import Slot, bookable_window, calendars, fits, free_slots, spec_of
from actions.appointments.form import ANY, WAITLIST, Form
from actions.appointments.tables import KEEPING, Appointment
from actions.core.errors import DomainError
from actions.core.life import Choice
from actions.core.zones import local, spoken

if TYPE_CHECKING:
    from actions.core.catalogue import FormField
    from actions.core.commands import Context

_MOST = 8


async def time_choices(context: Context, form: Form) -> tuple[Choice, ...]:
    """Free times within the wish; where there are none, the nearest ones, and the waitlist."""
    earliest, latest = bookable_window(form.rules, context.now)
    low, high = form.window or (earliest, latest)
    within = await free_slots(context, form.service, form.wanting(low, high))
    if within:
        starts = _starts(within)
        spread = starts[:_MOST] if form.window else _spread(starts)
        return tuple(_choice(start) for start in spread)
    nearest = sorted(
        _starts(await free_slots(context, form.service, form.wanting(earliest, latest))),
        key=lambda start: abs(start - low),
    )
    if not nearest and not form.rules.waitlist:
        raise DomainError("all_full", days=form.rules.horizon_days)
    alternatives = tuple(_choice(start) for start in sorted(nearest[: _MOST // 2]))
    return (*alternatives, *_waiting(context, form))


def _waiting(context: Context, form: Form) -> tuple[Choice, ...]:
    """The waitlist, for a window that has times, though none that is free."""
    earliest, latest = bookable_window(form.rules, context.now)
    if not form.rules.waitlist or form.window is None:
        return ()
    low, high = form.window
    return (Choice(value=WAITLIST, label="排候补"),) if high > earliest and low < latest else ()


def _starts(slots: list[Slot]) -> list[datetime]:
    return sorted({slot.starts_at for slot in slots})


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
        if offering.title not in form.avoid and fits(spec_of(offering), form.values)
    ]
    start = form.start
    if start is not None:
        free = await free_slots(context, form.service, form.wanting(start, start + timedelta(seconds=1)))
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
    rooms = [
        spec_of(offering)
        for offering in await calendars(context, form.service)
        if form.calendar in ("", offering.title) and offering.title not in form.avoid
    ]
    others = {key: value for key, value in form.values.items() if key != field.key}
    rooms = [spec for spec in rooms if fits(spec, others)]
    return tuple(
        Choice(value=choice.value, label=choice.value)
        for choice in field.choices
        if any(choice.value in spec.allows.get(field.key, (choice.value,)) for spec in rooms)
    )


async def pick_calendar(context: Context, form: Form) -> Slot:
    """The slot to hold. Raises DomainError("slot_taken") where none of the calendars that will do is free."""
    start = form.start
    if start is None:
        raise DomainError("slot_taken", field=form.time_key)
    slots = await free_slots(context, form.service, form.wanting(start, start + timedelta(seconds=1)))
    if not slots:
        raise DomainError("slot_taken", field=form.time_key, starts_at=local(start))
    query = (
        select(Appointment.offering_id, func.count())
        .where(Appointment.state.in_(KEEPING), Appointment.ends_at > context.now)
        .group_by(Appointment.offering_id)
    )
    load = {row[0]: row[1] for row in (await context.session.execute(query)).all()}
    return min(slots, key=lambda slot: (load.get(slot.offering_id, 0), slot.offering_id))
