"""Any order of holds, bookings, cancellations, moves, lapses, leave: the database holds what the model says."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from actions.appointments import commands as c
from actions.appointments.availability import rules_of, spec_of
from actions.appointments.calendar import starts_between
from actions.appointments.rules import CalendarSpec
from actions.appointments.tables import KEEPING, Appointment, Seat, Waiting
from actions.core.errors import DomainError
from actions.core.tables import Member, Outgoing, Prompt
from actions.core.zones import local
from tests.appointments.model import Model, RefusedError, Room, Row, Rules, Wait
from tests.appointments.world import CALENDARS, CONSENT, MEMBERS, NOW, OFFICER, OWNERS, SECRET, catalogue, open_hall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actions.core.catalogue import Catalogue
    from actions.core.commands import Command
    from tests.appointments.world import Hall

_HORIZON = 2
_PEOPLE = MEMBERS[:5]
_TITLES = ("何医生", "高老师", "多功能室", "阅览室")


@functools.cache
def _catalogue() -> Catalogue:
    """Few days, so that people are in one another's way."""
    return catalogue({name: {"horizon_days": _HORIZON} for name in ("counseling", "health_room")})


def _model(services: Catalogue) -> Model:
    rules, rooms, grid = {}, {}, {}
    for declared in services:
        own = rules_of(declared)
        rules[declared.id] = Rules(
            name=declared.id,
            minutes=own.minutes,
            notice=own.notice_minutes,
            limit=own.cancel_until_minutes,
            offer=own.offer_minutes,
            one=own.one_open_booking,
            approval=own.approval_over or 10_000,
            reminders=tuple(int(reminder.hours_before * 60) for reminder in own.reminders),
        )
    for title, (service, spec) in CALENDARS.items():
        rooms[title] = Room(
            title=title, service=service, capacity=spec.get("capacity", 1), shared=spec.get("shared", False)
        )
        grid[title] = _grid(title)
    return Model(now=NOW, horizon=_HORIZON, rules=rules, rooms=rooms, grid=grid)


@functools.cache
def _grid(title: str) -> list[datetime]:
    """All slots of a calendar, far enough for any series."""
    service, spec = CALENDARS[title]
    calendar, rules = CalendarSpec.model_validate(spec), rules_of(_catalogue()[service])
    return list(starts_between(calendar, rules, NOW, NOW + timedelta(days=400)))


def _if_any(*states: str) -> Callable[[Any], Any]:
    """A rule for when there is such an appointment."""
    return precondition(lambda self: self.some(0, *states) is not None)


def people() -> st.SearchStrategy[str]:
    return st.sampled_from(_PEOPLE)


def titles() -> st.SearchStrategy[str]:
    return st.sampled_from(_TITLES)


def parties() -> st.SearchStrategy[int]:
    """One, a few, or a crowd that has to be approved and fits one room alone."""
    return st.sampled_from((1, 3, 25))


def numbers() -> st.SearchStrategy[int]:
    return st.integers(0, 30)


