"""Pairs, relays and teams: who may stand together, nobody in two, lists that change until they are locked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from actions.activities import commands as c
from actions.activities.tables import Entry, Person
from actions.core.tables import Outgoing
from tests.activities.world import FESTIVAL_AT, LEADER, OFFICER, UNIT_OFFICER

if TYPE_CHECKING:
    from tests.activities.world import Field

TEAM = ("林一帆", UNIT_OFFICER, "张建国")


async def names(field: Field, entry_id: int) -> list[str]:
    (entry,) = await field.all(Entry, Entry.id == entry_id)
    return [person.member.name for person in entry.people]


@pytest.mark.parametrize(
    ("team", "told"),
    [
        ((UNIT_OFFICER,), "至少要 2 个"),
        ((UNIT_OFFICER, "林一帆", "张建国", "朱思远", "郑凯文"), "最多 4 个"),
        (("林一帆", "张建国"), "至少要有 1 位女老师"),
        (("林一帆", "王敏"), "文学院要自己组队"),
    ],
)
async def test_a_team_that_does_not_fit_is_told_what_is_missing(field: Field, team: tuple[str, ...], told: str) -> None:
    assert await field.refused(field.enrolment("篮球", *team), UNIT_OFFICER if team != ("林一帆", "王敏") else OFFICER)
    assert told in field.reply
    assert await field.all(Entry) == []


async def test_numbers_are_worn_once(field: Field) -> None:
    numbers = {field.staff["林一帆"]: 7, field.staff[UNIT_OFFICER]: 7}
    assert await field.refused(field.enrolment("篮球", *TEAM, numbers=numbers), UNIT_OFFICER) == "team_of"
    assert "7号写了两次" in field.reply


async def test_nobody_is_in_two_teams(field: Field) -> None:
    await field.enrol(UNIT_OFFICER, "篮球", *TEAM)
    other = field.enrolment("篮球", "王敏", "林一帆")
    assert await field.refused(other, OFFICER) == "in_another"
    assert "林一帆老师已经报了" in field.reply
    keys = [person.open_key for person in await field.all(Person)]
    assert len(keys) == len(set(keys)) == 3


async def test_a_list_changes_until_it_is_locked(field: Field) -> None:
    number = await field.enrol(UNIT_OFFICER, "篮球", *TEAM)
    assert await field.enrol(UNIT_OFFICER, "篮球", "林一帆", UNIT_OFFICER, "朱思远") == number
    assert await names(field, number) == ["林一帆", UNIT_OFFICER, "朱思远"]
    assert "加进了篮球的名单" in (await field.texts("朱思远"))[0]
    assert any("不在里面" in text for text in await field.texts("张建国"))
    field.now = FESTIVAL_AT - timedelta(days=4)
    assert await field.enrol(UNIT_OFFICER, "篮球", *TEAM) == number, "sign-up is over, the list is not locked yet"
    field.now = FESTIVAL_AT - timedelta(days=3)
    assert await field.refused(field.enrolment("篮球", "林一帆", UNIT_OFFICER), UNIT_OFFICER) == "roster_locked"
    assert await names(field, number) == list(TEAM)


async def test_a_person_goes_to_the_unit_and_the_unit_files(field: Field) -> None:
    wish = await field.enrol("林一帆", "篮球", wish=True)
    assert "文学院分工会" in field.reply
    assert await field.refused(field.enrolment("篮球", wish=True), "林一帆") == "already_in"
    assert "报上" in (await field.texts(UNIT_OFFICER))[0]
    assert await field.refused(c.File(entry_id=wish), LEADER) == "forbidden"
    await field.run(c.File(entry_id=wish), UNIT_OFFICER)
    assert await field.state(wish) == "accepted"
    team = await field.enrol(UNIT_OFFICER, "篮球", *TEAM)
    assert (await field.state(wish), await field.state(team)) == ("filed", "registered")


async def test_a_member_hands_the_list_to_the_unit(field: Field) -> None:
    team = await field.enrol("林一帆", "篮球", *TEAM)
    assert (await field.state(team), await field.places("篮球")) == ("wished", 0)
    assert await field.refused(c.File(entry_id=team), "林一帆") == "forbidden"
    await field.run(c.SendBack(entry_id=team, reason="再加一位女老师"), UNIT_OFFICER)
    assert "再加一位女老师" in (await field.texts("林一帆"))[0]
    again = await field.enrol("林一帆", "篮球", *TEAM)
    await field.run(c.File(entry_id=again), UNIT_OFFICER)
    assert (await field.state(again), await field.places("篮球")) == ("registered", 1)
    assert await field.refused(c.File(entry_id=again), UNIT_OFFICER) == "already_decided"


async def test_a_units_share_of_nominations(field: Field) -> None:
    for name in ("林一帆", "张建国"):
        number = await field.enrol(name, "青教赛")
        await field.run(c.File(entry_id=number), UNIT_OFFICER)
    assert await field.states("青教赛") == ["registered", "waiting"]
    assert "先排上候补" in field.reply


async def test_a_pair_is_two_and_a_partner_leaves_it(field: Field) -> None:
    assert await field.refused(field.enrolment("双打", "林一帆"), "林一帆") == "team_of"
    number = await field.enrol("林一帆", "双打", "林一帆", "王敏")
    await field.run(c.Withdraw(entry_id=number), "王敏")
    assert await field.state(number) == "withdrawn"
    assert "退掉了" in (await field.texts("林一帆"))[0]
    await field.enrol("王敏", "双打", "王敏", "李秀芳")


async def test_a_leader_may_stand_outside_and_is_reminded(field: Field) -> None:
    leader = field.staff["刘志强"]
    number = await field.enrol(OFFICER, "篮球", "王敏", "李秀芳", leader=leader, captain=field.staff["王敏"])
    (entry,) = await field.all(Entry, Entry.id == number)
    assert {person.member.name: person.role for person in entry.people} == {
        "王敏": "captain",
        "李秀芳": "player",
        "刘志强": "leader",
    }
    assert await field.refused(field.enrolment("篮球", "刘志强", "王敏"), "刘志强") == "in_another"


async def test_a_team_without_insurance_is_reminded_until_it_has_it(field: Field) -> None:
    team = ("陈静", "林一帆")
    captain = field.staff["陈静"]
    await field.enrol("陈静", "篮球", *team, captain=captain, fields={"insured": "还没有"})
    assert "还没有都上意外险" in field.reply
    due = [row.due_at for row in await field.all(Outgoing, Outgoing.member_id == field.people["陈静"])]
    assert FESTIVAL_AT - timedelta(days=6) in due
    assert "锁定名单以前办好" in (await field.texts("陈静", "enrolment.insurance_wanted"))[0]
    await field.enrol("陈静", "篮球", *team, captain=captain, fields={"insured": "都有"})
    assert "意外险" not in field.reply
    assert await field.texts("陈静", "enrolment.insurance_wanted") == []
