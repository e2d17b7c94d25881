"""Clubs, check-in, results, and what becomes of an offering that is changed: rights, and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from actions.activities import ActivityRegistrants
from actions.activities import commands as c
from actions.activities.doors import CheckIn, Mark
from actions.activities.tables import Attendance, Entry, Person
from actions.core.commands import SYSTEM
from actions.core.offerings import CancelOffering, CloseOffering, EditOffering
from actions.core.tables import Offering
from tests.activities.world import LEADER, LECTURE_AT, OFFICER, OWNER, UNIT_OFFICER

if TYPE_CHECKING:
    from tests.activities.world import Field


async def ticket(field: Field, who: str) -> str:
    (person,) = await field.all(Person, Person.member_id == field.people[who], Person.ticket.is_not(None))
    return person.ticket or ""


async def test_the_clubs_leader_decides_and_nobody_else(field: Field) -> None:
    number = await field.enrol("林一帆", "羽毛球协会")
    assert await field.state(number) == "pending"
    for who in ("林一帆", UNIT_OFFICER, OFFICER):
        assert await field.refused(c.Approve(entry_id=number), who) == "forbidden"
    await field.run(c.Approve(entry_id=number), LEADER)
    assert "同意了" in (await field.texts("林一帆"))[0]
    assert await field.refused(c.Approve(entry_id=number), LEADER) == "already_decided"
    own = await field.enrol(LEADER, "羽毛球协会")
    assert await field.refused(c.Approve(entry_id=own), LEADER) == "forbidden", "nobody decides on their own entry"


async def test_a_refusal_says_why(field: Field) -> None:
    number = await field.enrol("林一帆", "羽毛球协会")
    await field.run(c.Refuse(entry_id=number, reason="场地满了"), LEADER)
    assert "场地满了" in (await field.texts("林一帆"))[0]
    assert await field.state(number) == "refused"
    assert await field.enrol("林一帆", "羽毛球协会") != number


async def test_a_code_counts_once_and_only_at_its_time(field: Field) -> None:
    await field.enrol("林一帆", "讲座")
    code = await ticket(field, "林一帆")
    assert code in field.reply
    assert await field.refused(CheckIn(code=code), OFFICER) == "no_session_now"
    field.now = LECTURE_AT - timedelta(minutes=10)
    assert await field.refused(CheckIn(code=code), "王敏") == "forbidden"
    await field.run(CheckIn(code=f" {code.lower()} "), OWNER)
    assert "林一帆老师签到了" in field.reply
    assert await field.refused(CheckIn(code=code), OFFICER) == "ticket_used"
    assert len(await field.all(Attendance)) == 1
    forged = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert await field.refused(CheckIn(code=forged), OFFICER) == "ticket_unknown"


async def test_a_code_goes_with_its_entry(field: Field) -> None:
    number = await field.enrol("林一帆", "讲座")
    code = await ticket(field, "林一帆")
    await field.run(c.Withdraw(entry_id=number), "林一帆")
    field.now = LECTURE_AT
    assert await field.refused(CheckIn(code=code), OFFICER) == "ticket_unknown"


async def test_attendance_by_hand_can_be_taken_back(field: Field) -> None:
    number = await field.enrol("林一帆", "讲座")
    await field.run(Mark(entry_id=number), OWNER)
    assert len(await field.all(Attendance)) == 1
    await field.run(Mark(entry_id=number, attended=False), OWNER)
    assert await field.all(Attendance) == []
    assert await field.refused(Mark(entry_id=number, session=1), OWNER) == "no_such_session"
    assert await field.refused(Mark(entry_id=number), "林一帆") == "forbidden"


async def test_a_result_is_told(field: Field) -> None:
    number = await field.enrol("林一帆", "跳绳")
    await field.run(c.SetResult(entry_id=number, result="第二名"), OFFICER)
    assert "第二名" in (await field.texts("林一帆", "enrolment.result"))[0]
    assert (await field.all(Entry))[0].fields["result"] == "第二名"


async def test_a_cancelled_activity_tells_everybody_once(field: Field) -> None:
    await field.enrol("林一帆", "双打", "林一帆", "王敏")
    await field.enrol("张建国", "双打", "张建国", "李秀芳")
    outcome = await field.run(CancelOffering(offering_id=field.things["双打"]), OFFICER)
    assert outcome.params["told"] == 2
    for who in ("林一帆", "王敏", "张建国", "李秀芳"):
        texts = await field.texts(who, "enrolment.cancelled")
        assert len(texts) == 1
        assert "取消了" in texts[0]
    assert await field.states("双打") == ["cancelled", "cancelled"]
    assert await field.places("双打") == 0


async def test_a_new_time_is_told_with_its_reminders_and_a_larger_hall_is_offered(field: Field) -> None:
    for name in ("林一帆", "王敏", "李秀芳", "张建国"):
        await field.enrol(name, "讲座")
    (offering,) = await field.all(Offering, Offering.title == "讲座")
    start = LECTURE_AT + timedelta(days=1)
    later = [{"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=2)).isoformat()}]
    spec = {"sessions": later, "quota": {"total": 4}}
    await field.run(EditOffering(offering_id=offering.id, spec=spec), OFFICER)
    assert "11月26日(周四)14:30" in (await field.texts("林一帆", "enrolment.moved"))[0]
    assert await field.states("讲座") == ["registered", "registered", "registered", "offered"]
    field.now = LECTURE_AT
    assert len(await field.texts("林一帆", "enrolment.remind")) == 2


async def test_a_closed_activity_takes_no_more(field: Field) -> None:
    await field.enrol("林一帆", "讲座")
    await field.run(CloseOffering(offering_id=field.things["讲座"]), OFFICER)
    assert await field.refused(field.enrolment("讲座"), "王敏") == "signup_over"
    assert await field.states("讲座") == ["registered"]


async def test_registrants_are_everybody_on_the_lists(field: Field) -> None:
    await field.enrol("林一帆", "双打", "林一帆", "王敏")
    await field.enrol("张建国", "双打", "张建国", "李秀芳")
    async with field.database.read() as session:
        context = field.context(session, SYSTEM)
        offering = await session.get_one(Offering, field.things["双打"])
        query = await ActivityRegistrants().registrants(context, offering)
        found = set((await session.execute(query)).scalars())
    assert found == {field.people["林一帆"], field.people["王敏"]}, "who waits is not in"


async def test_an_overview_counts_and_names_nobody(field: Field) -> None:
    for name in ("林一帆", "王敏"):
        await field.enrol(name, "讲座")
    await field.run(c.Overview(), OWNER)
    assert "讲座：已报 2/3" in field.reply
    assert "林一帆" not in field.reply
    await field.run(c.Overview(), "林一帆")
    assert "没有在进行的活动" in field.reply
