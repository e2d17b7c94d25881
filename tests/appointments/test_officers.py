"""What counsellors, key-holders and officers do and see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from actions.appointments import commands as c
from actions.appointments.tables import Appointment
from actions.core.commands import Command
from actions.core.errors import DomainError
from actions.core.offerings import CancelOffering, OpenOffering
from actions.core.tables import Member, Offering
from tests.appointments.world import LEADER, MEMBERS, NOW, OFFICER, OWNERS, SECRET, THURSDAY, TUESDAY, WEDNESDAY, moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.appointments.world import Hall

ME, OTHER = MEMBERS[:2]
AT_TWO = moment(WEDNESDAY, 14)


# --- who may do what

OWN, OWNER, ELSE, COLLEAGUE, UNION, NOBODY = "own", "owner", "else", "colleague", "union", "left"
#: Of a booking of counselling and of a room: the member, who answers for it, another member, another who answers for
#: a calendar, a union officer, somebody who has left.
PEOPLE = {
    "counseling": {OWN: ME, OWNER: "何医生", ELSE: OTHER, COLLEAGUE: "高老师", UNION: OFFICER, NOBODY: "孙悦"},
    "health_room": {OWN: ME, OWNER: "黄海涛", ELSE: LEADER, COLLEAGUE: "何医生", UNION: OFFICER, NOBODY: "孙悦"},
}
ROOMS = {"counseling": "何医生", "health_room": "多功能室"}
#: Who may, by command and service; everybody else is refused as "forbidden".
RIGHTS: dict[tuple[str, str], set[str]] = {
    ("cancel", "counseling"): {OWN, OWNER},
    ("cancel", "health_room"): {OWN, OWNER, UNION},
    ("move", "counseling"): {OWN, OWNER},
    ("move", "health_room"): {OWN, OWNER, UNION},
    ("mark", "counseling"): {OWNER},
    ("mark", "health_room"): {OWNER, UNION},
    ("fix_series", "counseling"): {OWNER},
    ("block", "counseling"): {OWNER, UNION},
    ("block", "health_room"): {OWNER, UNION},
    ("unblock", "counseling"): {OWNER, UNION},
    ("approve", "health_room"): {UNION},
    ("refuse", "health_room"): {UNION},
    ("counts", "counseling"): {UNION},
    ("counts", "health_room"): {UNION},
    ("emergency_contact", "counseling"): {OWNER},
    ("offering_cancel", "counseling"): {UNION},
}


def command(name: str, service: str, hall: Hall, number: int) -> Command:
    room = hall.rooms[ROOMS[service]]
    period = {"offering_id": room, "start": moment(THURSDAY, 0), "end": moment(THURSDAY, 12)}
    made: dict[str, Callable[[], Command]] = {
        "cancel": lambda: c.Cancel(appointment_id=number, reason="有事"),
        "move": lambda: c.Move(appointment_id=number, offering_id=room, starts_at=moment(THURSDAY, 14)),
        "mark": lambda: c.Mark(appointment_id=number, attended=True),
        "fix_series": lambda: c.FixSeries(appointment_id=number, weeks=2),
        "block": lambda: c.Block(**period),
        "unblock": lambda: c.Unblock(**period),
        "approve": lambda: c.Approve(appointment_id=number),
        "refuse": lambda: c.Refuse(appointment_id=number),
        "counts": lambda: c.Counts(service=service),
        "emergency_contact": lambda: c.EmergencyContact(appointment_id=number, reason="有生命危险"),
        "offering_cancel": lambda: CancelOffering(offering_id=room),
    }
    return made[name]()


@pytest.mark.parametrize(("name", "service"), RIGHTS, ids=str)
async def test_rights(hall: Hall, name: str, service: str):
    """Each who may not is refused; then each who may does it, on a hall of their own state."""
    may = RIGHTS[name, service]
    party = 30 if name in ("approve", "refuse") else 1
    number = await hall.book(ME, ROOMS[service], AT_TWO, party=party)
    await hall.change(Member, hall.people["孙悦"], status="left")
    if name == "mark":
        hall.now = AT_TWO
    for who, person in PEOPLE[service].items():
        if who not in may:
            assert await hall.refused(command(name, service, hall, number), person) == "forbidden", who
    before = (await hall.states(), await hall.seats())
    assert before == ({number: "pending" if party == 30 else "booked"}, 1)
    for who in sorted(may, key=lambda each: each == OWN):
        async with hall.database.write() as session:
            context = hall.context(session, await hall.actor(session, PEOPLE[service][who]))
            await hall.bus.execute(command(name, service, hall, number), context)
            await session.rollback()


@pytest.mark.parametrize("name", [c.Hold, c.Book, c.JoinWaitlist], ids=lambda command: command.name)
async def test_who_is_not_bound_or_has_left_takes_nothing(hall: Hall, name: Any):
    arguments: dict[str, Any] = {"service": "health_room"}
    if name is not c.JoinWaitlist:
        arguments |= {"offering_id": hall.rooms["瑜伽室"], "starts_at": AT_TWO}
    await hall.change(Member, hall.people["孙悦"], status="left")
    assert await hall.refused(name(**arguments), "孙悦") == "forbidden"
    async with hall.database.write() as session:
        stranger = hall.context(session, type(await hall.actor(session, ""))(sender="x"))
        with pytest.raises(DomainError, match="not_bound"):
            await hall.bus.execute(name(**arguments), stranger)


async def test_every_command_of_this_life_has_its_row():
    """A new command must say who may send it."""
    own = {"hold", "release", "book", "join_waitlist", "leave_waitlist", "accept_offer", "decline_offer", "agenda"}
    named = {name for name, _service in RIGHTS} | own
    every = {
        kind.name.partition(".")[2]
        for kind in vars(c).values()
        if isinstance(kind, type) and issubclass(kind, Command) and kind is not Command
    }
    assert every == named - {"offering_cancel"}


async def test_nobody_marks_their_own_visit(hall: Hall):
    number = await hall.book("高老师", "何医生", AT_TWO)
    await hall.change(Offering, hall.rooms["何医生"], owner_id=hall.people["高老师"])
    hall.now = AT_TWO
    assert await hall.refused(c.Mark(appointment_id=number, attended=True), "高老师") == "forbidden"


# --- whether they came


async def test_the_counsellor_is_asked_when_it_is_over_and_answers_by_a_tap(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    hall.now = AT_TWO + timedelta(minutes=50)
    await hall.sweep()
    (text,) = await hall.texts("何医生", "notices.attendance")
    assert "11月25日(周三)14:00" in text
    assert ME not in text
    (prompt,) = await hall.open_prompts("何医生")
    options = hall.vault.open(prompt.options, about="prompt")
    assert list(options) == ["到了", "没来", "再约4周", "再约8周"]
    assert await hall.states() == {number: "done"}
    command = hall.bus.command(options["没来"]["command"], options["没来"]["arguments"])
    await hall.run(command, "何医生")
    assert (await hall.states(), await hall.open_prompts("何医生")) == ({number: "no_show"}, [])
    await hall.run(c.Mark(appointment_id=number, attended=True), "何医生")  # a slip is put right
    assert await hall.states() == {number: "done"}


async def test_of_rooms_nobody_is_asked(hall: Hall):
    await hall.book(ME, "多功能室", AT_TWO)
    hall.now = AT_TWO + timedelta(hours=1)
    await hall.sweep()
    assert await hall.open_prompts("黄海涛") == []


async def test_before_it_begins_nothing_is_marked(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    mark = c.Mark(appointment_id=number, attended=False)
    hall.now = AT_TWO - timedelta(seconds=1)
    assert await hall.refused(mark, "何医生") == "not_yet_over"
    hall.now = AT_TWO
    assert await hall.refused(mark, "何医生") == ""
    await hall.change(Appointment, number, state="cancelled")
    assert await hall.refused(mark, "何医生") == "not_found"


# --- series


async def test_a_series_is_fixed_week_by_week_and_leaves_out_what_is_not_free(hall: Hall):
    first = await hall.book(ME, "何医生", AT_TWO, fields={"mode": "线上"})
    await hall.book(OTHER, "何医生", AT_TWO + timedelta(weeks=1))
    await hall.book(ME, "瑜伽室", AT_TWO + timedelta(weeks=2))
    new_year = moment(WEDNESDAY + timedelta(weeks=6), 14)  # 2027-01-06
    await hall.run(c.FixSeries(appointment_id=first, weeks=6), "何医生")
    rows = await hall.all(Appointment, Appointment.series_id == first)
    assert [row.starts_at for row in rows] == [AT_TWO + timedelta(weeks=week) for week in (3, 4, 5, 6)]
    assert rows[-1].starts_at == new_year
    assert {(row.state, row.fields["mode"], row.limit_key) for row in rows} == {("booked", "线上", None)}
    assert [len(await hall.reminders(row.id)) for row in rows] == [2, 2, 2, 2]
    (text,) = await hall.texts(ME, "notices.series")
    assert "再约 4 次（12月2日(周三)、12月9日(周三)没空" in text


async def test_a_series_leaves_holidays_out(hall: Hall):
    hall.now = moment(TUESDAY - timedelta(days=62), 9)  # 2026-09-23, a Wednesday
    first = await hall.book(ME, "何医生", moment(hall.now.date() + timedelta(days=1), 14))
    await hall.run(c.FixSeries(appointment_id=first, weeks=2), "何医生")
    rows = await hall.all(Appointment, Appointment.series_id == first)
    assert [row.starts_at for row in rows] == [moment(TUESDAY - timedelta(days=47), 14)]  # 10-08, not 10-01


async def test_a_series_goes_on_after_the_first_visit(hall: Hall):
    first = await hall.book(ME, "何医生", AT_TWO)
    hall.now = AT_TWO + timedelta(hours=1)
    await hall.sweep()
    await hall.run(c.FixSeries(appointment_id=first, weeks=4), "何医生")
    assert sorted((await hall.states()).values()) == ["booked"] * 4 + ["done"]
    await hall.run(c.Cancel(appointment_id=first + 1), ME)  # each can be given up
    assert await hall.seats() == 3


async def test_no_more_of_a_series_is_open_than_the_cap(hall: Hall):
    first = await hall.book(ME, "何医生", AT_TWO)
    assert await hall.refused(c.FixSeries(appointment_id=first, weeks=9), "何医生") == "series_too_long"
    await hall.run(c.FixSeries(appointment_id=first, weeks=5), "何医生")
    last = max(await hall.states())
    assert await hall.refused(c.FixSeries(appointment_id=last, weeks=5), "何医生") == "series_too_long"
    assert "现在已经定了" in hall.reply
    await hall.run(c.FixSeries(appointment_id=last, weeks=4), "何医生")
    open_ = await hall.all(Appointment, Appointment.series_id == first)
    assert len(open_) == 9  # eight beside the one it was fixed from


async def test_a_series_that_finds_nothing_is_refused(hall: Hall):
    first = await hall.book(ME, "何医生", AT_TWO)
    for week in (1, 2):
        await hall.book(ME, "瑜伽室", AT_TWO + timedelta(weeks=week))
    assert await hall.refused(c.FixSeries(appointment_id=first, weeks=2), "何医生") == "series_full"
    assert await hall.told(ME, "notices.series") == []


async def test_who_is_in_a_series_books_no_other(hall: Hall):
    first = await hall.book(ME, "何医生", AT_TWO)
    await hall.run(c.FixSeries(appointment_id=first, weeks=2), "何医生")
    hall.now = AT_TWO + timedelta(hours=1)
    await hall.sweep()
    other = c.Book(service="counseling", offering_id=hall.rooms["高老师"], starts_at=moment(THURSDAY, 14))
    assert await hall.refused(other, ME) == "one_open_booking"


# --- leave


async def test_leave_cancels_and_tells_and_closes(hall: Hall):
    mine = await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET})
    kept = await hall.book(OTHER, "何医生", moment(THURSDAY, 14))
    await hall.hold("陈静", "何医生", moment(WEDNESDAY, 15))
    leave = {"offering_id": hall.rooms["何医生"], "start": moment(WEDNESDAY, 0), "end": moment(THURSDAY, 0)}
    await hall.run(c.Block(**leave, reason="年假"), "何医生")
    assert (await hall.states(), await hall.seats()) == ({mine: "cancelled", kept: "booked"}, 1)
    assert (await hall.told(ME), await hall.told("陈静")) == (["notices.cancelled_by_us"], [])
    assert "受影响的 1 个预约" in hall.reply
    again = c.Hold(service="counseling", offering_id=hall.rooms["何医生"], starts_at=AT_TWO)
    assert await hall.refused(again, ME) == "slot_taken"
    middle = {**leave, "start": moment(WEDNESDAY, 12), "end": moment(WEDNESDAY, 15)}
    await hall.run(c.Unblock(**middle), "何医生")
    assert await hall.refused(again, ME) == ""
    later = c.Hold(service="counseling", offering_id=hall.rooms["何医生"], starts_at=moment(WEDNESDAY, 15))
    assert await hall.refused(later, OTHER) == "one_open_booking"
    assert await hall.refused(later, "陈静") == "slot_taken"


async def test_what_was_opened_again_goes_to_who_waits(hall: Hall):
    leave = {"offering_id": hall.rooms["何医生"], "start": moment(WEDNESDAY, 0), "end": moment(THURSDAY, 0)}
    await hall.run(c.Block(**leave), "何医生")
    await hall.wait(ME, "counseling", AT_TWO, moment(WEDNESDAY, 15), titles=["何医生"])
    await hall.run(c.Unblock(**leave), "何医生")
    assert await hall.waits() == ["offered"]


async def test_the_past_is_not_cancelled(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    hall.now = AT_TWO + timedelta(minutes=55)
    leave = c.Block(offering_id=hall.rooms["何医生"], start=moment(WEDNESDAY, 0), end=moment(THURSDAY, 0))
    await hall.run(leave, "何医生")
    assert await hall.states() == {number: "done"}


@pytest.mark.parametrize("command", [c.Block, c.Unblock])
async def test_a_period_must_last(hall: Hall, command: Any):
    period = command(offering_id=hall.rooms["何医生"], start=AT_TWO, end=AT_TWO)
    assert await hall.refused(period, "何医生") == "bad_period"
    assert await hall.refused(period.model_copy(update={"offering_id": 99}), "何医生") == "not_found"


async def test_a_cancelled_calendar_tells_everybody_and_can_be_opened_anew(hall: Hall):
    room = hall.rooms["多功能室"]
    await hall.book(ME, "多功能室", AT_TWO)
    await hall.book(OTHER, "多功能室", moment(THURSDAY, 14), party=30)
    await hall.run(CancelOffering(offering_id=room), OFFICER)
    assert (set((await hall.states()).values()), await hall.seats()) == ({"cancelled"}, 0)
    assert await hall.told(ME) == await hall.told(OTHER) == ["notices.cancelled_by_us"]
    assert "已通知 2 位老师" in hall.reply
    await hall.run(OpenOffering(offering_id=room), OFFICER)
    await hall.book(ME, "多功能室", AT_TWO)


# --- what is seen


async def test_the_agenda_is_one_s_own_alone(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET}, fields={"mode": "线上"})
    await hall.book(OTHER, "高老师", AT_TWO, confidential={"note": "别人的话"})
    outcome = await hall.run(c.Agenda(), "何医生")
    ((row),) = outcome.params["rows"]
    assert (row["id"], row["member"], row["words"], row["starts_at"]) == (number, ME, [SECRET], AT_TWO)
    assert "别人的话" not in hall.reply
    assert outcome.data["calendars"] == [{"id": hall.rooms["何医生"], "title": "何医生"}]
    for who in (OFFICER, ME):
        await hall.run(c.Agenda(), who)
        assert hall.reply == "接下来 7 天没有预约。"


async def test_the_agenda_ends_with_its_days(hall: Hall):
    await hall.book(ME, "何医生", moment(TUESDAY + timedelta(days=7), 14))
    assert (await hall.run(c.Agenda(days=8), "何医生")).params["rows"] == []
    assert len((await hall.run(c.Agenda(days=9), "何医生")).params["rows"]) == 1


async def test_counts_are_numbers(hall: Hall):
    await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET})
    number = await hall.book(OTHER, "高老师", AT_TWO)
    await hall.run(c.Cancel(appointment_id=number), OTHER)
    await hall.hold("陈静", "高老师", AT_TWO)
    outcome = await hall.run(c.Counts(service="counseling"), OFFICER)
    assert outcome.data["rows"] == [
        {"month": "2026-11", "state": "booked", "count": 1},
        {"month": "2026-11", "state": "cancelled", "count": 1},
    ]
    assert hall.reply == "心理咨询：\n2026-11 已约 1 次\n2026-11 取消 1 次"
    assert not any(name in hall.reply for name in (ME, OTHER, "陈静"))


async def test_no_officer_reads_a_name_of_counselling(hall: Hall):
    """Whatever happens, nothing that goes to anybody but the member names them, and the audit has pseudonyms."""
    number = await hall.book(ME, "何医生", AT_TWO, confidential={"note": SECRET})
    await hall.run(c.Move(appointment_id=number, offering_id=hall.rooms["高老师"], starts_at=AT_TWO), ME)
    await hall.wait(OTHER, "counseling", AT_TWO, moment(WEDNESDAY, 15), titles=["高老师"])
    await hall.run(c.Cancel(appointment_id=number), ME)
    (offer,) = await hall.all(Appointment, Appointment.state == "offered")
    await hall.run(c.DeclineOffer(appointment_id=offer.id), OTHER)
    pushed = {row.member_id for row, _key, _params in await hall.queued(ever=True)}
    assert hall.people[OFFICER] not in pushed
    for who in OWNERS.values():
        assert not any(name in text for text in await hall.texts(who) for name in (ME, OTHER))
    staff = {member.staff_id for member in await hall.all(Member)}
    audit = await hall.audit()
    assert [row.command for row in audit] == [
        "appointments.book",
        "appointments.move",
        "appointments.join_waitlist",
        "appointments.cancel",
        "appointments.decline_offer",
    ]
    assert {row.actor for row in audit} == {hall.vault.pseudonym(f"member:{hall.people[who]}") for who in (ME, OTHER)}
    assert not {row.actor for row in audit} & staff
    assert all(row.detail == {} for row in audit)


async def test_of_rooms_the_audit_names_who_booked(hall: Hall):
    await hall.book(ME, "瑜伽室", AT_TWO)
    (entry,) = await hall.audit()
    assert entry.actor == (await hall.all(Member, Member.name == ME))[0].staff_id


async def test_the_emergency_contact_is_the_counsellor_s_and_each_look_is_in_the_audit(hall: Hall):
    number = await hall.book(ME, "何医生", AT_TWO)
    look = c.EmergencyContact(appointment_id=number, reason="电话里说想不开")
    await hall.run(look, "何医生")
    assert hall.reply.startswith(f"{ME}老师留的紧急联系人：林母 13900000001。")
    entry = (await hall.audit())[-1]
    counsellor = (await hall.all(Member, Member.name == "何医生"))[0].staff_id
    assert (entry.command, entry.actor, entry.subject) == (
        "appointments.emergency_contact",
        counsellor,
        f"appointment:{number}",
    )
    await hall.run(c.Cancel(appointment_id=number), ME)
    assert await hall.refused(look, "何医生") == "not_found"
    room = await hall.book(ME, "多功能室", AT_TWO)
    assert await hall.refused(look.model_copy(update={"appointment_id": room}), "黄海涛") == "not_found"
    assert NOW < AT_TWO
