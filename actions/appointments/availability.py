"""Which slots are free: calendars of the open offerings, less the seats that are taken."""

from __future__ import annotations

from collections import Counter, defaultdict
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

    `titles` are the calendars that will do (None: any), `avoid` those that will not. A series that was agreed on may
    go `beyond` the horizon.
    """

    low: datetime
    high: datetime
    titles: Collection[str] | None = None
    avoid: Collection[str] = ()
    fields: Mapping[str, Any] | None = None
    party: int = 1
    beyond: bool = False

    def wants(self, offering: Offering, spec: CalendarSpec) -> bool:
        """Whether a calendar will do, whatever is taken in it."""
        named = offering.title not in self.avoid and (self.titles is None or offering.title in self.titles)
        return named and fits(spec, self.fields or {}) and self.party <= spec.capacity


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
    """Open offerings of a service, in the order in which they were made; read afresh."""
    query = select(Offering).where(Offering.service == service.id, Offering.state == "open").order_by(Offering.id)
    fresh = query.execution_options(populate_existing=True)
    return (await context.session.execute(fresh)).scalars().all()


def fits(spec: CalendarSpec, fields: Mapping[str, Any]) -> bool:
    """Whether what was chosen (campus, mode) is to be had in a calendar."""
    return all(fields.get(key) is None or fields[key] in allowed for key, allowed in spec.allows.items())


class _Taken:
    """Seats taken in one calendar. Same start counts seats; another start that overlaps (a changed grid) blocks all."""

    def __init__(self) -> None:
        self._seats: Counter[datetime] = Counter()
        self._spans: set[tuple[datetime, datetime]] = set()

    def add(self, start: datetime, end: datetime, seats: int = 1) -> None:
        """Seats that are gone from start to end."""
        self._seats[to_utc(start)] += seats
        self._spans.add((to_utc(start), to_utc(end)))

    def left(self, spec: CalendarSpec, start: datetime, end: datetime) -> int:
        """How many seats are left for a slot."""
        low, high = to_utc(start), to_utc(end)
        if any(other != low and other < high and low < until for other, until in self._spans):
            return 0
        return spec.seats - self._seats[low]


class Openings:
    """What is free in a service's calendars, looked up once; `give` keeps it true while slots are given away."""

    def __init__(self, rules: AppointmentRules, now: datetime, offerings: Sequence[Offering]) -> None:
        self._rules = rules
        self._now = now
        self._calendars = [(offering, spec_of(offering)) for offering in offerings]
        self._taken: defaultdict[int, _Taken] = defaultdict(_Taken)

    def slots(self, wish: Wish) -> list[Slot]:
        """Free slots that fit a wish, by time and then by calendar; never too soon, or beyond the horizon."""
        earliest, latest = bookable_window(self._rules, self._now)
        low, high = max(wish.low, earliest), wish.high if wish.beyond else min(wish.high, latest)
        return sorted(
            (
                Slot(offering_id=offering.id, title=offering.title, starts_at=start, ends_at=self._end(start))
                for offering, spec in self._calendars
                if wish.wants(offering, spec)
                for start in starts_between(spec, self._rules, low, high)
                if self._taken[offering.id].left(spec, start, self._end(start)) >= spec.seats_for(wish.party)
            ),
            key=lambda slot: (slot.starts_at, slot.offering_id),
        )

    def _end(self, start: datetime) -> datetime:
        return start + timedelta(minutes=self._rules.minutes)

    def take(self, offering_id: int, start: datetime, end: datetime, seats: int = 1) -> None:
        """Seats of a calendar that are not free."""
        self._taken[offering_id].add(start, end, seats)

    def give(self, slot: Slot, party: int) -> None:
        """A slot goes to a party."""
        spec = next(spec for offering, spec in self._calendars if offering.id == slot.offering_id)
        self.take(slot.offering_id, slot.starts_at, slot.ends_at, spec.seats_for(party))


async def openings(context: Context, service: Declaration, low: datetime, high: datetime) -> Openings:
    """What is free between two moments, in two queries whatever the number of calendars."""
    rules = rules_of(service)
    found = Openings(rules, context.now, await calendars(context, service))
    query = (
        select(Seat.offering_id, Seat.starts_at, Appointment.ends_at)
        .join(Appointment, Appointment.id == Seat.appointment_id)
        .where(
            Appointment.service == service.id,
            Appointment.ends_at > low,
            Seat.starts_at < high + timedelta(minutes=rules.minutes),
        )
    )
    for offering_id, start, end in (await context.session.execute(query)).all():
        found.take(offering_id, start, end)
    return found


async def free_slots(context: Context, service: Declaration, wish: Wish) -> list[Slot]:
    """Free slots that fit a wish, by time and then by calendar; never in the past, too soon, or beyond the horizon."""
    earliest, latest = bookable_window(rules_of(service), context.now)
    low, high = max(wish.low, earliest), wish.high if wish.beyond else min(wish.high, latest)
    if low >= high:
        return []
    return (await openings(context, service, low, high)).slots(wish)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A time that a member has given away already."""

    appointment_id: int
    service: str
    starts_at: datetime
    ends_at: datetime

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether something from start to end overlaps it."""
        return start < self.ends_at and self.starts_at < end


async def busy(context: Context, members: Collection[int]) -> Mapping[int, Sequence[Span]]:
    """What members have before them, by member. A hold counts as a booking."""
    query = select(
        Appointment.member_id, Appointment.id, Appointment.service, Appointment.starts_at, Appointment.ends_at
    ).where(Appointment.member_id.in_(members), Appointment.state.in_(KEEPING), Appointment.ends_at > context.now)
    spans: defaultdict[int, list[Span]] = defaultdict(list)
    for member_id, number, service, start, end in (await context.session.execute(query)).all():
        spans[member_id].append(Span(appointment_id=number, service=service, starts_at=start, ends_at=end))
    return spans
