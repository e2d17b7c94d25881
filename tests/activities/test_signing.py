"""Signing up, waiting, being offered a place, withdrawing: what the database holds and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from actions.activities import commands as c
from actions.activities.tables import Entry, Person
from actions.core.tables import Outgoing
from tests.activities.world import FESTIVAL_AT, LECTURE_AT, OFFICER, OWNER, UNIT_OFFICER

if TYPE_CHECKING:
    from tests.activities.world import Field


async def test_who_comes_late_waits_and_is_offered_what_is_given_back(field: Field) -> None:
    first = await field.enrol("林一帆", "讲座")
    await field.enrol("王敏", "讲座")
    await field.enrol("李秀芳", "讲座")
    assert "报上了" in field.reply
    late = await field.enrol("张建国", "讲座")
    assert await field.state(late) == "waiting"
    assert "排上候补" in field.reply
    await field.run(c.Withdraw(entry_id=first), "林一帆")
    assert await field.states("讲座") == ["withdrawn", "registered", "registered", "offered"]
    assert "接受" in (await field.texts("张建国", "enrolment.offer"))[0]
    await field.run(c.AcceptOffer(entry_id=late), "张建国")
    assert await field.state(late) == "registered"
    assert await field.places("讲座") == 3


async def test_an_offer_that_is_not_taken_goes_on_to_the_next(field: Field) -> None:
    first = await field.enrol("林一帆", "团辅")
    waits = [await field.enrol(name, "团辅") for name in ("张建国", "王敏")]
    await field.run(c.Withdraw(entry_id=first), "林一帆")
    field.now += timedelta(hours=25)
    assert await field.refused(c.AcceptOffer(entry_id=waits[0]), "张建国") == "offer_gone"
    await field.sweep()
    assert [await field.state(number) for number in waits] == ["expired", "offered"]
    assert await field.refused(c.AcceptOffer(entry_id=waits[1]), "林一帆") == "forbidden"
    await field.run(c.DeclineOffer(entry_id=waits[1]), "王敏")
    assert await field.places("团辅") == 0


async def test_of_a_private_activity_nothing_is_pushed_that_gives_it_away(field: Field) -> None:
    await field.enrol("林一帆", "团辅")
    waits = await field.enrol("张建国", "团辅")
    await field.run(c.Withdraw(entry_id=1), "林一帆")
    pushed = [*await field.texts("张建国"), *await field.texts("林一帆")]
    assert pushed
    assert not any("团辅" in text or "团体" in text for text in pushed)
    assert await field.refused(c.ListEntries(offering_id=field.things["团辅"]), OFFICER) == "forbidden"
    await field.run(c.ListEntries(offering_id=field.things["团辅"]), OWNER)
    assert "张建国" in field.reply
    assert await field.state(waits) == "offered"


async def test_a_unit_has_its_share_and_no_more(field: Field) -> None:
    for name in ("林一帆", "张建国", "朱思远"):
        await field.enrol(name, "讲座")
    assert await field.states("讲座") == ["registered", "registered", "waiting"]
    assert "本单位的名额" in field.reply
    third = await field.enrol("王敏", "讲座")
    assert await field.state(third) == "registered", "the place that is left is another unit's"
    await field.run(c.Withdraw(entry_id=third), "王敏")
    assert await field.states("讲座") == ["registered", "registered", "waiting", "withdrawn"]


async def test_nobody_is_in_twice(field: Field) -> None:
    number = await field.enrol("林一帆", "讲座")
    assert await field.refused(field.enrolment("讲座"), "林一帆") == "already_in"
    await field.run(c.Withdraw(entry_id=number), "林一帆")
    await field.enrol("林一帆", "讲座")
    assert await field.states("讲座") == ["withdrawn", "registered"]


async def test_two_events_each(field: Field) -> None:
    await field.enrol("林一帆", "跳绳")
    await field.enrol("林一帆", "双打", "林一帆", "王敏")
    assert await field.refused(field.enrolment("男子100米"), "林一帆") == "too_many_events"
    assert "跳绳、双打" in field.reply
    assert await field.refused(field.enrolment("接力", "张建国", "林一帆"), "张建国") == "too_many_events"
    assert "林一帆老师已经报了" in field.reply


@pytest.mark.parametrize(("who", "title"), [("林一帆", "插花"), ("王敏", "男子100米")])
async def test_who_is_not_meant_is_told_why(field: Field, who: str, title: str) -> None:
    assert await field.refused(field.enrolment(title), who) == "may_not_join"
    assert "按性别分组" in field.reply
    assert await field.all(Entry) == []


async def test_what_the_roster_says_of_a_colleague_is_not_told(field: Field) -> None:
    assert await field.refused(field.enrolment("插花", "林一帆"), UNIT_OFFICER) == "may_not_join"
    assert "林一帆老师" in field.reply
    assert "性别" not in field.reply


async def test_on_behalf_of_others_by_those_with_the_right(field: Field) -> None:
    assert await field.refused(field.enrolment("讲座", "张建国"), "林一帆") == "not_on_your_behalf"
    assert await field.refused(field.enrolment("讲座", "王敏"), UNIT_OFFICER) == "not_on_your_behalf"
    number = await field.enrol(UNIT_OFFICER, "讲座", "张建国")
    (entry,) = await field.all(Entry)
    assert (entry.member.name, entry.filed_by) == ("张建国", field.people[UNIT_OFFICER])
    assert "给您报上了" in (await field.texts("张建国", "enrolment.signed_up_for_you"))[0]
    await field.run(c.Withdraw(entry_id=number), "张建国")
    await field.enrol(OFFICER, "讲座", "王敏")
    assert await field.states("讲座") == ["withdrawn", "registered"]


async def test_sign_up_ends_and_a_start_comes_too_near(field: Field) -> None:
    number = await field.enrol("林一帆", "讲座")
    field.now = LECTURE_AT - timedelta(hours=1)
    assert await field.refused(c.Withdraw(entry_id=number), "林一帆") == "too_late_to_withdraw"
    await field.run(c.Withdraw(entry_id=number), OFFICER)
    field.now = LECTURE_AT
    assert await field.refused(field.enrolment("讲座"), "王敏") == "signup_over"
    field.now = FESTIVAL_AT - timedelta(days=5)
    assert await field.refused(field.enrolment("跳绳"), "王敏") == "signup_over"


async def test_strangers_withdraw_nobody(field: Field) -> None:
    number = await field.enrol("林一帆", "讲座")
    assert await field.refused(c.Withdraw(entry_id=number), "王敏") == "forbidden"
    assert await field.refused(c.Withdraw(entry_id=999), "王敏") == "not_found"
    await field.run(c.Withdraw(entry_id=number, reason="重复了"), UNIT_OFFICER)
    assert "重复了" in (await field.texts("林一帆", "enrolment.withdrawn"))[0]


async def test_reminders_go_with_what_they_remind_of(field: Field) -> None:
    number = await field.enrol("林一帆", "讲座")
    waiting = Outgoing.state == "queued", Outgoing.kind == "reminder"
    due = [row.due_at for row in await field.all(Outgoing, *waiting)]
    assert [LECTURE_AT - moment for moment in due] == [timedelta(hours=24), timedelta(hours=2)]
    await field.run(c.Withdraw(entry_id=number), "林一帆")
    assert await field.all(Outgoing, *waiting) == []


async def test_who_waits_when_it_begins_is_told_that_it_is_over(field: Field) -> None:
    await field.enrol("林一帆", "团辅")
    waits = await field.enrol("张建国", "团辅")
    field.now = LECTURE_AT
    assert await field.sweep() == 1
    assert await field.state(waits) == "expired"
    assert "没等到空位" in (await field.texts("张建国"))[0]
    assert await field.sweep() == 0


async def test_records_go_when_their_time_is_over(field: Field) -> None:
    number = await field.enrol("林一帆", "讲座")
    field.now = LECTURE_AT + timedelta(days=729)
    await field.sweep()
    assert len(await field.all(Entry, Entry.id == number)) == 1
    field.now = LECTURE_AT + timedelta(days=732)
    await field.sweep()
    left = await field.all(Entry, Entry.id == number), await field.all(Person, Person.entry_id == number)
    assert (*left, await field.places("讲座")) == ([], [], 0)
