"""Holding, booking, cancelling and moving: what the database holds, what is said, what is reminded of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.appointments import commands as c
from actions.appointments.availability import Openings, Wish, rules_of
from actions.appointments.tables import Appointment, Seat
from actions.blocks.consent import Consent
from actions.core.offerings import CloseOffering, EditOffering
from actions.core.tables import Offering
from tests.appointments.world import (
    CALENDARS,
    CONSENT,
    LEADER,
    NOW,
    OFFICER,
    SECRET,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    catalogue,
    moment,
    open_hall,
    wording,
)

if TYPE_CHECKING:
    from tests.appointments.world import Hall

ME = "林一帆"
AT_TWO = moment(WEDNESDAY, 14)


def book(hall: Hall, title: str = "何医生", start=AT_TWO, **more) -> c.Book:
    service = hall.service_of(title)
    consent = CONSENT if service == "counseling" else {}
    return c.Book(service=service, offering_id=hall.rooms[title], starts_at=start, **{"consent": consent, **more})


def move(hall: Hall, number: int, title: str = "何医生", start=moment(THURSDAY, 14)) -> c.Move:  # noqa: B008
    return c.Move(appointment_id=number, offering_id=hall.rooms[title], starts_at=start)


# --- booking


async def test_a_booking_keeps_its_seat_and_reminds_twice(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET}, fields={"mode": "线上"})
    row = await hall.appointment(number)
    assert (row.state, row.expires_at, row.fields, await hall.seats()) == ("booked", None, {"mode": "线上"}, 1)
    assert SECRET not in row.confidential
    assert await hall.reminders(number) == [AT_TWO - timedelta(hours=24), AT_TWO - timedelta(hours=2)]
    assert await hall.told("何医生") == ["notices.owner_booked"]
    assert "约好了：11月25日(周三)14:00，何医生，线上" in hall.reply


async def test_a_booking_for_soon_is_reminded_of_what_is_still_to_come(hall: Hall):
    number = await hall.book(ME, "何医生", moment(NOW.date(), 14))
    assert await hall.reminders(number) == [moment(NOW.date(), 12)]


async def test_the_confirmation_tells_where_and_how_to_get_in(hall: Hall):
    spec = {**CALENDARS["多功能室"][1], "place": "健康驿站 201（示例）"}
    await hall.change(Offering, hall.rooms["多功能室"], spec=spec)
    await hall.book(ME, "多功能室", AT_TWO, party=5)
    assert "地点：健康驿站 201（示例），钥匙找值班室。" in hall.reply
    assert await hall.texts("黄海涛") == []  # they look at the agenda
    await hall.run(c.Agenda(), "黄海涛")
    assert f"11月25日(周三)14:00 {ME} 5 人" in hall.reply


async def test_a_key_holder_may_want_to_hear_of_each_booking():
    hall = await open_hall(services=catalogue({"health_room": {"tell_owner": True}}))
    number = await hall.book(ME, "多功能室", AT_TWO, party=5)
    await hall.run(move(hall, number, "多功能室"), ME)
    await hall.run(c.Cancel(appointment_id=number), ME)
    assert await hall.texts("黄海涛") == [
        "林一帆老师约了：11月25日(周三)14:00，多功能室，5 人。",
        "林一帆老师改了时间：11月26日(周四)14:00，多功能室，5 人。",
        "林一帆老师取消了：11月26日(周四)14:00，多功能室。",
    ]
    await hall.database.close()


async def test_a_hold_is_confirmed(hall: Hall):
    await hall.hold(ME, "何医生", AT_TWO)
    (held,) = await hall.all(Appointment)
    assert (held.state, held.expires_at, await hall.seats()) == ("held", NOW + timedelta(minutes=10), 1)
    assert await hall.refused(book(hall), "王敏") == "slot_taken"
    hall.pass_time(minutes=9)
    assert await hall.book(ME, "何医生", AT_TWO) == held.id
    assert await hall.seats() == 1


async def test_a_hold_that_lapsed_is_taken_anew_where_it_is_still_free(hall: Hall):
    await hall.hold(ME, "何医生", AT_TWO)
    hall.pass_time(minutes=10)
    number = await hall.book(ME, "何医生", AT_TWO)
    assert (await hall.states(), await hall.seats()) == ({number: "booked"}, 1)


async def test_a_hold_that_lapsed_is_free_for_others_before_any_sweep(hall: Hall):
    await hall.hold(ME, "何医生", AT_TWO)
    hall.pass_time(minutes=10)
    await hall.book("王敏", "何医生", AT_TWO)
    assert await hall.refused(book(hall), ME) == "slot_taken"
    assert "刚被别人约走了" in hall.reply


async def test_a_hold_outlasts_the_notice(hall: Hall):
    """Who began in time is not refused because they took a minute to confirm."""
    hall.now = AT_TWO - timedelta(minutes=121)
    await hall.hold(ME, "何医生", AT_TWO)
    hall.pass_time(minutes=5)
    assert (await hall.appointment(await hall.book(ME, "何医生", AT_TWO))).state == "booked"


async def test_release_frees_the_slot_for_who_waits(hall: Hall):
    await hall.hold(ME, "何医生", AT_TWO)
    await hall.wait("王敏", "counseling", AT_TWO, moment(WEDNESDAY, 15), titles=["何医生"])
    await hall.run(c.Release(service="counseling"), ME)
    assert (list((await hall.states()).values()), await hall.waits()) == (["offered"], ["offered"])


@pytest.mark.parametrize(
    ("title", "more", "code"),
    [
        ("何医生", {"start": moment(WEDNESDAY, 13)}, "slot_taken"),  # no slot of the grid
        ("何医生", {"start": moment(WEDNESDAY, 14, 30)}, "slot_taken"),
        ("何医生", {"start": NOW + timedelta(minutes=30)}, "slot_taken"),
        ("何医生", {"start": AT_TWO + timedelta(days=35)}, "slot_taken"),  # beyond the horizon
        ("何医生", {"fields": {"campus": "文昌校区"}}, "slot_taken"),  # not to be had there
        ("何医生", {"party": 2}, "party_too_large"),
        ("瑜伽室", {"party": 21}, "party_too_large"),
        ("阅览室", {"party": 7}, "party_too_large"),
        ("何医生", {"consent": {}}, "consent_needed"),
        ("何医生", {"consent": {"consent": False, "contact": "林母 13900000001"}}, "consent_needed"),
        ("何医生", {"consent": {"consent": True}}, "consent_needed"),
        ("瑜伽室", {"weeks": 2}, "repeat_not_allowed"),
    ],
    ids=str,
)
async def test_what_cannot_be_booked_leaves_no_trace(hall: Hall, title: str, more: dict[str, Any], code: str):
    assert await hall.refused(book(hall, title, **more), ME) == code
    assert (await hall.all(Appointment), await hall.seats(), await hall.all(Consent)) == ([], 0, [])
    assert await hall.queued() == []


@pytest.mark.parametrize("service", ["gym", "my_items"])
async def test_a_service_that_is_not_of_this_life(hall: Hall, service: str):
    command = c.Book(service=service, offering_id=1, starts_at=AT_TWO)
    assert await hall.refused(command, ME) == "unknown_service"


async def test_a_calendar_of_another_service_or_closed_is_not_to_be_had(hall: Hall):
    wrong = c.Book(service="counseling", offering_id=hall.rooms["瑜伽室"], starts_at=AT_TWO, consent=CONSENT)
    assert await hall.refused(wrong, ME) == "slot_taken"
    await hall.run(CloseOffering(offering_id=hall.rooms["何医生"]), OFFICER)
    assert await hall.refused(book(hall), ME) == "slot_taken"


async def test_one_open_booking_of_counselling_each_and_many_of_rooms(hall: Hall):
    await hall.book(ME, "何医生", AT_TWO)
    assert await hall.refused(book(hall, "高老师", moment(THURSDAY, 14)), ME) == "one_open_booking"
    for hour in (14, 15):
        await hall.book(ME, "瑜伽室", moment(THURSDAY, hour))
    assert await hall.refused(book(hall, "多功能室", AT_TWO), ME) == "own_clash"


async def test_when_it_is_over_one_may_book_again_before_any_sweep(hall: Hall):
    first = await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET})
    hall.now = AT_TWO + timedelta(minutes=50)
    await hall.book(ME, "高老师", moment(THURSDAY, 14), consent={})
    row = await hall.appointment(first)
    assert (row.state, row.confidential) == ("done", "")


async def test_consent_is_given_once(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    await hall.run(c.Cancel(appointment_id=number), ME)
    await hall.book(ME, "何医生", AT_TWO, consent={})
    (row,) = await hall.all(Consent)
    assert (row.purpose, row.given_at) == ("counseling", NOW)


async def test_a_changed_grid_does_not_seat_anybody_over_somebody_else(hall: Hall):
    await hall.book("王敏", "何医生", AT_TWO)
    hours = {"hours": [{"start": "13:30", "end": "16:30"}]}
    await hall.run(EditOffering(offering_id=hall.rooms["何医生"], spec=hours), OFFICER)
    for minute in (13 * 60 + 30, 14 * 60 + 30):
        start = moment(WEDNESDAY, minute // 60, minute % 60)
        assert await hall.refused(book(hall, start=start), ME) == "slot_taken"
    await hall.book(ME, "何医生", moment(WEDNESDAY, 15, 30))


async def test_shared_seats_are_counted_by_heads(hall: Hall):
    await hall.book(ME, "阅览室", AT_TWO, party=4)
    assert await hall.refused(book(hall, "阅览室", party=3), "王敏") == "slot_taken"
    await hall.book("王敏", "阅览室", AT_TWO, party=2)
    assert sorted(seat.number for seat in await hall.all(Seat)) == [1, 2, 3, 4, 5, 6]
    await hall.run(c.Cancel(appointment_id=1), ME)
    await hall.book("陈静", "阅览室", AT_TWO, party=4)
    assert sorted(seat.number for seat in await hall.all(Seat)) == [1, 2, 3, 4, 5, 6]


async def test_a_room_of_one_s_own_takes_one_booking_however_small(hall: Hall):
    await hall.book(ME, "瑜伽室", AT_TWO, party=1)
    assert await hall.refused(book(hall, "瑜伽室"), "王敏") == "slot_taken"


# --- repeats


async def test_a_club_repeats_beyond_the_horizon_and_hears_what_is_not_free(hall: Hall):
    third = AT_TWO + timedelta(weeks=2)
    await hall.book(ME, "瑜伽室", third)
    first = await hall.book(LEADER, "瑜伽室", AT_TWO, party=8, weeks=8)
    rows = await hall.all(Appointment, Appointment.member_id == hall.people[LEADER])
    assert [row.starts_at for row in rows] == [AT_TWO + timedelta(weeks=week) for week in range(8) if week != 2]
    assert ({row.state for row in rows}, {row.series_id for row in rows[1:]}) == ({"booked"}, {first})
    assert all([len(await hall.reminders(row.id)) == 2 for row in rows])
    assert "连约 8 周，这几次没空、没约上：12月9日(周三)" in hall.reply


async def test_repeats_have_a_cap(hall: Hall):
    assert await hall.refused(book(hall, "瑜伽室", weeks=9), LEADER) == "repeat_too_long"


async def test_a_repeated_room_that_keeps_working_days_leaves_holidays_out(hall: Hall):
    spec = {**CALENDARS["瑜伽室"][1], "works": "working_days"}
    await hall.change(Offering, hall.rooms["瑜伽室"], spec=spec)
    hall.now = moment(TUESDAY - timedelta(days=62), 9)  # 2026-09-23, a Wednesday
    await hall.book(LEADER, "瑜伽室", moment(hall.now.date() + timedelta(days=1), 14), weeks=3)
    rows = await hall.all(Appointment)
    assert [f"{row.starts_at.astimezone(NOW.tzinfo):%m-%d}" for row in rows] == ["09-24", "10-08"]  # not 10-01
    assert "10月1日(周四)" in hall.reply


# --- large groups


async def test_a_large_group_waits_for_approval_and_keeps_the_room(hall: Hall):
    number = await hall.book(ME, "多功能室", AT_TWO, party=21, fields={"purpose": "合唱排练"})
    row = await hall.appointment(number)
    assert (row.state, row.expires_at, await hall.reminders(number)) == ("pending", AT_TWO, [])
    assert (await hall.told("黄海涛"), await hall.told(ME)) == ([], [])
    (text,) = await hall.texts(OFFICER)
    assert text == "林一帆老师想约 11月25日(周三)14:00 多功能室，21 人，合唱排练。\n回“同意”或“退回 原因”。"
    assert await hall.refused(book(hall, "多功能室"), "王敏") == "slot_taken"
    await hall.book("王敏", "多功能室", moment(WEDNESDAY, 15), party=20)
    assert list((await hall.states()).values()) == ["pending", "booked"]


async def test_an_officer_s_own_request_goes_to_others(hall: Hall):
    number = await hall.book(OFFICER, "多功能室", AT_TWO, party=30)
    assert await hall.told(OFFICER) == []
    assert await hall.refused(c.Approve(appointment_id=number), OFFICER) == "forbidden"


async def test_a_repeated_request_is_approved_as_a_whole(hall: Hall):
    first = await hall.book(LEADER, "多功能室", AT_TWO, party=30, weeks=3)
    (text,) = await hall.texts(OFFICER)
    assert "从这次起连约 3 周" in text
    second = first + 1
    await hall.run(c.Cancel(appointment_id=first), LEADER)  # one of them is given up, the rest is still asked
    assert len(await hall.open_prompts(OFFICER)) == 1
    await hall.run(c.Approve(appointment_id=first), OFFICER)
    assert await hall.states() == {first: "cancelled", second: "booked", second + 1: "booked"}
    assert len(await hall.reminders(second)) == len(await hall.reminders(second + 1)) == 2
    assert (await hall.told(LEADER, "notices.approved"), await hall.open_prompts(OFFICER)) == (["notices.approved"], [])
    assert await hall.refused(c.Refuse(appointment_id=first), OFFICER) == "already_decided"


async def test_a_request_that_is_given_up_is_asked_no_more(hall: Hall):
    number = await hall.book(ME, "多功能室", AT_TWO, party=30)
    hall.now = AT_TWO - timedelta(minutes=1)  # past the limit, which is for what is certain
    await hall.run(c.Cancel(appointment_id=number), ME)
    assert (await hall.open_prompts(OFFICER), await hall.queued(), await hall.seats()) == ([], [], 0)


async def test_a_request_is_sent_back_with_the_reason(hall: Hall):
    number = await hall.book(ME, "多功能室", AT_TWO, party=30)
    await hall.run(c.Refuse(appointment_id=number, reason="当天检修"), OFFICER)
    assert (await hall.states(), await hall.seats()) == ({number: "refused"}, 0)
    (text,) = await hall.texts(ME)
    assert "没有批下来：当天检修" in text


async def test_a_request_that_nobody_decides_lapses_and_is_told(hall: Hall):
    number = await hall.book(ME, "多功能室", AT_TWO, party=30)
    hall.now = AT_TWO
    assert await hall.refused(c.Approve(appointment_id=number), OFFICER) == "already_decided"
    await hall.sweep()
    assert (await hall.states(), await hall.told(ME)) == ({number: "refused"}, ["notices.not_decided"])
    assert await hall.open_prompts(OFFICER) == []


async def test_a_request_that_is_moved_is_asked_anew(hall: Hall):
    number = await hall.book(ME, "多功能室", AT_TWO, party=30)
    await hall.run(move(hall, number, "多功能室"), ME)
    (text,) = await hall.texts(OFFICER)
    assert "11月26日(周四)14:00" in text
    assert len(await hall.open_prompts(OFFICER)) == 1
    hall.now = moment(WEDNESDAY, 15)
    await hall.sweep()
    assert await hall.states() == {number: "pending"}


# --- cancelling


@pytest.mark.parametrize(
    ("minutes", "code"), [(121, ""), (120, ""), (119, "too_late_to_cancel"), (-10, "too_late_to_cancel")]
)
async def test_a_member_cancels_until_the_limit(hall: Hall, minutes: int, code: str):
    number = await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET})
    hall.now = AT_TWO - timedelta(minutes=minutes)
    assert await hall.refused(c.Cancel(appointment_id=number), ME) == code
    row = await hall.appointment(number)
    if code:
        assert (row.state, await hall.seats()) == ("booked", 1)
        assert "0516-0000-0001" in hall.reply
        return
    assert (row.state, row.confidential, row.limit_key, await hall.seats()) == ("cancelled", "", None, 0)
    assert await hall.reminders(number) == []
    assert await hall.told("何医生") == ["notices.owner_booked", "notices.owner_cancelled"]


async def test_the_counsellor_cancels_at_any_time_and_the_member_is_told_nothing_that_shows(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    hall.now = AT_TWO - timedelta(minutes=5)
    await hall.run(c.Cancel(appointment_id=number, reason="何医生临时请假"), "何医生")
    (text,) = await hall.texts(ME, "notices.cancelled")
    assert "11月25日(周三)14:00" in text
    assert "何医生" not in text
    assert await hall.told("何医生") == ["notices.owner_booked"]  # they know


async def test_what_is_over_is_cancelled_no_more(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    hall.now = AT_TWO + timedelta(minutes=50)
    assert await hall.refused(c.Cancel(appointment_id=number), "何医生") == "not_found"
    assert await hall.refused(c.Cancel(appointment_id=99), ME) == "not_found"


# --- moving


async def test_a_move_takes_reminders_and_seat_along(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    await hall.run(move(hall, number), ME)
    start = moment(THURSDAY, 14)
    assert await hall.reminders(number) == [start - timedelta(hours=24), start - timedelta(hours=2)]
    assert [seat.starts_at for seat in await hall.all(Seat)] == [start]
    assert await hall.told("何医生") == ["notices.owner_booked", "notices.owner_moved"]
    assert "从 11月25日(周三)14:00 改到 11月26日(周四)14:00" in hall.reply
    await hall.book("王敏", "何医生", AT_TWO)


async def test_a_move_to_another_counsellor_tells_both(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    await hall.run(move(hall, number, "高老师"), ME)
    assert await hall.told("何医生") == ["notices.owner_booked", "notices.owner_cancelled"]
    assert await hall.told("高老师") == ["notices.owner_booked"]


async def test_a_move_that_fails_changes_nothing(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    await hall.book("王敏", "何医生", moment(THURSDAY, 14))
    before = await hall.reminders(number)
    assert await hall.refused(move(hall, number), ME) == "slot_taken"
    row = await hall.appointment(number)
    assert (row.starts_at, await hall.reminders(number), await hall.seats()) == (AT_TWO, before, 2)


async def test_a_move_stays_within_what_the_calendar_allows(hall: Hall):
    number = await hall.book(ME, "高老师", AT_TWO, fields={"mode": "线下", "campus": "文昌校区"})
    assert await hall.refused(move(hall, number, "何医生"), ME) == "slot_taken"
    await hall.run(move(hall, number, "高老师"), ME)


async def test_a_member_moves_until_the_limit_and_the_counsellor_still_after_it(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    hall.now = AT_TWO - timedelta(minutes=30)
    assert await hall.refused(move(hall, number), ME) == "too_late_to_cancel"
    await hall.run(move(hall, number), "何医生")
    (text,) = await hall.texts(ME, "notices.moved_by_us")
    assert (text.count("11月2"), "何医生" in text) == (2, False)
    assert await hall.told("何医生") == ["notices.owner_booked"]


async def test_what_is_moved_does_not_clash_with_itself(hall: Hall):
    hours = {"hours": [{"start": "14:30", "end": "16:30"}]}
    number = await hall.book(ME, "何医生", AT_TWO)
    await hall.run(EditOffering(offering_id=hall.rooms["何医生"], spec=hours), OFFICER)
    await hall.run(move(hall, number, start=moment(WEDNESDAY, 14, 30)), ME)
    await hall.book(ME, "瑜伽室", moment(THURSDAY, 14))
    await hall.run(EditOffering(offering_id=hall.rooms["高老师"], spec=hours), OFFICER)
    assert await hall.refused(move(hall, number, "高老师", moment(THURSDAY, 14, 30)), ME) == "own_clash"


async def test_the_slot_that_a_move_leaves_goes_to_who_waits(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    await hall.wait("王敏", "counseling", AT_TWO, moment(WEDNESDAY, 15), titles=["何医生"])
    await hall.run(move(hall, number), ME)
    assert await hall.told("王敏") == ["notices.offer"]


# --- what shows on a locked screen


async def test_nothing_that_is_pushed_to_a_member_tells_of_counselling(hall: Hall):
    first = await hall.book(ME, "何医生", AT_TWO, fields={"mode": "线下", "campus": "南湖校区"})
    for who in ("王敏", "陈静", "孙悦"):
        await hall.wait(who, "counseling", AT_TWO, moment(WEDNESDAY, 15), titles=["何医生"])
    await hall.run(c.FixSeries(appointment_id=first, weeks=2), "何医生")
    await hall.run(move(hall, first), "何医生")
    hall.pass_time(hours=3)
    await hall.sweep()  # the first offer lapses, the next is made
    await hall.run(c.Cancel(appointment_id=first, reason="何医生请假"), "何医生")
    hall.now = AT_TWO
    await hall.sweep()
    members = {hall.people[who] for who in (ME, "王敏", "陈静", "孙悦")}
    pushed = [(key, params) for row, key, params in await hall.queued(ever=True) if row.member_id in members]
    assert {key for key, _params in pushed} == {
        "notices.remind_day",
        "notices.remind_hours",
        "notices.series_fixed",
        "notices.moved_by_us",
        "notices.cancelled_by_us",
        "notices.offer",
        "notices.offer_expired",
        "notices.waiting_over",
    }
    for key, params in pushed:
        text = wording().text(key, params)
        assert not any(word in text for word in ("何医生", "咨询", "心理", "师海心舟", "校区", "线下")), text


async def test_reminders_of_rooms_name_no_more_than_the_time(hall: Hall):
    number = await hall.book(ME, "瑜伽室", AT_TWO)
    assert len(await hall.reminders(number)) == 2
    assert all("瑜伽室" not in text for text in await hall.texts(ME))


# --- what is free, whatever is taken


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=8),
    st.integers(1, 4),
    st.booleans(),
)
def test_a_free_slot_has_room_for_the_party(taken, party, shared):
    """Against counting heads by hand; seats are taken in a shared room of five and in a room for one booking."""
    rules = rules_of(catalogue()["health_room"])
    spec = {"hours": [{"start": "10:00", "end": "16:00"}], "works": "daily", "capacity": 5, "shared": shared}
    free = Openings(rules, NOW, [Offering(id=1, title="室", spec=spec)])
    for hour, seats in taken:
        free.take(1, moment(TUESDAY, 10 + hour), moment(TUESDAY, 11 + hour), seats)
    found = {
        slot.starts_at.hour for slot in free.slots(Wish(low=moment(TUESDAY, 0), high=moment(WEDNESDAY, 0), party=party))
    }
    heads = {hour: sum(seats for other, seats in taken if other == hour) for hour in range(6)}
    wanted = {10 + hour for hour, count in heads.items() if (count + party <= 5 if shared else count == 0)}
    assert found == wanted


async def test_halls_of_other_rules_have_other_limits():
    hall = await open_hall(services=catalogue({"counseling": {"hold_minutes": 3, "cancel_until_minutes": 0}}))
    await hall.hold(ME, "何医生", AT_TWO)
    (row,) = await hall.all(Appointment)
    assert row.expires_at == NOW + timedelta(minutes=3)
    number = await hall.book(ME, "何医生", AT_TWO)
    hall.now = AT_TWO
    await hall.run(c.Cancel(appointment_id=number), ME)
    await hall.database.close()
