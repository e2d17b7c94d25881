"""Which slots are free: calendars of the open offerings, less the seats that are taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.appointments.calendar import starts_between
from actions.appointments.rules import AppointmentRules, CalendarSpec
from actions.appointments.tables import KEEPING, Appointment, Seat
from actions.core.tables import Offering
from actions.core.zones import to_utc

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A free time of one calendar; `starts_at` and `ends_at` in Shanghai time."""

    offering_id: int
    title: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a member wants: slots that begin in [low, high), with these field values, for a party of so many.

    `titles` are the calendars that will do (None: any), `avoid` those that will not.
    """

    low: datetime
    high: datetime
    titles: Collection[str] | None = None
    avoid: Collection[str] = ()
    fields: Mapping[str, Any] | None = None
    party: int = 1


def rules_of(service: Declaration) -> AppointmentRules:
    """The declaration's rules, with their type. Raises TypeError for a service of another life."""
    if not isinstance(service.rules, AppointmentRules):
        message = f"{service.id} is no appointment"
        raise TypeError(message)
    return service.rules


def spec_of(offering: Offering) -> CalendarSpec:
    """The calendar that an offering holds."""
    return CalendarSpec.model_validate(offering.spec)


def bookable_window(rules: AppointmentRules, now: datetime) -> tuple[datetime, datetime]:
    """From the minimum notice to the horizon."""
    return now + timedelta(minutes=rules.notice_minutes), now + timedelta(days=rules.horizon_days)


async def calendars(context: Context, service: Declaration) -> Sequence[Offering]:
    """Open offerings of a service, in the order in which they were made."""
    query = select(Offering).where(Offering.service == service.id, Offering.state == "open").order_by(Offering.id)
    return (await context.session.execute(query)).scalars().all()


def fits(spec: CalendarSpec, fields: Mapping[str, Any]) -> bool:
    """Whether what was chosen (campus, mode) is to be had in a calendar."""
    return all(fields.get(key) is None or fields[key] in allowed for key, allowed in spec.allows.items())


async def free_slots(context: Context, service: Declaration, wish: Wish) -> list[Slot]:
    """Free slots that fit a wish, by time and then by calendar; never in the past, too soon, or beyond the horizon."""
    rules = rules_of(service)
    earliest, latest = bookable_window(rules, context.now)
    low, high = max(wish.low, earliest), min(wish.high, latest)
    if low >= high:
        return []
    slots: list[Slot] = []
    for offering in await calendars(context, service):
        spec = spec_of(offering)
        if not _wanted(offering, wish) or not fits(spec, wish.fields or {}) or wish.party > spec.capacity:
            continue
        taken = await _taken(context, offering.id, low, high, rules)
        needed = spec.seats_for(wish.party)
        for start in starts_between(spec, rules, low, high):
            end = start + timedelta(minutes=rules.minutes)
            if spec.seats - taken.at(start, end) >= needed:
                slots.append(Slot(offering_id=offering.id, title=offering.title, starts_at=start, ends_at=end))
    return sorted(slots, key=lambda slot: (slot.starts_at, slot.offering_id))


def _wanted(offering: Offering, wish: Wish) -> bool:
    return offering.title not in wish.avoid and (wish.titles is None or offering.title in wish.titles)


class _Taken:
    """Seats taken in one calendar. Same start counts seats; another start that overlaps (a changed grid) blocks all."""

    def __init__(self, rows: Sequence[tuple[datetime, datetime, int]]) -> None:
        self._seats: Counter[datetime] = Counter()
        self._spans: set[tuple[datetime, datetime]] = set()
        for start, end, _number in rows:
            self._seats[start] += 1
            self._spans.add((start, end))

    def at(self, start: datetime, end: datetime) -> int:
        """How many seats are gone for a slot."""
        low, high = to_utc(start), to_utc(end)
        if any(other != low and other < high and low < until for other, until in self._spans):
            return 1_000_000
        return self._seats[low]


async def _taken(context: Context, offering_id: int, low: datetime, high: datetime, rules: AppointmentRules) -> _Taken:
    reach = timedelta(minutes=rules.minutes)
    query = (
        select(Seat.starts_at, Appointment.ends_at, Seat.number)
        .join(Appointment, Appointment.id == Seat.appointment_id)
        .where(Seat.offering_id == offering_id, Appointment.ends_at > low, Seat.starts_at < high + reach)
    )
    return _Taken([(start, end, number) for start, end, number in (await context.session.execute(query)).all()])


async def clashing(context: Context, member_id: int, start: datetime, end: datetime, *, but: int | None = None) -> bool:
    """Whether a member already has an appointment that overlaps. `but` is an appointment that is being moved."""
    query = select(Appointment.id).where(
        Appointment.member_id == member_id,
        Appointment.state.in_(KEEPING),
        Appointment.starts_at < end,
        Appointment.ends_at > start,
        Appointment.id != (but or 0),
    )
    return (await context.session.execute(query.limit(1))).scalar_one_or_none() is not None