class Bookings(RuleBasedStateMachine):
    """One hall, one clock, and the model beside them."""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.hall: Hall = self.runner.run(open_hall(services=_catalogue()))
        self.model = _model(self.hall.catalogue)
        self.seen = self.runner.run(_look(self.hall))

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.hall.database.close())
            self.runner.close()

    # --- the two sides of a step

    def step(self, told: Callable[[Model], object], command: Command, who: str) -> bool:
        """Asks both; they must agree. What is refused leaves no trace. Returns whether it was done."""
        before, expected = self.model.snapshot(), ""
        try:
            told(self.model)
        except RefusedError as error:
            self.model, expected = before, str(error)
        try:
            self.runner.run(self.hall.run(command, who))
            actual = ""
        except DomainError as error:
            actual = error.code
        assert actual == expected, f"{command} by {who}: the model says {expected or 'yes'}, not {actual or 'yes'}"
        return not actual

    def slot(self, title: str, number: int) -> datetime:
        """One of the next slots of a calendar, now and then one that is gone by or too far."""
        grid = self.model.grid[title]
        coming = sum(start < self.model.now for start in grid)
        return grid[max(0, coming + (-1 if number == 30 else number % 5))]

    def some(self, number: int, *states: str) -> int | None:
        found = [place for place, row in enumerate(self.model.rows) if row.state in states]
        return found[number % len(found)] if found else None

    def number_of(self, row: Row) -> int:
        """The database's id of a row of the model."""
        return next(each.id for each in reversed(self.seen.rows) if _key(each) == row.key())

    def manager(self, row: Row) -> str:
        return OWNERS.get(row.room.title, OFFICER)

    # --- members

    @rule(who=people(), title=titles(), number=numbers(), party=parties())
    def hold(self, who: str, title: str, number: int, party: int) -> None:
        room, start = self.model.rooms[title], self.slot(title, number)
        command = c.Hold(service=room.service, offering_id=self.hall.rooms[title], starts_at=start, party=party)
        self.step(lambda model: model.hold(who, model.rooms[title], start, party), command, who)

    @rule(who=people(), title=titles(), number=numbers(), party=parties())
    def book(self, who: str, title: str, number: int, party: int) -> None:
        self.book_at(who, title, self.slot(title, number), party)

    def book_at(self, who: str, title: str, start: datetime, party: int) -> None:
        command = self._booking(title, start, party)
        self.step(lambda model: model.book(who, model.rooms[title], start, party), command, who)

    @_if_any("held")
    @rule(number=numbers())
    def confirm(self, number: int) -> None:
        """A hold is confirmed, in time or not."""
        place = self.some(number, "held")
        assert place is not None
        held = self.model.rows[place]
        self.book_at(held.member, held.room.title, held.start, held.party)

    @rule(who=people(), number=st.integers(0, 3))
    def book_counselling(self, who: str, number: int) -> None:
        """What most people want, and of which there is least."""
        self.book_at(who, ("何医生", "高老师")[number % 2], self.slot("何医生", number), 1)

    def _booking(self, title: str, start: datetime, party: int) -> c.Book:
        service = CALENDARS[title][0]
        return c.Book(
            service=service,
            offering_id=self.hall.rooms[title],
            starts_at=start,
            party=party,
            confidential={"note": SECRET},
            consent=CONSENT if service == "counseling" else {},
        )

    @_if_any("held")
    @rule(number=numbers())
    def release(self, number: int) -> None:
        place = self.some(number, "held")
        assert place is not None
        held = self.model.rows[place]
        service, who = held.room.service, held.member
        self.step(lambda model: model.release(who, service), c.Release(service=service), who)

    @_if_any("booked", "pending")
    @rule(number=numbers())
    def cancel(self, number: int) -> None:
        self.call_off(number, by_owner=False)

    @_if_any("booked", "pending")
    @rule(number=numbers())
    def cancel_as_owner(self, number: int) -> None:
        self.call_off(number, by_owner=True)

    def call_off(self, number: int, *, by_owner: bool) -> None:
        place = self.some(number, "booked", "pending")
        assert place is not None
        row = self.model.rows[place]
        who = self.manager(row) if by_owner else row.member
        if row.member in self.model.left and not by_owner:
            return
        command = c.Cancel(appointment_id=self.number_of(row))
        self.step(lambda model: model.cancel(model.rows[place], by_owner=by_owner), command, who)

    @_if_any("booked", "pending")
    @rule(number=numbers(), to=numbers(), title=titles(), by_owner=st.booleans())
    def move(self, number: int, to: int, title: str, by_owner: bool) -> None:
        place = self.some(number, "booked", "pending")
        assert place is not None
        row = self.model.rows[place]
        if CALENDARS[title][0] != row.room.service:
            title = row.room.title
        if row.member in self.model.left and not by_owner:
            return
        start = self.slot(title, to)
        who = self.manager(row) if by_owner else row.member
        command = c.Move(appointment_id=self.number_of(row), offering_id=self.hall.rooms[title], starts_at=start)
        self.step(
            lambda model: model.move(model.rows[place], model.rooms[title], start, by_owner=by_owner), command, who
        )

    # --- the waitlist

    @rule(who=people(), title=titles(), number=numbers(), slots=st.integers(1, 4), party=parties())
    def wait(self, who: str, title: str, number: int, slots: int, party: int) -> None:
        low = self.slot(title, number % 3)
        self.join(
            who,
            Wait(service=CALENDARS[title][0], member=who, low=low, high=low + timedelta(hours=12 * slots), party=party),
        )

    @_if_any("booked", "pending")
    @rule(people=st.permutations(_PEOPLE), number=numbers())
    def two_wait_for_what_another_has(self, people: list[str], number: int) -> None:
        place = self.some(number, "booked", "pending")
        assert place is not None
        row = self.model.rows[place]
        for who in [who for who in people if who != row.member][:2]:
            high = row.start + timedelta(minutes=1)
            titles = (row.room.title,)
            self.join(who, Wait(service=row.room.service, member=who, low=row.start, high=high, party=1, titles=titles))

    def join(self, who: str, place: Wait) -> None:
        private = place.service == "counseling"
        place.party = 1 if private else place.party
        command = c.JoinWaitlist(
            service=place.service,
            window_start=place.low,
            window_end=place.high,
            titles=list(place.titles),
            party=place.party,
            confidential={"note": SECRET},
            consent=CONSENT if private else {},
        )
        self.step(lambda model: model.wait(place), command, who)

    @precondition(lambda self: any(wait.state == "waiting" for wait in self.model.waits))
    @rule(number=numbers())
    def leave_list(self, number: int) -> None:
        places = [place for place, wait in enumerate(self.model.waits) if wait.state == "waiting"]
        place = places[number % len(places)]
        command = c.LeaveWaitlist(waiting_id=self.seen.waits[place].id)
        self.step(lambda model: model.leave_list(model.waits[place]), command, self.model.waits[place].member)

    @_if_any("offered")
    @rule(number=numbers(), accepted=st.booleans())
    def answer(self, number: int, accepted: bool) -> None:
        place = self.some(number, "offered")
        assert place is not None
        row = self.model.rows[place]
        kind = c.AcceptOffer if accepted else c.DeclineOffer
        command = kind(appointment_id=self.number_of(row))
        self.step(lambda model: model.answer(model.rows[place], accepted=accepted), command, row.member)

    # --- officers and counsellors

    @_if_any("pending")
    @rule(number=numbers(), approved=st.booleans())
    def decide(self, number: int, approved: bool) -> None:
        place = self.some(number, "pending")
        assert place is not None
        number = self.number_of(self.model.rows[place])
        command = c.Approve(appointment_id=number) if approved else c.Refuse(appointment_id=number, reason="人太多")
        self.step(lambda model: model.decide(model.rows[place], approved=approved), command, OFFICER)

    @precondition(lambda self: len(self.model.closed) < 2)
    @rule(title=titles(), number=numbers(), hours=st.sampled_from((1, 3, 26)))
    def take_leave(self, title: str, number: int, hours: int) -> None:
        low = self.slot(title, number)
        high = low + timedelta(hours=hours)
        command = c.Block(offering_id=self.hall.rooms[title], start=low, end=high, reason="年假")
        who = OWNERS.get(title, OFFICER)
        self.step(lambda model: model.close(model.rooms[title], low, high), command, who)

    @_if_any("booked")
    @rule(number=numbers(), weeks=st.integers(1, 3))
    def fix_series(self, number: int, weeks: int) -> None:
        place = self.some(number, "booked")
        assert place is not None
        row = self.model.rows[place]
        if row.room.service != "counseling":
            return
        command = c.FixSeries(appointment_id=self.number_of(row), weeks=weeks)
        self.step(lambda model: model.series(model.rows[place], weeks, 8), command, self.manager(row))

    @precondition(lambda self: len(self.model.left) < 2)
    @rule(who=people())
    def leave_the_university(self, who: str) -> None:
        self.model.left.add(who)
        self.runner.run(self.hall.change(Member, self.hall.people[who], status="left"))
        self._sweep()

    # --- time

    @rule(minutes=st.sampled_from((3, 12, 65, 125, 60 * 9)), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:
        self.model.now += timedelta(minutes=minutes)
        self.hall.pass_time(minutes=minutes)
        if swept:
            self._sweep()

    @_if_any("booked", "pending")
    @rule(number=numbers(), minutes=st.sampled_from((0, 30, 60, 119)))
    def an_appointment_comes_near(self, number: int, minutes: int) -> None:
        place = self.some(number, "booked", "pending")
        assert place is not None
        moment = self.model.rows[place].start - timedelta(minutes=minutes)
        self.hall.now = self.model.now = max(moment, self.model.now)

    def _sweep(self) -> None:
        self.model.sweep()
        self.runner.run(self.hall.sweep())
        lapsed = Appointment.expires_at <= self.hall.now
        assert not self.runner.run(self.hall.all(Appointment, lapsed)), "something outlived its time"

    # --- what holds after every step

    @invariant()
    def as_the_model_says(self) -> None:
        if not hasattr(self, "hall"):
            return
        self.seen = seen = self.runner.run(_look(self.hall))
        kept = [row for row in seen.rows if row.state in KEEPING]
        found, told = Counter(map(_key, kept)), Counter(row.key() for row in self.model.kept())
        assert found == told, f"the database holds {found - told} beside, and lacks {told - found}"
        assert [row.state for row in seen.waits] == [wait.state for wait in self.model.waits]
        _check_seats(kept, seen.seats)
        self._check_reminders(seen)
        # nothing confidential is kept after the end
        assert all(not row.confidential for row in seen.rows if row.state not in KEEPING)
        assert all(not wait.confidential for wait in seen.waits if wait.state not in ("waiting", "offered"))
        # one open counselling booking each, beside what the counsellor fixed
        own = Counter(row.member_id for row in kept if row.service == "counseling" and row.series_id is None)
        offered = Counter(row.member_id for row in kept if row.service == "counseling" and row.state == "offered")
        assert all(count - offered[member] <= 1 and offered[member] <= 1 for member, count in own.items())
        # who can answer something can answer it about a record that waits for it
        state = {row.subject: row.state for row in seen.rows}
        pending = {row.request for row in seen.rows if row.state == "pending"}
        assert all(name in pending or state.get(name) in ("offered", "done") for name in seen.questions)
        assert pending <= set(seen.questions)

    def _check_reminders(self, seen: Seen) -> None:
        """Exactly those that were still to come when it was booked, moved or approved; none for anything else."""
        since = {row.key(): row.since for row in self.model.rows if row.state == "booked"}
        wanted = Counter(
            (row.subject, due)
            for row in seen.rows
            if row.state == "booked"
            for minutes in self.model.rules[row.service].reminders
            if (due := row.starts_at - timedelta(minutes=minutes)) > (since[_key(row)] or NOW)
        )
        assert seen.reminders == wanted


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the database holds after a step."""

    rows: Sequence[Appointment]
    waits: Sequence[Waiting]
    seats: Sequence[Seat]
    reminders: Counter[tuple[str, datetime]]
    questions: Sequence[str]


async def _look(hall: Hall) -> Seen:
    async with hall.database.read() as session:

        async def every(query: Any) -> list[Any]:
            return list((await session.execute(query)).unique().scalars())

        reminders: Counter[tuple[str, datetime]] = Counter()
        future = select(Outgoing).where(Outgoing.state == "queued", Outgoing.subject.like("appointment:%"))
        for row in await every(future):
            if hall.vault.open(row.content, about="outgoing")["parts"][0][0].startswith("notices.remind"):
                reminders[row.subject, row.due_at] += 1
        return Seen(
            rows=await every(select(Appointment).order_by(Appointment.id)),
            waits=await every(select(Waiting).order_by(Waiting.id)),
            seats=await every(select(Seat)),
            reminders=reminders,
            questions=await every(select(Prompt.subject).where(Prompt.closed_at.is_(None))),
        )


def _check_seats(kept: Sequence[Appointment], seats: Sequence[Seat]) -> None:
    """Each has its seats and nobody else has any; never more people than a room takes."""
    held = Counter((seat.appointment_id, seat.offering_id, seat.starts_at) for seat in seats)
    assert held == {
        (row.id, row.offering_id, row.starts_at): spec_of(row.offering).seats_for(row.party) for row in kept
    }
    for row in kept:
        spec = spec_of(row.offering)
        beside = [
            other
            for other in kept
            if other.offering_id == row.offering_id and other.starts_at < row.ends_at and row.starts_at < other.ends_at
        ]
        assert len(beside) == 1 or (spec.shared and sum(other.party for other in beside) <= spec.capacity)


def _key(row: Appointment) -> tuple[object, ...]:
    return row.offering.title, local(row.starts_at), row.member.name, row.party, row.state


TestBookings = Bookings.TestCase
TestBookings.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
