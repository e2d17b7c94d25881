"""Clubs: who leads one sees its people and its year; a meeting is reported, confirmed, and checked in at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from actions.activities import commands as c
from actions.activities.doors import CheckIn
from actions.activities.report_tables import MeetingReport
from actions.activities.reporting import ConfirmReport, Report, SendBackReport, ShowReports
from actions.activities.rules import spec_of
from actions.activities.tables import Person
from actions.core.tables import Offering, RoleGrant
from tests.activities.world import LEADER, OFFICER, OWNER, UNIT_OFFICER

if TYPE_CHECKING:
    from tests.activities.world import Field

CLUB = "羽毛球协会"


async def member(field: Field, who: str = "林一帆") -> int:
    """Somebody is in the club."""
    number = await field.enrol(who, CLUB)
    await field.run(c.Approve(entry_id=number), LEADER)
    return number


def meeting(field: Field, start: datetime, **more: Any) -> Report:
    given = {"title": "双打练习", "place": "体育馆", "people": 20, "ends_at": start + timedelta(hours=2)}
    return Report(offering_id=field.things[CLUB], starts_at=start, **{**given, **more})


async def reported(field: Field, start: datetime) -> MeetingReport:
    """The leader has reported a meeting."""
    await field.run(meeting(field, start), LEADER)
    return (await field.all(MeetingReport))[-1]


async def sessions(field: Field) -> int:
    (club,) = await field.all(Offering, Offering.id == field.things[CLUB])
    return len(spec_of(club).sessions)


async def test_a_meeting_is_reported_confirmed_told_and_checked_in(field: Field) -> None:
    await member(field)
    (person,) = await field.all(Person, Person.member_id == field.people["林一帆"])
    start = field.now + timedelta(hours=30)
    row = await reported(field, start)
    assert "校工会确认以后告诉您" in field.reply
    assert "预计 20 人" in (await field.texts(OFFICER, "clubs."))[0]
    assert (await sessions(field), await field.texts("林一帆", "enrolment.club_meets")) == (0, [])
    await field.run(ConfirmReport(report_id=row.id), OFFICER)
    assert "双打练习" in (await field.texts("林一帆", "enrolment.club_meets"))[0]
    assert "报备确认了" in (await field.texts(LEADER, "clubs."))[0]
    assert await field.refused(CheckIn(code=str(person.ticket)), LEADER) == "no_session_now"
    field.now = start
    await field.run(CheckIn(code=str(person.ticket)), LEADER)
    assert await field.refused(CheckIn(code=str(person.ticket)), LEADER) == "ticket_used"
    field.now = start + timedelta(days=20)
    await field.run(ShowReports(offering_id=field.things[CLUB]), LEADER)
    assert "2026 年的活动，1 次" in field.reply
    assert "预计 20 人，到 1 人" in field.reply
    await field.enrol("王敏", CLUB)
    assert "交上去了" in field.reply, "a club takes people after a meeting, too"


async def test_a_meeting_that_is_sent_back_reaches_no_member(field: Field) -> None:
    await member(field)
    row = await reported(field, field.now + timedelta(days=3))
    await field.run(SendBackReport(report_id=row.id, reason="体育馆检修"), OFFICER)
    assert "退回来了：体育馆检修" in (await field.texts(LEADER, "clubs."))[0]
    assert await field.texts("林一帆", "enrolment.club_meets") == []
    assert await sessions(field) == 0
    assert await field.refused(ConfirmReport(report_id=row.id), OFFICER) == "already_decided"
    await field.run(ShowReports(offering_id=field.things[CLUB]), LEADER)
    assert "（退回）" in field.reply


async def test_a_report_comes_in_time_and_has_an_end(field: Field) -> None:
    soon = field.now + timedelta(hours=1)
    assert await field.refused(meeting(field, soon), LEADER) == "report_late"
    later = field.now + timedelta(days=2)
    assert await field.refused(meeting(field, later, ends_at=later), LEADER) == "bad_period"
    assert await field.all(MeetingReport) == []
    await field.run(meeting(field, soon), OFFICER)
    assert (await field.all(MeetingReport))[0].state == "confirmed", "an officer of the union enters what is agreed"


@pytest.mark.parametrize("who", [LEADER, UNIT_OFFICER, "林一帆"])
async def test_only_an_officer_of_the_union_confirms(field: Field, who: str) -> None:
    row = await reported(field, field.now + timedelta(days=3))
    assert await field.refused(ConfirmReport(report_id=row.id), who) == "forbidden"
    assert await field.refused(SendBackReport(report_id=row.id), who) == "forbidden"


async def test_a_leader_who_is_an_officer_does_not_confirm_their_own(field: Field) -> None:
    async with field.database.write() as session:
        session.add(RoleGrant(member_id=field.people[LEADER], role="union_officer"))
    row = await reported(field, field.now + timedelta(days=3))
    assert row.state == "reported"
    assert await field.refused(ConfirmReport(report_id=row.id), LEADER) == "forbidden"
    await field.run(ConfirmReport(report_id=row.id), OFFICER)


async def test_leaders_see_their_own_club_only(field: Field) -> None:
    await member(field)
    for command in (c.ListEntries(offering_id=field.things[CLUB]), ShowReports(offering_id=field.things[CLUB])):
        for who in (OWNER, UNIT_OFFICER, "林一帆"):
            assert await field.refused(command, who) == "forbidden"
        await field.run(command, LEADER)
    await field.run(c.ListEntries(offering_id=field.things[CLUB]), LEADER)
    assert "林一帆 文学院" in field.reply
    assert await field.refused(c.ListEntries(offering_id=field.things["讲座"]), LEADER) == "forbidden"


async def test_who_leaves_a_club_is_off_its_list_and_its_leader_is_told(field: Field) -> None:
    number = await member(field)
    await field.run(c.Withdraw(entry_id=number), "林一帆")
    assert await field.texts(LEADER, "clubs.left") == ["林一帆老师退出了羽毛球协会。"]
    await field.run(c.ListEntries(offering_id=field.things[CLUB]), LEADER)
    assert "林一帆" not in field.reply
    again = await member(field)
    assert await field.state(again) == "registered", "who left may come back"
