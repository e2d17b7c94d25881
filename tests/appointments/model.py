"""What the life appointment does, told in lists: slow, plain, and with no database."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEEPING = ("held", "offered", "pending", "booked")


class RefusedError(Exception):
    """The model says no, for this reason."""


def refuse_if(condition: object, code: str) -> None:
    """Raises RefusedError."""
    if condition:
        raise RefusedError(code)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What differs between the two services; times in minutes."""

    name: str
    minutes: int
    notice: int
    limit: int
    offer: int
    one: bool
    approval: int
    reminders: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Room:
    """A calendar: its place in the order, and whether many share it."""

    title: str
    service: str
    capacity: int
    shared: bool = False


@dataclass(kw_only=True)
class Row:
    """An appointment."""

    room: Room
    start: datetime
    member: str
    party: int
    state: str
    expires: datetime | None = None
    since: datetime | None = None
    root: Row | None = None
    wait: Wait | None = None

    def key(self) -> tuple[object, ...]:
        """What tells it from the others in the database."""
        return self.room.title, self.start, self.member, self.party, self.state


@dataclass(kw_only=True)
class Wait:
    """A place on the waitlist."""

    service: str
    member: str
    low: datetime
    high: datetime
    party: int
    titles: tuple[str, ...] = ()
    state: str = "waiting"


