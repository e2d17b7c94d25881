"""The life as the dialogue sees it: what a wish becomes, what is offered, what is held and committed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from actions.appointments import commands as c
from actions.appointments.tables import Appointment, Seat
from actions.core.commands import Actor
from actions.core.errors import DomainError
from actions.core.tables import Offering
from tests.appointments.world import (
    CALENDARS,
    CONSENT,
    MEMBERS,
    NOW,
    SECRET,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    catalogue,
    moment,
    open_hall,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from actions.core.life import Choice, Resolved
    from tests.appointments.world import Hall

ME = "林一帆"
ANY_FREE = [f"11月{day}日(周{name}){hour}:00" for day, name in ((24, "二"), (25, "三")) for hour in (14, 15)]


def span(low: datetime, high: datetime, **more: Any) -> dict[str, Any]:
    return {"start": low.isoformat(), "end": high.isoformat(), "kind": "span", "text": "", **more}


def day(which: date, **more: Any) -> dict[str, Any]:
    return span(moment(which, 0), moment(which + timedelta(days=1), 0), **more)


def point(at_: datetime) -> dict[str, Any]:
    return span(at_, at_, kind="point")


async def resolve(
    hall: Hall, values: Mapping[str, Any], *changed: str, service: str = "counseling", who: str = ME
) -> Resolved:
    async with hall.database.write() as session:
        context = hall.context(session, await hall.actor(session, who))
        return await hall.life.resolve(context, hall.catalogue[service], values, changed or tuple(values))


async def choices(
    hall: Hall, values: Mapping[str, Any], key: str, *, service: str = "counseling", who: str = ME
) -> tuple[Choice, ...]:
    async with hall.database.write() as session:
        context = hall.context(session, await hall.actor(session, who))
        return await hall.life.choices(context, hall.catalogue[service], values, key)


async def labels(hall: Hall, values: Mapping[str, Any], key: str, **more: Any) -> list[str]:
    return [choice.label for choice in await choices(hall, values, key, **more)]


async def hold(hall: Hall, values: Mapping[str, Any], *, service: str = "counseling", who: str = ME) -> dict[str, Any]:
    async with hall.database.write() as session:
        context = hall.context(session, await hall.actor(session, who))
        return {**values, **await hall.life.hold(context, hall.catalogue[service], values)}


async def begin(hall: Hall, service: str = "counseling", who: str = ME) -> Mapping[str, Any]:
    async with hall.database.write() as session:
        return await hall.life.begin(hall.context(session, await hall.actor(session, who)), hall.catalogue[service])


def refused(resolved: Resolved) -> list[tuple[str, str | None]]:
    return [(error.code, error.field) for error in resolved.refusals]


# --- the beginning


async def test_consent_is_asked_before_the_first_booking_alone(hall: Hall):
    assert await begin(hall) == {"first": True, "repeats": False}
    number = await hall.book(ME, "何医生", moment(WEDNESDAY, 14))
    with pytest.raises(DomainError, match="one_open_booking"):
        await begin(hall)
    await hall.run(c.Cancel(appointment_id=number), ME)
    assert await begin(hall) == {"first": False, "repeats": False}


async def test_clubs_may_repeat(hall: Hall):
    assert (await begin(hall, "health_room", "赵磊"))["repeats"] is True
    assert (await begin(hall, "health_room"))["repeats"] is False


async def test_an_offer_is_answered_before_anything_else_is_booked(hall: Hall):
    other = await hall.book("王敏", "何医生", moment(WEDNESDAY, 14))
    await hall.wait(ME, "counseling", moment(WEDNESDAY, 14), moment(WEDNESDAY, 15), titles=["何医生"])
    await hall.run(c.Cancel(appointment_id=other), "王敏")
    with pytest.raises(DomainError, match="offer_waits"):
        await begin(hall)
    hall.pass_time(hours=3)  # it has lapsed, though no sweep has seen it
    assert await begin(hall) == {"first": False, "repeats": False}


# --- times


async def test_a_point_that_is_free_is_taken(hall: Hall):
    resolved = await resolve(hall, {"time_wish": point(moment(WEDNESDAY, 14))})
    assert (resolved.values["time"], resolved.refusals) == (moment(WEDNESDAY, 14).isoformat(), ())


async def test_of_a_day_the_free_times_are_offered(hall: Hall):
    for title in ("何医生", "高老师"):
        await hall.book({"何医生": "王敏", "高老师": "陈静"}[title], title, moment(WEDNESDAY, 14))
    values = {"time_wish": day(WEDNESDAY)}
    assert "time" not in (await resolve(hall, values)).values
    assert await labels(hall, values, "time") == ["11月25日(周三)15:00"]


async def test_who_names_no_day_is_offered_the_next_days(hall: Hall):
    assert (await labels(hall, {}, "time"))[:4] == ["11月23日(周一)14:00", "11月23日(周一)15:00", *ANY_FREE[:2]]


async def test_a_clock_time_outlives_a_change_of_day(hall: Hall):
    resolved = await resolve(hall, {"time_wish": day(THURSDAY, clock="15:00")})
    assert resolved.values["time"] == moment(THURSDAY, 15).isoformat()


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (point(moment(TUESDAY - timedelta(days=4), 14)), "time_past"),
        (point(moment(TUESDAY - timedelta(days=1), 10)), "too_soon"),
        (span(NOW, NOW + timedelta(minutes=119)), "too_soon"),
        (point(moment(TUESDAY + timedelta(days=40), 14)), "beyond_horizon"),
        (day(TUESDAY + timedelta(days=4)), "closed_that_day"),  # a Saturday
        (point(moment(WEDNESDAY, 13)), "no_slot_then"),
        (span(moment(WEDNESDAY, 18), moment(WEDNESDAY, 24 - 1)), "no_slot_then"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_why_there_is_nothing(hall: Hall, wish: dict[str, Any], code: str):
    resolved = await resolve(hall, {"time_wish": wish})
    assert refused(resolved) == [(code, "time")]
    assert "time" not in resolved.values
    assert resolved.values["time_wish"]["text"] == ""  # the wish stays: the nearest times are offered


@pytest.mark.parametrize(("minutes", "free"), [(-1, False), (0, True), (1, True)])
async def test_the_edge_of_the_notice(hall: Hall, minutes: int, free: bool):
    hall.now = moment(WEDNESDAY, 12) - timedelta(minutes=minutes)
    resolved = await resolve(hall, {"time_wish": point(moment(WEDNESDAY, 14))})
    assert ("time" in resolved.values) is free


@pytest.mark.parametrize(("minutes", "free"), [(-1, False), (0, False), (1, True)])
async def test_the_edge_of_the_horizon(hall: Hall, minutes: int, free: bool):
    hall.now = moment(WEDNESDAY, 14) + timedelta(minutes=minutes)
    resolved = await resolve(hall, {"time_wish": point(moment(WEDNESDAY + timedelta(days=28), 14))})
    assert ("time" in resolved.values) is free


async def test_a_full_slot_leaves_the_nearest_and_the_waitlist(hall: Hall):
    await hall.book("王敏", "何医生", moment(WEDNESDAY, 14))
    await hall.book("陈静", "高老师", moment(WEDNESDAY, 14))
    resolved = await resolve(hall, {"time_wish": point(moment(WEDNESDAY, 14))})
    assert refused(resolved) == [("slot_full", "time")]
    offered = await labels(hall, resolved.values, "time")
    assert offered[0] == "11月25日(周三)15:00"  # of the day that was named


async def test_a_full_day_leaves_the_nearest_days_and_the_waitlist(hall: Hall):
    await _fill_up(hall, WEDNESDAY)
    resolved = await resolve(hall, {"time_wish": day(WEDNESDAY)})
    assert refused(resolved) == [("slot_full", "time")]
    offered = await choices(hall, resolved.values, "time")
    assert offered[-1].value == "waitlist"
    assert {choice.label[:9] for choice in offered[:-1]} == {"11月24日(周二", "11月26日(周四"}


async def _fill_up(hall: Hall, *days: date) -> None:
    """Rows that keep every slot of the counsellors."""
    slots = [
        (title, moment(each, hour)) for each in days for title in ("何医生", "高老师") for hour in (14, 15)
    ]  # fmt: skip
    async with hall.database.write() as session:
        for title, start in slots:
            end = start + timedelta(minutes=50)
            row = Appointment(service="counseling", offering_id=hall.rooms[title], member_id=hall.people["黄海涛"],
                              starts_at=start, ends_at=end, state="booked", created_at=NOW)  # fmt: skip
            session.add(row)
            await session.flush()
            session.add(Seat(offering_id=row.offering_id, starts_at=start, number=1, appointment_id=row.id))


async def test_with_everything_full_one_can_still_wait(hall: Hall):
    await _fill_up(hall, *(TUESDAY + timedelta(days=number) for number in range(-1, 30)))
    (only,) = await choices(hall, {}, "time")
    assert only.value == "waitlist"
    command = hall.life.commit(hall.catalogue["counseling"], {"time": "waitlist", **CONSENT})
    assert isinstance(command, c.JoinWaitlist)
    assert (await hall.run(command, ME)).wording == "appointments.waiting"
    assert await hall.waits() == ["waiting"]


async def test_without_a_waitlist_that_is_said(hall: Hall):
    hall = await open_hall(services=catalogue({"counseling": {"waitlist": False}}))
    await _fill_up(hall, *(TUESDAY + timedelta(days=number) for number in range(-1, 30)))
    with pytest.raises(DomainError, match="all_full"):
        await choices(hall, {}, "time")
    await hall.database.close()


async def test_what_clashes_with_one_s_own_is_not_offered(hall: Hall):
    await hall.book(ME, "瑜伽室", moment(WEDNESDAY, 14))
    assert await labels(hall, {"time_wish": day(WEDNESDAY)}, "time") == ["11月25日(周三)15:00"]
    resolved = await resolve(hall, {"time_wish": point(moment(WEDNESDAY, 14))})
    assert refused(resolved) == [("own_clash", "time")]


# --- calendars and choices


async def test_calendars_that_are_free_then_and_any(hall: Hall):
    start = moment(WEDNESDAY, 14)
    assert await labels(hall, {"time": start.isoformat()}, "counsellor") == ["何医生", "高老师", "都可以"]
    await hall.book("王敏", "何医生", start)
    assert await labels(hall, {"time": start.isoformat()}, "counsellor") == ["高老师"]
    avoiding = {"time": start.isoformat(), "counsellor_avoid": ["高老师"]}
    with pytest.raises(DomainError, match="slot_taken"):
        await choices(hall, avoiding, "counsellor")


async def test_who_is_avoided_is_not_taken(hall: Hall):
    resolved = await resolve(hall, {"counsellor_avoid": ["何医生"], "time_wish": point(moment(WEDNESDAY, 14))})
    assert resolved.values["counsellor"] == "any"
    held = await hold(hall, resolved.values)
    assert held["picked"] == "高老师"


async def test_who_was_chosen_and_is_now_avoided_goes(hall: Hall):
    values = {"counsellor": "何医生", "offering_id": 1, "counsellor_avoid": ["何医生"]}
    resolved = await resolve(hall, values, "counsellor_avoid")
    assert (resolved.values["counsellor"], "offering_id" in resolved.values) == ("any", False)


async def test_a_calendar_that_does_not_exist(hall: Hall):
    assert refused(await resolve(hall, {"counsellor": "王医生"})) == [("no_such_offering", "counsellor")]


async def test_what_a_calendar_does_not_allow_is_said_and_asked_anew(hall: Hall):
    values = {"counsellor": "何医生", "mode": "线下", "campus": "文昌校区", "time_wish": point(moment(WEDNESDAY, 14))}
    resolved = await resolve(hall, values)
    assert refused(resolved) == [("not_offered_here", "campus")]
    assert await labels(hall, resolved.values, "campus") == ["南湖校区"]
    assert resolved.values["time"] == moment(WEDNESDAY, 14).isoformat()


async def test_a_choice_narrows_the_calendars(hall: Hall):
    values = {"mode": "线下", "campus": "文昌校区", "time": moment(WEDNESDAY, 14).isoformat()}
    assert await labels(hall, values, "counsellor") == ["高老师"]
    online = {**values, "mode": "线上"}  # the campus is to the point no longer
    assert await labels(hall, online, "counsellor") == ["何医生", "高老师", "都可以"]
    command = hall.life.commit(hall.catalogue["counseling"], {**online, **CONSENT, "offering_id": 1})
    assert isinstance(command, c.Book)
    assert command.fields == {"mode": "线上"}


@pytest.fixture
async def two_campuses(hall: Hall) -> Hall:
    """多功能室 on both campuses, larger on one of them."""
    service, plain = CALENDARS["多功能室"]
    for room, (campus, capacity) in enumerate((("南湖校区", 60), ("文昌校区", 40))):
        spec = {**plain, "capacity": capacity, "allows": {"campus": [campus]}}
        if room == 0:
            await hall.change(Offering, hall.rooms["多功能室"], campus=campus, spec=spec)
            continue
        async with hall.database.write() as session:
            session.add(Offering(service=service, title="多功能室", campus=campus, spec=spec))
    return hall


async def test_a_room_on_two_campuses_is_one_choice_and_then_the_campus_is_asked(two_campuses: Hall):
    service = "health_room"
    rooms = await labels(two_campuses, {}, "room", service=service)
    assert rooms.count("多功能室") == 1
    assert await labels(two_campuses, {"room": "多功能室"}, "campus", service=service) == ["南湖校区", "文昌校区"]
    values = {"room": "多功能室", "campus": "文昌校区", "people": 50}
    resolved = await resolve(two_campuses, values, service=service)
    assert refused(resolved) == [("party_too_large", "people")]
    assert resolved.refusals[0].params["capacity"] == 40
    elsewhere = await resolve(two_campuses, {**values, "campus": "南湖校区"}, service=service)
    assert elsewhere.refusals == ()


async def test_the_room_of_the_campus_is_held(two_campuses: Hall):
    values = {"room": "多功能室", "campus": "文昌校区", "people": 5, "time": moment(WEDNESDAY, 14).isoformat()}
    held = await hold(two_campuses, values, service="health_room")
    (row,) = await two_campuses.all(Appointment)
    assert (row.offering.campus, held["offering_id"]) == ("文昌校区", row.offering_id)


async def test_people_and_room_are_held_against_each_other(hall: Hall):
    resolved = await resolve(hall, {"room": "瑜伽室", "people": 21}, service="health_room")
    assert refused(resolved) == [("party_too_large", "people")]
    anywhere = await resolve(hall, {"people": 61}, service="health_room")
    assert (refused(anywhere), anywhere.refusals[0].params["room"]) == ([("party_too_large", "people")], "")


# --- holding and committing


async def test_of_equals_the_one_with_the_fewest_bookings_is_taken(hall: Hall):
    await hall.book("王敏", "何医生", moment(TUESDAY, 14))
    values = {"time": moment(WEDNESDAY, 14).isoformat(), "counsellor": "any"}
    assert (await hold(hall, values))["picked"] == "高老师"
    await hall.book("陈静", "高老师", moment(TUESDAY, 15))
    await hall.book("孙悦", "高老师", moment(TUESDAY, 14))
    assert (await hold(hall, values))["picked"] == "何医生"
    assert list((await hall.states()).values()).count("held") == 1


async def test_a_hold_takes_the_place_of_the_one_before(hall: Hall):
    for hour in (14, 15):
        await hold(hall, {"time": moment(WEDNESDAY, hour).isoformat(), "counsellor": "何医生"})
    (row,) = await hall.all(Appointment)
    assert (row.state, row.starts_at, row.expires_at) == (
        "held",
        moment(WEDNESDAY, 15),
        NOW + timedelta(minutes=10),
    )


async def test_what_is_let_go_for_another_goes_to_who_waits(hall: Hall):
    await hold(hall, {"time": moment(WEDNESDAY, 14).isoformat(), "counsellor": "何医生"})
    await hall.wait("王敏", "counseling", moment(WEDNESDAY, 14), moment(WEDNESDAY, 15), titles=["何医生"])
    await hold(hall, {"time": moment(WEDNESDAY, 15).isoformat(), "counsellor": "何医生"})
    assert sorted((await hall.states()).values()) == ["held", "offered"]


async def test_from_a_wish_to_a_booking(hall: Hall):
    values: dict[str, Any] = {"time_wish": point(moment(WEDNESDAY, 14)), "counsellor": "何医生", "mode": "线下"}
    values = dict((await resolve(hall, values)).values) | {"campus": "南湖校区", "note": SECRET, **CONSENT}
    values = await hold(hall, values)
    outcome = await hall.run(hall.life.commit(hall.catalogue["counseling"], values), ME)
    (row,) = await hall.all(Appointment)
    assert (outcome.wording, row.state, row.fields) == (
        "appointments.booked",
        "booked",
        {"mode": "线下", "campus": "南湖校区"},
    )
    assert hall.vault.open(row.confidential, about="appointment") == {"note": SECRET}


async def test_a_form_that_is_given_up_holds_nothing(hall: Hall):
    values = await hold(hall, {"time": moment(WEDNESDAY, 14).isoformat(), "counsellor": "何医生"})
    async with hall.database.write() as session:
        context = hall.context(session, await hall.actor(session, ME))
        await hall.life.release(context, hall.catalogue["counseling"], values)
    assert (await hall.all(Appointment), await hall.seats()) == ([], 0)


async def test_a_time_that_was_taken_meanwhile_is_said(hall: Hall):
    values = {"time": moment(WEDNESDAY, 14).isoformat(), "counsellor": "何医生"}
    await hall.book("王敏", "何医生", moment(WEDNESDAY, 14))
    resolved = await resolve(hall, values, "counsellor")
    assert refused(resolved) == [("slot_taken", "time")]
    with pytest.raises(DomainError, match="slot_taken"):
        await hold(hall, values)
    assert len(await hall.all(Appointment)) == 1


async def test_who_is_not_bound_holds_nothing(hall: Hall):
    async with hall.database.write() as session:
        context = hall.context(session, Actor(channel="web", sender="stranger"))
        with pytest.raises(DomainError, match="not_bound"):
            await hall.life.hold(context, hall.catalogue["counseling"], {"time": moment(WEDNESDAY, 14).isoformat()})


async def test_looking_costs_the_same_however_many_calendars_there_are(hall: Hall, count_queries):
    few = await count_queries(hall, choices(hall, {}, "time"))
    async with hall.database.write() as session:
        service, spec = CALENDARS["何医生"]
        session.add_all(Offering(service=service, title=f"老师{number}", spec=spec) for number in range(20))
    assert await count_queries(hall, choices(hall, {}, "time")) == few
    assert MEMBERS[0] == ME
