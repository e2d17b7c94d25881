"""The waitlist: who waits longest is offered first, an offer lapses, and who has a booking waits for a better one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.appointments import commands as c
from actions.appointments.tables import Appointment, Waiting
from actions.blocks.consent import Consent
from actions.core.offerings import EditOffering
from actions.core.tables import Offering
from tests.appointments.world import (
    CALENDARS,
    CONSENT,
    MEMBERS,
    NOW,
    OFFICER,
    SECRET,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    catalogue,
    moment,
    open_hall,
)

if TYPE_CHECKING:
    from tests.appointments.world import Hall

ME, OTHER, THIRD = MEMBERS[:3]
LOW, HIGH = moment(WEDNESDAY, 14), moment(WEDNESDAY, 15)


async def wait_for_two(hall: Hall, who: str, **more) -> int:
    """Waits for Wednesday at two with 何医生."""
    return await hall.wait(who, "counseling", LOW, HIGH, **{"titles": ["何医生"], **more})


@pytest.fixture
async def full(hall: Hall) -> Hall:
    """Wednesday at two with 何医生 is taken, by 刘洋."""
    await hall.book("刘洋", "何医生", LOW)
    return hall


async def make_free(hall: Hall) -> None:
    row = (await hall.all(Appointment, Appointment.state == "booked"))[0]
    await hall.run(c.Cancel(appointment_id=row.id), "刘洋")


async def offered(hall: Hall) -> Appointment:
    (row,) = await hall.all(Appointment, Appointment.state == "offered")
    return row


async def test_the_first_on_the_list_is_offered_what_becomes_free(full: Hall):
    for who in (ME, OTHER):
        await wait_for_two(full, who, confidential={"note": SECRET})
    assert "前面还有 1 位" in full.reply
    await make_free(full)
    offer = await offered(full)
    assert (offer.member.name, offer.starts_at, offer.expires_at) == (ME, LOW, NOW + timedelta(minutes=120))
    assert (await full.waits(), await full.seats()) == (["offered", "waiting"], 1)
    assert await full.told(ME) == ["notices.offer"]
    (prompt,) = await full.open_prompts(ME)
    assert set(full.vault.open(prompt.options, about="prompt")) == {"接受", "放弃"}


async def test_an_offer_that_is_accepted_is_a_booking(full: Hall):
    await wait_for_two(full, ME, fields={"mode": "线上"}, confidential={"note": SECRET})
    await make_free(full)
    offer = await offered(full)
    await full.run(c.AcceptOffer(appointment_id=offer.id), ME)
    row = await full.appointment(offer.id)
    assert (row.state, row.fields, row.limit_key, row.expires_at) == (
        "booked",
        {"mode": "线上"},
        f"counseling:{full.people[ME]}",
        None,
    )
    assert full.vault.open(row.confidential, about="appointment") == {"note": SECRET}
    assert (len(await full.reminders(row.id)), await full.open_prompts(ME)) == (2, [])
    (place,) = await full.all(Waiting)
    assert (place.state, place.confidential, place.limit_key) == ("accepted", "", None)


@pytest.mark.parametrize("lapsed", [False, True])
async def test_an_offer_that_is_not_taken_goes_to_the_next(full: Hall, lapsed: bool):
    for who in (ME, OTHER):
        await wait_for_two(full, who, confidential={"note": SECRET})
    await make_free(full)
    first = await offered(full)
    if lapsed:
        full.pass_time(minutes=120)
        assert await full.refused(c.AcceptOffer(appointment_id=first.id), ME) == "offer_gone"
        await full.sweep()
        assert await full.told(ME) == ["notices.offer_expired"]
    else:
        await full.run(c.DeclineOffer(appointment_id=first.id), ME)
    assert (await offered(full)).member.name == OTHER
    assert await full.waits() == ["expired" if lapsed else "declined", "offered"]
    assert [place.confidential != "" for place in await full.all(Waiting)] == [False, True]
    assert (await full.open_prompts(ME), await full.seats()) == ([], 1)


async def test_an_offer_is_the_member_s_own(full: Hall):
    await wait_for_two(full, ME)
    await make_free(full)
    offer = await offered(full)
    for command in (c.AcceptOffer, c.DeclineOffer):
        assert await full.refused(command(appointment_id=offer.id), OTHER) == "forbidden"
        assert await full.refused(command(appointment_id=99), OTHER) == "offer_gone"


async def test_nobody_passes_those_who_wait(full: Hall):
    """A slot that nobody has swept up yet goes to the list, not to whoever asks first."""
    full.now = LOW - timedelta(days=1)
    await wait_for_two(full, ME)
    row = (await full.all(Appointment))[0]
    await full.change(Appointment, row.id, state="held", expires_at=full.now + timedelta(minutes=10))
    full.pass_time(minutes=10)
    command = c.Book(service="counseling", offering_id=full.rooms["何医生"], starts_at=LOW, consent=CONSENT)
    assert await full.refused(command, OTHER) == "slot_taken"
    await full.sweep()
    assert (await offered(full)).member.name == ME


async def test_what_comes_within_the_horizon_goes_to_who_waits(hall: Hall):
    far = moment(NOW.date() + timedelta(days=28), 14)
    await hall.wait(ME, "counseling", far, far + timedelta(hours=1))
    assert await hall.waits() == ["waiting"]
    hall.now = far - timedelta(days=28) + timedelta(seconds=1)
    grab = c.Book(service="counseling", offering_id=hall.rooms["何医生"], starts_at=far, consent=CONSENT)
    assert await hall.refused(grab, OTHER) == "slot_taken"
    await hall.sweep()
    assert await hall.waits() == ["offered"]


async def test_who_waits_for_what_is_free_is_offered_it_at_once(hall: Hall):
    await wait_for_two(hall, ME)
    assert await hall.waits() == ["offered"]


async def test_the_window_is_half_open_and_calendars_are_kept_to(full: Hall):
    await full.wait(ME, "counseling", moment(WEDNESDAY, 13), LOW)  # ends as the slot begins
    await full.wait(OTHER, "counseling", LOW, HIGH, avoid=["何医生", "高老师"])
    await full.wait(THIRD, "counseling", LOW, HIGH, titles=["何医生"], fields={"campus": "文昌校区"})
    await make_free(full)
    assert await full.waits() == ["waiting", "waiting", "waiting"]


async def test_who_cannot_come_then_is_passed_over_and_keeps_the_place(full: Hall):
    for who in (ME, OTHER):
        await wait_for_two(full, who)
    await full.book(ME, "瑜伽室", LOW)
    await make_free(full)
    assert await full.waits() == ["waiting", "offered"]


async def test_of_a_shared_room_the_smaller_group_does_not_jump_the_queue(hall: Hall):
    """The first waits for four seats, the second for two: three are free, then all six."""
    await hall.book("刘洋", "阅览室", LOW, party=3)
    for who, party in ((ME, 4), (OTHER, 2)):
        await hall.wait(who, "health_room", LOW, HIGH, titles=["阅览室"], party=party)
    assert await hall.waits() == ["waiting", "offered"]  # four could not have taken it
    await make_free(hall)
    assert await hall.waits() == ["offered", "offered"]
    assert await hall.seats() == 6


async def test_one_place_each_and_joining_anew_takes_its_turn_anew(full: Hall):
    for who in (ME, OTHER, ME):
        await wait_for_two(full, who, confidential={"note": SECRET})
    assert await full.waits() == ["left", "waiting", "waiting"]
    assert [place.confidential != "" for place in await full.all(Waiting)] == [False, True, True]
    await make_free(full)
    assert (await offered(full)).member.name == OTHER


async def test_a_place_is_given_up(full: Hall):
    number = await wait_for_two(full, ME, confidential={"note": SECRET})
    assert await full.refused(c.LeaveWaitlist(waiting_id=number), OTHER) == "forbidden"
    await full.run(c.LeaveWaitlist(waiting_id=number), ME)
    assert await full.refused(c.LeaveWaitlist(waiting_id=number), ME) == "not_found"
    (place,) = await full.all(Waiting)
    assert (place.state, place.limit_key, place.confidential) == ("left", None, "")
    await make_free(full)
    assert await full.told(ME) == []


async def test_the_system_gives_up_the_place_of_who_leaves(full: Hall):
    number = await wait_for_two(full, ME)
    await full.run(c.LeaveWaitlist(waiting_id=number))
    assert await full.waits() == ["left"]


async def test_a_wait_in_vain_is_told(full: Hall):
    await wait_for_two(full, ME)
    full.now = HIGH - timedelta(minutes=121)
    await full.sweep()
    assert await full.waits() == ["waiting"]
    full.now = HIGH - timedelta(minutes=120)
    await full.sweep()
    assert (await full.waits(), await full.told(ME)) == (["over"], ["notices.waiting_over"])


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"window_start": HIGH, "window_end": LOW}, "window_past"),
        ({"window_start": LOW, "window_end": LOW}, "window_past"),
        ({"window_start": NOW - timedelta(days=2), "window_end": NOW + timedelta(minutes=119)}, "window_past"),
        ({"party": 2}, "party_too_large"),
        ({"consent": {}}, "consent_needed"),
    ],
    ids=str,
)
async def test_what_cannot_be_waited_for(hall: Hall, more: dict[str, object], code: str):
    arguments = {"service": "counseling", "window_start": LOW, "window_end": HIGH, "consent": CONSENT, **more}
    assert await hall.refused(c.JoinWaitlist.model_validate(arguments), ME) == code
    assert (await hall.all(Waiting), await hall.all(Consent)) == ([], [])


async def test_a_service_without_a_waitlist():
    hall = await open_hall(services=catalogue({"health_room": {"waitlist": False}}))
    command = c.JoinWaitlist(service="health_room", window_start=LOW, window_end=HIGH)
    assert await hall.refused(command, ME) == "no_waitlist"
    await hall.database.close()


async def test_consent_is_kept_with_the_place(full: Hall):
    await wait_for_two(full, ME)
    await make_free(full)
    assert len([row for row in await full.all(Consent) if row.member_id == full.people[ME]]) == 1


async def test_an_offer_to_a_large_group_is_still_to_be_approved(hall: Hall):
    number = await hall.book("刘洋", "多功能室", LOW, party=5)
    await hall.wait(ME, "health_room", LOW, HIGH, titles=["多功能室"], party=30)
    await hall.run(c.Cancel(appointment_id=number), "刘洋")
    offer = await offered(hall)
    await hall.run(c.AcceptOffer(appointment_id=offer.id), ME)
    assert ((await hall.appointment(offer.id)).state, await hall.reminders(offer.id)) == ("pending", [])
    assert await hall.told(OFFICER) == ["notices.approval_wanted"]


# --- a better time


@pytest.fixture
async def booked(full: Hall) -> Hall:
    """The member has Thursday with 高老师, and waits for Wednesday with 何医生."""
    await full.book(ME, "高老师", moment(THURSDAY, 14))
    await wait_for_two(full, ME)
    return full


async def test_accepting_gives_up_the_old_booking(booked: Hall):
    await make_free(booked)
    offer = await offered(booked)
    (text,) = await booked.texts(ME, "notices.offer")
    assert "原来 11月26日(周四)14:00 的那次会取消" in text
    await booked.run(c.AcceptOffer(appointment_id=offer.id), ME)
    states = await booked.states()
    assert sorted(states.values()) == ["booked", "cancelled", "cancelled"]
    assert (states[offer.id], await booked.seats(), len(await booked.reminders(offer.id))) == ("booked", 1, 2)
    assert "原来 11月26日(周四)14:00 的那次已经取消了" in booked.reply
    assert "notices.owner_cancelled" in await booked.told("高老师")


async def test_declining_or_letting_it_lapse_keeps_it(booked: Hall):
    await make_free(booked)
    await booked.run(c.DeclineOffer(appointment_id=(await offered(booked)).id), ME)
    (kept,) = await booked.all(Appointment, Appointment.state == "booked")
    assert (kept.offering.title, await booked.seats()) == ("高老师", 1)


async def test_what_can_no_longer_be_cancelled_is_not_given_up(booked: Hall):
    await make_free(booked)
    offer = await offered(booked)
    kept = (await booked.all(Appointment, Appointment.state == "booked"))[0]
    await booked.change(Appointment, kept.id, starts_at=NOW + timedelta(minutes=60))
    assert await booked.refused(c.AcceptOffer(appointment_id=offer.id), ME) == "too_late_to_cancel"
    assert await booked.states() == {1: "cancelled", 2: "booked", offer.id: "offered"}


async def test_a_series_is_not_given_up(booked: Hall):
    (row,) = [row for row in await booked.all(Appointment) if row.member.name == ME]
    await booked.run(c.FixSeries(appointment_id=row.id, weeks=2), "高老师")
    await make_free(booked)
    assert await booked.waits() == ["waiting"]
    command = c.JoinWaitlist(service="counseling", window_start=LOW, window_end=HIGH)
    assert await booked.refused(command, ME) == "one_open_booking"


# --- leave and changed calendars


async def test_an_offer_that_is_taken_back_leaves_the_place_where_it_was(full: Hall):
    """The first is offered Wednesday at three, the second Thursday; then Wednesday is closed."""
    for who in (ME, OTHER):
        await full.wait(who, "counseling", LOW, moment(THURSDAY, 15), titles=["何医生"], confidential={"note": SECRET})
    assert [row.starts_at for row in await full.all(Appointment)][1:] == [moment(WEDNESDAY, 15), moment(THURSDAY, 14)]
    closed = {"start": moment(WEDNESDAY, 0), "end": moment(THURSDAY, 0), "reason": "年假"}
    await full.run(c.Block(offering_id=full.rooms["何医生"], **closed), "何医生")
    assert await full.waits() == ["waiting", "offered"]
    assert "已经取消" in full.reply  # 刘洋's, whose time it was
    assert all(place.confidential for place in await full.all(Waiting))
    (offer,) = await full.all(Appointment, Appointment.state == "offered")
    await full.run(c.DeclineOffer(appointment_id=offer.id), OTHER)
    (again,) = await full.all(Appointment, Appointment.state == "offered")
    assert (again.member.name, again.starts_at) == (ME, moment(THURSDAY, 14))


async def test_new_hours_are_offered_to_who_waits(full: Hall):
    await full.wait(ME, "counseling", moment(WEDNESDAY, 8), moment(WEDNESDAY, 13), titles=["何医生"])
    hours = [{"start": "09:00", "end": "10:00"}, {"start": "14:00", "end": "16:00"}]
    await full.run(EditOffering(offering_id=full.rooms["何医生"], spec={"hours": hours}), OFFICER)
    await full.sweep()
    assert (await offered(full)).starts_at == moment(WEDNESDAY, 9)


# --- the order, whatever the list


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(1, 6)), min_size=1, max_size=6))
async def test_the_order_of_the_list_decides(wishes: list[tuple[int, int, int]]) -> None:
    """(first hour, hours, party) of each; the reading room opens 14-17 with six seats, and all become free at once."""
    hall = await open_hall()
    spec = {**CALENDARS["阅览室"][1], "hours": [{"start": "14:00", "end": "17:00"}], "closures": []}
    closed = {"start": moment(TUESDAY, 0).isoformat(), "end": moment(THURSDAY, 0).isoformat()}
    await hall.change(Offering, hall.rooms["阅览室"], spec={**spec, "closures": [closed]})
    for who, (first, hours, party) in zip(MEMBERS, wishes, strict=False):
        low = moment(WEDNESDAY, 14 + first)
        await hall.wait(who, "health_room", low, low + timedelta(hours=hours), titles=["阅览室"], party=party)
    await hall.change(Offering, hall.rooms["阅览室"], spec=spec)
    await hall.sweep()
    left = dict.fromkeys((14, 15, 16), 6)
    wanted = []
    for first, hours, party in wishes:
        hour = next((h for h in left if 14 + first <= h < 14 + first + hours and left[h] >= party), None)
        wanted.append(hour)
        if hour is not None:
            left[hour] -= party
    rows = {row.member.name: row.starts_at for row in await hall.all(Appointment)}
    got = [rows.get(who) for who, _wish in zip(MEMBERS, wishes, strict=False)]
    await hall.database.close()
    assert got == [None if hour is None else moment(WEDNESDAY, hour) for hour in wanted]