@dataclass(kw_only=True)
class Model:
    """The hall as the test believes it to be."""

    now: datetime
    horizon: int
    rules: dict[str, Rules]
    rooms: dict[str, Room]
    grid: dict[str, list[datetime]]
    rows: list[Row] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    closed: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    left: set[str] = field(default_factory=set)

    def snapshot(self) -> Model:
        """A copy to go back to where a command is refused; what never changes is shared."""
        fixed = {id(each): each for each in (self.rules, self.rooms, self.grid, *self.rooms.values())}
        return copy.deepcopy(self, fixed)

    # --- what there is

    def kept(self) -> list[Row]:
        return [row for row in self.rows if row.state in _KEEPING]

    def end(self, row: Row) -> datetime:
        return row.start + timedelta(minutes=self.rules[row.room.service].minutes)

    def mine(self, member: str, service: str) -> list[Row]:
        """Open bookings, requests and offers of a member, where a service allows one."""
        if not self.rules[service].one:
            return []
        found = [row for row in self.kept() if (row.member, row.room.service) == (member, service)]
        return sorted(
            (row for row in found if row.state != "held" and self.end(row) > self.now), key=lambda row: row.start
        )

    def clashes(self, member: str, service: str, start: datetime, *, but: Row | None = None, firm: str = "") -> bool:
        end = start + timedelta(minutes=self.rules[service].minutes)
        return any(
            row.member == member and row is not but and row.room.service != firm
            and row.start < end and start < self.end(row) and self.end(row) > self.now
            for row in self.kept()
        )  # fmt: skip

    def is_free(self, room: Room, start: datetime, party: int) -> bool:
        end = start + timedelta(minutes=self.rules[room.service].minutes)
        if start not in self.grid[room.title]:
            return False
        if any(title == room.title and start < high and low < end for title, low, high in self.closed):
            return False
        inside = [row for row in self.kept() if row.room is room and row.start == start]
        if room.shared:
            return sum(row.party for row in inside) + party <= room.capacity
        return not inside and party <= room.capacity

    def bookable(self, service: str, start: datetime) -> bool:
        rules = self.rules[service]
        return self.now + timedelta(minutes=rules.notice) <= start < self.now + timedelta(days=self.horizon)

    # --- what happens by itself

    def expire(self, service: str = "") -> None:
        for row in self.rows:
            if row.state == "booked" and self.end(row) <= self.now and service in ("", row.room.service):
                row.state = "done"
        for row in [row for row in self.rows if row.state in ("held", "offered", "pending")]:
            if service not in ("", row.room.service) or row.expires is None or row.expires > self.now:
                continue
            if row.state == "held":
                self.rows.remove(row)
            elif row.state == "offered":
                row.state = "expired"
                self._settle_wait(row, "expired")
            else:
                row.state = "refused"

    def _settle_wait(self, row: Row, state: str) -> None:
        if row.wait is not None and row.wait.state == "offered":
            row.wait.state = state

    def fill(self, service: str) -> None:
        """In the order of the list, each takes the first slot that they can have."""
        rules = self.rules[service]
        for wait in self.waits:
            if (wait.service, wait.state) != (service, "waiting") or wait.high <= self.now or wait.member in self.left:
                continue
            if not self.may_replace(self.mine(wait.member, service)):
                continue
            first = next(self._openings(wait, firm=service if rules.one else ""), None)
            if first is None:
                continue
            room, start = first
            wait.state = "offered"
            expires = min(self.now + timedelta(minutes=rules.offer), start)
            offer = Row(room=room, start=start, member=wait.member, party=wait.party, state="offered", expires=expires)
            offer.wait = wait
            self.rows.append(offer)

    def may_replace(self, own: list[Row]) -> bool:
        if not own:
            return True
        only = own[0]
        limit = timedelta(minutes=self.rules[only.room.service].limit)
        in_time = only.state == "pending" or self.now <= only.start - limit
        return len(own) == 1 and only.state in ("booked", "pending") and only.root is None and in_time

    def _openings(self, wait: Wait, firm: str) -> Iterator[tuple[Room, datetime]]:
        order = list(self.rooms.values())
        times = [(start, order.index(room), room) for room in order if room.service == wait.service
                 for start in self.grid[room.title]]  # fmt: skip
        for start, _place, room in sorted(times, key=lambda item: item[:2]):
            named = not wait.titles or room.title in wait.titles
            fits = named and wait.low <= start < wait.high and self.bookable(wait.service, start)
            busy = self.clashes(wait.member, wait.service, start, firm=firm)
            if fits and not busy and self.is_free(room, start, wait.party):
                yield room, start

    def settle(self, service: str) -> None:
        self.expire(service)
        self.fill(service)

    def sweep(self) -> None:
        self.expire()
        self._let_go()
        for wait in self.waits:
            soonest = self.now + timedelta(minutes=self.rules[wait.service].notice)
            if wait.state == "waiting" and wait.member in self.left:
                wait.state = "left"
            elif wait.state == "waiting" and wait.high <= soonest:
                wait.state = "over"
        for service in self.rules:
            self.fill(service)

    def _let_go(self) -> None:
        for row in [row for row in self.kept() if row.member in self.left]:
            if row.state == "held":
                self.rows.remove(row)
                continue
            self._settle_wait(row, "left")
            row.state = "expired" if row.state == "offered" else "cancelled"

    # --- what is asked for

    def drop_holds(self, member: str, service: str) -> bool:
        held = [row for row in self.rows if (row.member, row.room.service, row.state) == (member, service, "held")]
        for row in held:
            self.rows.remove(row)
        return bool(held)

    def hold(self, member: str, room: Room, start: datetime, party: int) -> Row:
        self.settle(room.service)
        return self._hold(member, room, start, party)

    def _hold(self, member: str, room: Room, start: datetime, party: int) -> Row:
        refuse_if(member in self.left, "forbidden")
        if self.drop_holds(member, room.service):
            self.fill(room.service)
        self.refuse_second(member, room.service)
        refuse_if(self.clashes(member, room.service, start), "own_clash")
        refuse_if(party > room.capacity, "party_too_large")
        free = self.bookable(room.service, start) and self.is_free(room, start, party)
        refuse_if(not free, "slot_taken")
        row = Row(room=room, start=start, member=member, party=party, state="held")
        row.expires = self.now + timedelta(minutes=10)
        self.rows.append(row)
        return row

    def refuse_second(self, member: str, service: str) -> None:
        own = self.mine(member, service)
        refuse_if(any(row.state == "offered" for row in own), "offer_waits")
        refuse_if(own, "one_open_booking")

    def book(self, member: str, room: Room, start: datetime, party: int) -> Row:
        self.settle(room.service)
        refuse_if(member in self.left, "forbidden")
        wanted = (room.title, start, member, party, "held")
        row = next((row for row in self.rows if row.key() == wanted), None)
        if row is None:
            row = self._hold(member, room, start, party)
        self.enter(row)
        return row

    def enter(self, row: Row) -> None:
        pending = row.party > self.rules[row.room.service].approval
        row.state = "pending" if pending else "booked"
        row.expires = row.start if pending else None
        row.since = self.now

    def release(self, member: str, service: str) -> None:
        refuse_if(member in self.left, "forbidden")
        if self.drop_holds(member, service):
            self.fill(service)

    def _changeable(self, row: Row) -> None:
        over = {"pending": row.start, "booked": self.end(row)}.get(row.state)
        refuse_if(over is None or over <= self.now, "not_found")

    def _in_time(self, row: Row) -> None:
        limit = timedelta(minutes=self.rules[row.room.service].limit)
        refuse_if(row.state == "booked" and self.now > row.start - limit, "too_late_to_cancel")

    def cancel(self, row: Row, *, by_owner: bool) -> None:
        self._changeable(row)
        if not by_owner:
            self._in_time(row)
        row.state = "cancelled"
        self.fill(row.room.service)

    def move(self, row: Row, room: Room, start: datetime, *, by_owner: bool) -> None:
        self._changeable(row)
        if not by_owner:
            self._in_time(row)
        self.settle(room.service)
        refuse_if(self.clashes(row.member, room.service, start, but=row), "own_clash")
        refuse_if(row.party > room.capacity, "party_too_large")
        state, row.state = row.state, "moving"
        free = self.bookable(room.service, start) and self.is_free(room, start, row.party)
        refuse_if(not free, "slot_taken")
        row.state, row.room, row.start, row.since = state, room, start, self.now
        row.expires = start if state == "pending" else None
        self.fill(room.service)

    def decide(self, row: Row, *, approved: bool) -> None:
        refuse_if(row.state != "pending" or row.start <= self.now, "already_decided")
        row.state, row.expires, row.since = ("booked" if approved else "refused"), None, self.now
        if not approved:
            self.fill(row.room.service)

    def wait(self, place: Wait) -> None:
        refuse_if(place.member in self.left, "forbidden")
        self.drop_holds(place.member, place.service)
        if not self.may_replace(self.mine(place.member, place.service)):
            self.refuse_second(place.member, place.service)
        rooms = [room for room in self.rooms.values() if room.service == place.service]
        largest = max(room.capacity for room in rooms if not place.titles or room.title in place.titles)
        refuse_if(place.party > largest, "party_too_large")
        for other in self.waits:
            if (other.member, other.service) == (place.member, place.service) and other.state in ("waiting", "offered"):
                for row in self.rows:
                    if row.wait is other and row.state == "offered":
                        row.state = "expired"
                other.state = "left"
        refuse_if(place.high <= self.now + timedelta(minutes=self.rules[place.service].notice), "window_past")
        self.waits.append(place)
        self.settle(place.service)

    def leave_list(self, wait: Wait) -> None:
        refuse_if(wait.member in self.left, "forbidden")
        refuse_if(wait.state != "waiting", "not_found")
        wait.state = "left"

    def answer(self, row: Row, *, accepted: bool) -> None:
        refuse_if(row.member in self.left, "forbidden")
        gone = row.state != "offered" or row.expires is None or row.expires <= self.now
        refuse_if(gone, "offer_gone")
        service = row.room.service
        if not accepted:
            row.state = "expired"
            self._settle_wait(row, "declined")
            self.fill(service)
            return
        if self.rules[service].one:
            self.drop_holds(row.member, service)
            own = [other for other in self.mine(row.member, service) if other is not row]
            if own:
                self._in_time(own[0])
                refuse_if(not self.may_replace(own), "one_open_booking")
                own[0].state = "cancelled"
        self._settle_wait(row, "accepted")
        self.enter(row)
        self.fill(service)

    def close(self, room: Room, low: datetime, high: datetime) -> None:
        self.closed.append((room.title, low, high))
        for row in [row for row in self.kept() if row.room is room and row.start < high]:
            if self.end(row) <= max(low, self.now):
                continue
            if row.state == "held":
                self.rows.remove(row)
            elif row.state == "offered":
                row.state = "expired"
                self._settle_wait(row, "waiting")
            else:
                row.state = "cancelled"
        self.settle(room.service)

    def series(self, row: Row, weeks: int, cap: int) -> None:
        refuse_if(row.state not in ("booked", "done"), "not_found")
        root = row.root or row
        others = [other for other in self.rows if other.root is root and other.state == "booked" and other is not row]
        open_ = sum(self.end(other) > self.now for other in others)
        refuse_if(weeks + open_ > cap, "series_too_long")
        made = 0
        for week in range(1, weeks + 1):
            start = row.start + timedelta(weeks=week)
            soonest = self.now + timedelta(minutes=self.rules[row.room.service].notice)
            if self.clashes(row.member, row.room.service, start) or start < soonest:
                continue
            if self.is_free(row.room, start, row.party):
                next_ = Row(room=row.room, start=start, member=row.member, party=row.party, state="booked")
                next_.root, next_.since = root, self.now
                self.rows.append(next_)
                made += 1
        refuse_if(not made, "series_full")
