"""Many at once for what is scarce: the database holds no more than there is, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from actions.appointments import commands as c
from actions.appointments.tables import KEEPING, Appointment, Seat
from actions.blocks.consent import Consent
from actions.core.errors import DomainError
from actions.core.offerings import CancelOffering, CloseOffering
from actions.core.tables import Member
from tests.appointments.world import CONSENT, OFFICER, THURSDAY, TUESDAY, WEDNESDAY, moment

if TYPE_CHECKING:
    from actions.core.commands import Command
    from tests.appointments.world import Hall

CROWD = tuple(f"同事{number}" for number in range(16))


@pytest.fixture
async def crowded(racing: Hall) -> Hall:
    """The hall with a crowd in it."""
    async with racing.database.write() as session:
        people = [Member(staff_id=f"2020{number:04}", name=name) for number, name in enumerate(CROWD)]
        session.add_all(people)
        await session.flush()
        racing.people |= {person.name: person.id for person in people}
    return racing


def booking(hall: Hall, title: str, start, **more) -> c.Book:
    service = hall.service_of(title)
    consent = CONSENT if service == "counseling" else {}
    return c.Book(service=service, offering_id=hall.rooms[title], starts_at=start, consent=consent, **more)


async def race(hall: Hall, *attempts: tuple[str, Command]) -> Counter[str]:
    """All at once; how many were done ("") or refused, by code. Anything but a refusal is a fault."""

    async def attempt(who: str, command: Command) -> str:
        try:
            await hall.run(command, who)
        except DomainError as error:
            return error.code
        return ""

    return Counter(await asyncio.gather(*(attempt(who, command) for who, command in attempts)))


async def test_one_slot_goes_to_one(crowded: Hall):
    command = booking(crowded, "何医生", moment(WEDNESDAY, 14))
    told = await race(crowded, *((who, command) for who in CROWD))
    assert told == {"": 1, "slot_taken": len(CROWD) - 1}
    (row,) = await crowded.all(Appointment)
    assert (row.state, await crowded.seats(), len(await crowded.reminders(row.id))) == ("booked", 1, 2)


async def test_holds_and_bookings_race_alike(crowded: Hall):
    start = moment(WEDNESDAY, 14)
    held = c.Hold(service="counseling", offering_id=crowded.rooms["何医生"], starts_at=start)
    book = booking(crowded, "何医生", start)
    told = await race(crowded, *((who, held if place % 2 else book) for place, who in enumerate(CROWD)))
    assert told == {"": 1, "slot_taken": len(CROWD) - 1}
    assert len(await crowded.all(Seat)) == 1


async def test_a_shared_room_seats_no_more_than_it_has(crowded: Hall):
    command = booking(crowded, "阅览室", moment(WEDNESDAY, 14), party=2)
    told = await race(crowded, *((who, command) for who in CROWD))
    assert told == {"": 3, "slot_taken": len(CROWD) - 3}
    assert sorted(seat.number for seat in await crowded.all(Seat)) == [1, 2, 3, 4, 5, 6]


async def test_one_open_booking_each(crowded: Hall):
    slots = [
        (title, moment(day, hour)) for title in ("何医生", "高老师") for day in (TUESDAY, THURSDAY) for hour in (14, 15)
    ]
    told = await race(crowded, *(("林一帆", booking(crowded, title, start)) for title, start in slots))
    assert told == {"": 1, "one_open_booking": len(slots) - 1}
    assert (await crowded.seats(), len(await crowded.all(Consent))) == (1, 1)


async def test_nobody_is_in_two_places(crowded: Hall):
    start = moment(WEDNESDAY, 14)
    commands = [booking(crowded, title, start) for title in ("何医生", "多功能室", "阅览室", "瑜伽室")]
    told = await race(crowded, *(("林一帆", command) for command in commands))
    assert told == {"": 1, "own_clash": 3}


async def test_an_offer_is_accepted_once(crowded: Hall):
    start = moment(WEDNESDAY, 14)
    number = await crowded.book("王敏", "何医生", start)
    await crowded.wait("林一帆", "counseling", start, moment(WEDNESDAY, 15), titles=["何医生"])
    await crowded.run(c.Cancel(appointment_id=number), "王敏")
    (offer,) = await crowded.all(Appointment, Appointment.state == "offered")
    answers = [c.AcceptOffer(appointment_id=offer.id)] * 4 + [c.DeclineOffer(appointment_id=offer.id)] * 4
    told = await race(crowded, *(("林一帆", answer) for answer in answers))
    assert told == {"": 1, "offer_gone": 7}
    row = await crowded.appointment(offer.id)
    booked = row.state == "booked"
    assert (row.state, await crowded.waits()) in (("booked", ["accepted"]), ("expired", ["declined"]))
    assert (await crowded.seats(), len(await crowded.reminders(offer.id))) == ((1, 2) if booked else (0, 0))


async def test_a_request_is_decided_once(crowded: Hall):
    number = await crowded.book("林一帆", "多功能室", moment(WEDNESDAY, 14), party=30)
    answers = [c.Approve(appointment_id=number), c.Refuse(appointment_id=number, reason="要检修")] * 4
    told = await race(crowded, *((OFFICER, answer) for answer in answers))
    assert told == {"": 1, "already_decided": 7}
    row = await crowded.appointment(number)
    assert row.state in ("booked", "refused")
    assert await crowded.seats() == (row.state == "booked")
    assert await crowded.told("林一帆", "notices.approved") + await crowded.told("林一帆", "notices.refused") == [
        "notices.approved" if row.state == "booked" else "notices.refused"
    ]


async def test_a_slot_that_becomes_free_is_offered_once(crowded: Hall):
    """Whoever waits longest gets it, though others ask for it in the same moment."""
    start = moment(WEDNESDAY, 14)
    number = await crowded.book("王敏", "何医生", start)
    for who in CROWD[:3]:
        await crowded.wait(who, "counseling", start, moment(WEDNESDAY, 15), titles=["何医生"])
    grabs = [(who, booking(crowded, "何医生", start)) for who in CROWD[3:]]
    told = await race(crowded, *grabs[:6], ("王敏", c.Cancel(appointment_id=number)), *grabs[6:])
    assert told == {"": 1, "slot_taken": len(CROWD) - 3}
    (row,) = await crowded.all(Appointment, Appointment.state.in_(KEEPING))
    assert (row.state, row.member.name) == ("offered", CROWD[0])
    assert await crowded.waits() == ["offered", "waiting", "waiting"]


async def test_moving_and_cancelling_at_once_leaves_no_seat_behind(crowded: Hall):
    number = await crowded.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    target = c.Move(appointment_id=number, offering_id=crowded.rooms["高老师"], starts_at=moment(THURSDAY, 14))
    told = await race(crowded, *[("林一帆", target), ("林一帆", c.Cancel(appointment_id=number))] * 3)
    # One cancels, and none moves after it; who moves to where it is already has moved.
    assert 1 <= told[""] <= 4
    assert ((await crowded.appointment(number)).state, await crowded.seats()) == ("cancelled", 0)
    assert await crowded.reminders(number) == []


async def test_a_move_that_is_made_already_tells_nobody_again(crowded: Hall):
    """However many of the same moves arrive at once: who answers for the calendar is told of one."""
    number = await crowded.book("林一帆", "何医生", moment(WEDNESDAY, 14))
    target = c.Move(appointment_id=number, offering_id=crowded.rooms["何医生"], starts_at=moment(THURSDAY, 14))
    await crowded.run(target, "林一帆")
    before = [row.id for row, _key, _params in await crowded.queued("notices.owner_", ever=True)]
    assert [key for _row, key, _params in await crowded.queued("notices.owner_", ever=True)].count(
        "notices.owner_moved"
    ) == 1
    assert await race(crowded, *[("林一帆", target)] * 5) == {"": 5}
    assert [row.id for row, _key, _params in await crowded.queued("notices.owner_", ever=True)] == before
    assert ((await crowded.appointment(number)).state, await crowded.seats()) == ("booked", 1)


@pytest.mark.parametrize("ends", ["block", "cancel"])
async def test_nothing_is_booked_in_a_calendar_that_closes(crowded: Hall, ends: str):
    room = crowded.rooms["阅览室"]
    close: Command = CancelOffering(offering_id=room)
    if ends == "block":
        close = c.Block(offering_id=room, start=moment(WEDNESDAY, 0), end=moment(THURSDAY, 0), reason="检修")
    commands = [booking(crowded, "阅览室", moment(WEDNESDAY, 14 + place % 2)) for place in range(len(CROWD))]
    attempts = list(zip(CROWD, commands, strict=True))
    told = await race(crowded, *attempts[:8], (OFFICER, close), *attempts[8:])
    booked = await crowded.all(Appointment)
    assert told[""] + told["slot_taken"] == len(CROWD) + 1
    assert len(booked) == told[""] - 1
    assert {row.state for row in booked} <= {"cancelled"}
    assert await crowded.seats() == 0


async def test_a_closed_calendar_takes_no_more(crowded: Hall):
    command = booking(crowded, "阅览室", moment(WEDNESDAY, 14))
    attempts = [(who, command) for who in CROWD]
    close = (OFFICER, CloseOffering(offering_id=crowded.rooms["阅览室"]))
    await race(crowded, *attempts[:3], close, *attempts[3:6])
    assert await race(crowded, *attempts[6:9]) == {"slot_taken": 3}


async def test_everybody_does_everything_and_nobody_waits_for_ever(crowded: Hall):
    """Members take several calendars in every order, while the clock sweeps and counsellors take leave."""
    rooms = list(crowded.rooms)
    for _round in range(3):
        attempts: list[tuple[str, Command]] = []
        for place, who in enumerate(CROWD):
            for title in rooms[place % 3 :] + rooms[: place % 3]:
                start = moment(WEDNESDAY if place % 2 else THURSDAY, 14 + place % 2)
                attempts.append((who, booking(crowded, title, start)))
        kept = await crowded.all(Appointment, Appointment.state == "booked")
        attempts += [(row.member.name, c.Cancel(appointment_id=row.id)) for row in kept]
        low = moment(TUESDAY, 14)
        attempts.append(("何医生", c.Block(offering_id=crowded.rooms["何医生"], start=low, end=moment(TUESDAY, 15))))
        waits = [crowded.sweep() for _sweep in range(3)]
        await asyncio.gather(race(crowded, *attempts), *waits)
    kept = await crowded.all(Appointment, Appointment.state.in_(KEEPING))
    seats = Counter(seat.appointment_id for seat in await crowded.all(Seat))
    assert set(seats) == {row.id for row in kept}
    assert (
        max(Counter((seat.offering_id, seat.starts_at, seat.number) for seat in await crowded.all(Seat)).values()) == 1
    )
