"""What falls due by itself: the end, what is kept and for how long, who left, and what a sweep costs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from actions.appointments import commands as c
from actions.appointments.tables import Appointment, Waiting
from actions.blocks.consent import Consent
from actions.core.tables import Member, Outgoing, Prompt
from tests.appointments.world import MEMBERS, NOW, SECRET, THURSDAY, WEDNESDAY, moment

if TYPE_CHECKING:
    from tests.appointments.world import Hall

ME, OTHER, THIRD = MEMBERS[:3]
AT_TWO = moment(WEDNESDAY, 14)
A_SWEEP = 12


async def test_at_its_end_an_appointment_is_over(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET})
    hall.now = AT_TWO + timedelta(minutes=49)
    assert await hall.sweep() == 0
    hall.pass_time(minutes=1)
    assert await hall.sweep() == 1
    row = await hall.appointment(number)
    assert (row.state, row.confidential, row.limit_key, await hall.seats()) == ("done", "", None, 0)
    assert await hall.reminders(number) == []
    assert await hall.sweep() == 0


async def test_holds_leave_nothing_behind(hall: Hall):
    await hall.hold(ME, "何医生", AT_TWO)
    hall.pass_time(minutes=9, seconds=59)
    await hall.sweep()
    assert list((await hall.states()).values()) == ["held"]
    hall.pass_time(seconds=1)
    await hall.sweep()
    assert (await hall.states(), await hall.seats()) == ({}, 0)


async def test_with_nothing_due_a_sweep_is_a_handful_of_queries(hall: Hall, count_queries):
    assert await count_queries(hall, hall.sweep()) <= A_SWEEP
    for place, who in enumerate(MEMBERS):
        await hall.book(
            who, "瑜伽室" if place % 2 else "多功能室", moment(WEDNESDAY, 14 + place % 2) + timedelta(days=place)
        )
    await hall.hold("何医生", "高老师", AT_TWO)
    assert await count_queries(hall, hall.sweep()) <= A_SWEEP


async def test_a_long_waitlist_costs_no_more_than_a_short_one(hall: Hall, count_queries):
    for hour in (14, 15):
        await hall.book({14: "何医生", 15: "赵磊"}[hour], "瑜伽室", moment(WEDNESDAY, hour))
    window = (AT_TWO, moment(WEDNESDAY, 16))
    await hall.wait(ME, "health_room", *window, titles=["瑜伽室"])
    one = await count_queries(hall, hall.sweep())
    for who in MEMBERS[1:]:
        await hall.wait(who, "health_room", *window, titles=["瑜伽室"])
    assert await hall.waits() == ["waiting"] * len(MEMBERS)
    assert await count_queries(hall, hall.sweep()) == one


async def test_records_are_deleted_past_their_time(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    await hall.run(c.FixSeries(appointment_id=number, weeks=1), "何医生")
    gone = await hall.book(OTHER, "高老师", AT_TWO)
    await hall.run(c.Cancel(appointment_id=gone), OTHER)
    room = await hall.book(THIRD, "瑜伽室", AT_TWO)
    await hall.wait(THIRD, "counseling", moment(WEDNESDAY, 1), moment(WEDNESDAY, 13))
    hall.now = moment(THURSDAY, 9) + timedelta(days=8)
    await hall.sweep()
    assert await hall.states() == {number: "done", number + 1: "done", gone: "cancelled", room: "done"}
    hall.now = AT_TWO + timedelta(days=365, minutes=50)
    await hall.sweep()
    assert number in await hall.states()
    hall.pass_time(seconds=1)
    await hall.sweep()
    (series, kept) = await hall.all(Appointment)
    assert (series.id, series.series_id, kept.id) == (number + 1, None, room)  # rooms have no such rule
    assert await hall.all(Waiting) == []
    assert [row.member_id for row in await hall.all(Consent)] == [hall.people[ME]]
    hall.pass_time(days=8)
    await hall.sweep()
    assert (len(await hall.all(Appointment)), await hall.all(Consent), await hall.all(Prompt)) == (1, [], [])


async def test_who_is_still_expected_is_not_forgotten(hall: Hall):
    await hall.book(ME, "何医生", AT_TWO)
    await hall.change(Consent, 1, given_at=NOW - timedelta(days=800))
    await hall.sweep()
    assert len(await hall.all(Consent)) == 1


async def test_who_left_keeps_nothing(hall: Hall):
    booked = await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET})
    asked = await hall.book(ME, "多功能室", moment(THURSDAY, 14), party=30)
    await hall.hold(ME, "阅览室", moment(WEDNESDAY, 15))
    await hall.wait(ME, "counseling", moment(THURSDAY, 15), moment(THURSDAY, 16), titles=["高老师"])
    await hall.wait(ME, "health_room", moment(WEDNESDAY, 1), moment(WEDNESDAY, 2))
    await hall.change(Member, hall.people[ME], status="left")
    await hall.sweep()
    states = await hall.states()
    assert (states[booked], states[asked], sorted(states.values())) == (
        "cancelled",
        "cancelled",
        ["cancelled", "cancelled", "expired"],
    )
    assert (await hall.waits(), await hall.seats(), await hall.all(Consent)) == (["left", "left"], 0, [])
    waiting = await hall.all(Outgoing, Outgoing.state == "queued", Outgoing.member_id == hall.people[ME])
    assert waiting == []
    assert await hall.told("何医生") == ["notices.owner_booked", "notices.owner_cancelled"]
    assert all(not row.confidential for row in await hall.all(Waiting))


async def test_what_who_left_gives_up_goes_to_who_waits(hall: Hall):
    await hall.book(ME, "何医生", AT_TWO)
    await hall.wait(OTHER, "counseling", AT_TWO, moment(WEDNESDAY, 15), titles=["何医生"])
    await hall.change(Member, hall.people[ME], status="left")
    await hall.sweep()
    assert await hall.told(OTHER) == ["notices.offer"]
