"""Asking for answers: who is asked, reminded and counted; leave takes no place and is no coming."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from actions.activities.asked import ActivityRosters, asked
from actions.activities.asking import Answers, Call
from actions.activities.rules import ActivitySpec
from actions.activities.tables import Entry, Person
from actions.blocks.eligibility import refusal, traits
from actions.core.commands import SYSTEM
from actions.core.tables import Batch, Member, Outgoing, RoleGrant
from actions.core.zones import local
from tests.activities.world import CHOICE_ENDS, LEADER, OFFICER, OWNER, UNIT_OFFICER, catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.activities.world import Field

TITLE = "推进会"
COMES: Mapping[str, Mapping[str, str]] = {"fields": {"answer": "参加"}}
LEAVES: Mapping[str, Mapping[str, str]] = {"fields": {"answer": "请假"}, "confidential": {"reason": "出差"}}


async def test_leave_takes_no_place_and_tells_who_called(field: Field) -> None:
    entry = await field.enrol(UNIT_OFFICER, TITLE, **LEAVES)
    assert await field.state(entry) == "excused"
    assert await field.places(TITLE) == 0
    assert "原因转给召集人" in field.reply
    assert await field.texts(OWNER, "asking.") == [f"{UNIT_OFFICER}老师请假，推进会来不了：出差。"]
    (row,) = await field.all(Entry)
    assert "出差" not in str(row.fields), "the reason is for who called alone"
    (person,) = await field.all(Person)
    assert person.ticket is None


async def test_who_comes_after_all_takes_a_place_and_gives_it_back(field: Field) -> None:
    entry = await field.enrol(UNIT_OFFICER, TITLE, **LEAVES)
    assert await field.enrol(UNIT_OFFICER, TITLE, **COMES) == entry
    assert await field.state(entry) == "registered"
    assert "签到码" not in field.reply or (await field.all(Person))[0].ticket
    assert await field.places(TITLE) == 1
    assert await field.enrol(UNIT_OFFICER, TITLE, **LEAVES) == entry
    assert await field.state(entry) == "excused"
    assert await field.places(TITLE) == 0
    assert (await field.all(Person))[0].ticket is None
    reminders = await field.all(Outgoing, Outgoing.kind == "reminder", Outgoing.state == "queued")
    assert not reminders, "who is on leave is not reminded of coming"


async def test_a_full_meeting_takes_leave_all_the_same(field: Field) -> None:
    for who in (OFFICER, UNIT_OFFICER):
        await field.enrol(who, TITLE, **COMES)
    assert await field.refused(field.enrolment(TITLE, **COMES), "王敏") == "full"
    await field.enrol("王敏", TITLE, **LEAVES)
    assert await field.refused(field.enrolment(TITLE, **COMES), "王敏") == "full"
    assert await field.states(TITLE) == ["registered", "registered", "excused"]


async def test_leave_has_a_reason_and_its_time(field: Field) -> None:
    silent = field.enrolment(TITLE, fields={"answer": "请假"})
    assert await field.refused(silent, UNIT_OFFICER) == "leave_reason"
    await field.enrol(UNIT_OFFICER, TITLE, **COMES)
    field.now = CHOICE_ENDS
    assert await field.refused(field.enrolment(TITLE, **LEAVES), UNIT_OFFICER) == "answers_closed"
    assert await field.refused(field.enrolment(TITLE, **LEAVES), "林一帆") == "may_not_join"


async def _told(field: Field) -> list[tuple[str, int]]:
    """What was sent to many: the sentence, and to how many."""
    batches = await field.all(Batch)
    rows = await field.all(Outgoing, Outgoing.batch_id.is_not(None))
    keys = [field.vault.open(batch.content, about="outgoing")["parts"][0][0] for batch in batches]
    return [(key, sum(row.batch_id == batch.id for row in rows)) for key, batch in zip(keys, batches, strict=True)]


async def test_everybody_who_is_asked_is_told_and_who_is_silent_is_reminded_once(field: Field) -> None:
    call = Call(offering_id=field.things[TITLE])
    assert await field.refused(call, UNIT_OFFICER) == "forbidden"
    await field.enrol(OFFICER, TITLE, **COMES)
    await field.run(call, OWNER)
    assert await _told(field) == [("meetings.invitation", 2)], "who has answered is left alone"
    assert await field.refused(call, OWNER) == "called_today"
    field.now = CHOICE_ENDS - timedelta(hours=25)
    await field.sweep()
    assert len(await _told(field)) == 1
    await field.enrol(UNIT_OFFICER, TITLE, **LEAVES)
    field.now = CHOICE_ENDS - timedelta(hours=23)
    await field.sweep()
    await field.sweep()
    assert await _told(field) == [("meetings.invitation", 2), ("asking.reminder", 1)]


async def test_nobody_is_reminded_of_what_they_never_heard_of(field: Field) -> None:
    field.now = CHOICE_ENDS - timedelta(hours=1)
    await field.sweep()
    assert await _told(field) == []
    async with field.database.read() as session:
        due = ActivityRosters().due(field.context(session, SYSTEM), CHOICE_ENDS, CHOICE_ENDS + timedelta(minutes=1))
        assert await due == []


async def test_who_called_sees_how_it_stands(field: Field) -> None:
    await field.enrol(OFFICER, TITLE, **COMES)
    await field.enrol(UNIT_OFFICER, TITLE, **LEAVES)
    command = Answers(offering_id=field.things[TITLE])
    assert await field.refused(command, UNIT_OFFICER) == "forbidden"
    await field.run(command, OWNER)
    for part in ("已答复 2 位，还差 1 位", "参加 1 位，请假 1 位", f"{UNIT_OFFICER}老师请假：出差", "还没答复：王敏"):
        assert part in field.reply
    assert await field.refused(Answers(offering_id=field.things["讲座"]), OWNER) == "not_found"


async def test_rosters_are_found_by_their_deadline(field: Field) -> None:
    for title in ("元旦福利", TITLE):
        await field.run(Call(offering_id=field.things[title]), OWNER)
    async with field.database.read() as session:
        context, rosters = field.context(session, SYSTEM), ActivityRosters()
        due = await rosters.due(context, CHOICE_ENDS, CHOICE_ENDS + timedelta(minutes=1))
        assert [roster.title for roster in due] == ["元旦福利", TITLE]
        assert not await rosters.due(context, CHOICE_ENDS - timedelta(days=1), CHOICE_ENDS)
        assert await rosters.roster(context, f"offering:{field.things['讲座']}") is None
        assert await rosters.roster(context, "offering:99999") is None


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"sexes": ["女"]},
        {"statuses": ["retired"]},
        {"units": ["文学院"]},
        {"tags": ["代表"]},
        {"roles": ["unit_officer"]},
        {"staff_ids": ["20180000"], "tags": ["代表"]},
        {"enrolled_by": "2026-11-01"},
        {"min_age": 35},
        {"max_age": 34},
        {"min_age": 22, "max_age": 22},
        {"sexes": ["男"], "units": ["机电学院"], "max_age": 60},
    ],
)
async def test_the_query_asks_whom_the_rule_lets_in(field: Field, rule: dict[str, object]) -> None:
    today = local(field.now).date()
    async with field.database.write() as session:
        for number, who in enumerate(("林一帆", "王敏", "张建国", LEADER, OFFICER)):
            member = await session.get_one(Member, field.people[who])
            member.birthday = [date(1991, 11, 23), date(1991, 11, 24), date(2004, 2, 29), today, None][number]
            member.enrolled_on = date(2026, 10, 31) + timedelta(days=number)
            member.tags = ["代表", "青年"] if number % 2 else ["单身"]
        (await session.get_one(Member, field.people["刘志强"])).status = "retired"
        (await session.get_one(Member, field.people["朱思远"])).status = "left"
    service, spec = catalogue()["benefits"], ActivitySpec.model_validate({"eligibility": rule})
    members, grants = await field.all(Member), await field.all(RoleGrant)
    async with field.database.read() as session:
        found = set((await session.execute(asked(field.context(session, SYSTEM), service, spec))).scalars())
    assert spec.eligibility is not None
    fitting = {
        member.id
        for member in members
        if member.status in service.who.status
        and refusal(
            spec.eligibility,
            traits(member, {grant.role for grant in grants if grant.member_id == member.id}, today),
        )
        is None
    }
    assert found == fitting
