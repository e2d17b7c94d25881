"""From what a member said to what is to be had: a wish becomes a slot, a short list, or a refusal that says why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from actions.appointments.availability import bookable_window, calendars, fits
from actions.appointments.choosing import candidates, free_for, has_times
from actions.appointments.form import ANY, WAITLIST, Form
from actions.core.errors import DomainError
from actions.core.life import Resolved
from actions.core.zones import day_bounds, local

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


async def resolve(context: Context, service: Declaration, values: dict[str, Any], changed: set[str]) -> Resolved:
    """Holds what was said against the calendars.

    A refused value is dropped; the wish behind a refused time stays, so that the nearest times can be offered.
    `approval` tells the form whether somebody has to agree: it may ask more then.
    """
    refusals: list[DomainError] = []
    form = Form(service, values)
    _drop_stale(form, values, changed)
    for check in (_calendar, _allowed, _party, _time):
        try:
            await check(context, form, values, changed)
        except DomainError as error:
            refusals.append(error)
            values.pop(error.field or form.time_key, None)
    over = form.rules.approval_over
    values["approval"] = over is not None and form.party > over
    return Resolved(values=values, refusals=tuple(refusals))


def _drop_stale(form: Form, values: dict[str, Any], changed: set[str]) -> None:
    """A new day or room makes the calendar that was picked for "any" void: it is picked again at the read-back."""
    if changed & {form.time_key, f"{form.time_key}_wish", f"{form.calendar_key}_avoid"}:
        values.pop("offering_id", None)
        if form.calendar in form.avoid and form.calendar:
            values.pop(form.calendar_key, None)
    if f"{form.calendar_key}_avoid" in changed and not form.calendar:
        values[form.calendar_key] = ANY


async def _calendar(context: Context, form: Form, _values: dict[str, Any], changed: set[str]) -> None:
    if form.calendar_key not in changed or not form.calendar:
        return
    if form.calendar not in {offering.title for offering in await calendars(context, form.service)}:
        raise DomainError("no_such_offering", field=form.calendar_key, offering=form.calendar)


async def _allowed(context: Context, form: Form, _values: dict[str, Any], changed: set[str]) -> None:
    """What was chosen must be to be had together in one calendar; the later answer of the form gives way."""
    if not changed & {form.calendar_key, *form.chosen}:
        return
    rooms = [spec for _offering, spec in await candidates(context, form)]
    together: dict[str, str] = {}
    for key, value in form.chosen.items():
        together[key] = value
        if rooms and not any(fits(spec, together) for spec in rooms):
            raise DomainError("not_offered_here", field=key, offering=form.calendar, value=value)


async def _party(context: Context, form: Form, _values: dict[str, Any], _changed: set[str]) -> None:
    if not form.rules.party_field or form.rules.party_field not in form.values:
        return
    rooms = [spec for _offering, spec in await candidates(context, form) if fits(spec, form.chosen)]
    capacity = max((spec.capacity for spec in rooms), default=0)
    if rooms and form.party > capacity:
        raise DomainError(
            "party_too_large",
            field=form.rules.party_field,
            capacity=capacity,
            room=form.calendar,
            party=form.party,
        )


async def _time(context: Context, form: Form, values: dict[str, Any], changed: set[str]) -> None:
    if form.time == WAITLIST:
        return
    if f"{form.time_key}_wish" in changed:
        await _wish(context, form, values)
    elif form.start is not None and changed:
        await _still_free(context, form)


async def _still_free(context: Context, form: Form) -> None:
    """A time that was chosen before something else changed (another room, a larger group)."""
    start = form.start
    if start is None:
        return
    end = start + timedelta(seconds=1)
    slots, clashing = await free_for(context, form, start, end)
    if slots or "held_until" in form.values:
        return
    if clashing:
        raise DomainError("own_clash", field=form.time_key, starts_at=clashing[0].starts_at)
    reason = await _why_not(context, form, start, end, point=True)
    if reason.code == "slot_full":
        raise DomainError("slot_taken", field=form.time_key, starts_at=local(start))
    raise reason


async def _wish(context: Context, form: Form, values: dict[str, Any]) -> None:
    values.pop(form.time_key, None)
    wish = form.wish
    window = form.window
    if wish is None or window is None:
        return
    low, high = window
    if wish["kind"] == "point":
        day_low, day_high = day_bounds(local(low).date())
        day = {"start": day_low.isoformat(), "end": day_high.isoformat(), "point": low.isoformat()}
        values[f"{form.time_key}_wish"] = {**wish, **day}
        high = low + timedelta(seconds=1)
    slots, clashing = await free_for(context, form, low, high)
    if clashing and not slots:
        raise DomainError("own_clash", field=form.time_key, starts_at=clashing[0].starts_at)
    if not slots:
        raise await _why_not(context, form, low, high, point=wish["kind"] == "point")
    exact = _preferred(slots, wish, low)
    if exact is not None:
        values[form.time_key] = exact.isoformat()


def _preferred(slots: list[Any], wish: Any, low: datetime) -> datetime | None:
    """The slot that was meant: the exact point, or the clock time kept from before a change of day."""
    if wish["kind"] == "point":
        return low
    clock = wish.get("clock")
    for slot in slots:
        if clock and f"{slot.starts_at:%H:%M}" == clock:
            start: datetime = slot.starts_at
            return start
    return None


async def _why_not(context: Context, form: Form, low: datetime, high: datetime, *, point: bool) -> DomainError:
    """Which rule leaves nothing in a window. The order is that in which a person would explain it."""
    earliest, latest = bookable_window(form.rules, context.now)
    key = form.time_key
    if (low < context.now) if point else (high <= context.now):
        return DomainError("time_past", field=key, starts_at=local(low))
    if low >= latest:
        return DomainError("beyond_horizon", field=key, until=local(latest), days=form.rules.horizon_days)
    if (low < earliest) if point else (high <= earliest):
        return DomainError("too_soon", field=key, minutes=form.rules.notice_minutes, earliest=local(earliest))
    of_one_day = local(high) - local(low) <= timedelta(1)
    if of_one_day and not await has_times(context, form, *day_bounds(local(low).date())):
        return DomainError("closed_that_day", field=key, day=local(low))
    if not await has_times(context, form, low, high):
        return DomainError("no_slot_then", field=key, day=local(low), point=point, starts_at=local(low))
    return DomainError("slot_full", field=key, starts_at=local(low), point=point)
