"""Taking over a roster: what the database holds afterwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from actions.core.tables import Audit, Member, Unit
from actions.membership import read_roster
from actions.membership.commands import ImportRoster
from actions.membership.importing import import_command
from actions.membership.roster import RosterRow
from tests.membership.test_roster import TODAY, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.membership.world import World


async def take(world: World, *rows: RosterRow, actor: str = "周涛") -> dict[str, Any]:
    return dict((await world.run(ImportRoster(rows=rows), actor)).data)


def row(staff_id: str, name: str, **said: Any) -> RosterRow:
    return RosterRow(staff_id=staff_id, name=name, **said)


async def test_an_excel_with_good_and_bad_rows(world: World, tmp_path: Path):
    path = write(
        tmp_path,
        [20250001.0, "新 来", "女", "体育学院", 13900000001, "new@example.edu.cn", "1999-01-02", "在职", "青年"],
        ["20180312", "林一帆", "男", "文学院", "13800000001", "lin@example.edu.cn", None, "在职", None],
        ["20210107", "孙悦", None, "图书馆", None, "sun@example.edu.cn", None, None, None],
        ["20150001", "吴敏", "女", "图书馆", None, None, None, "离职", None],
        ["", "无号"],
        ["20250001", "新来"],
    )
    roster = read_roster(path, today=TODAY)
    outcome = await world.run(import_command(roster), "周涛")
    assert outcome.data == {"new": 1, "changed": 1, "unchanged": 1, "left": 1, "bad": 2, "refused": []}
    (new,) = await world.rows(Member, Member.staff_id == "20250001")
    assert (new.name, new.sex, new.unit.name, new.phone, new.tags) == (
        "新来",
        "女",
        "体育学院",
        "13900000001",
        ["青年"],
    )
    assert new.status == "active"
    assert (await world.member("林一帆")).phone == "13800000001"
    assert (await world.member("吴敏")).status == "left"
    assert [fault.row for fault in roster.faults] == [6, 7]


async def test_the_same_file_twice_changes_nothing(world: World):
    rows = (row("20180312", "林一帆", unit="文学院", tags=("a", "b")), row("20260001", "新", unit="新院"))
    assert (await take(world, *rows))["changed"] == 1
    assert await take(world, *rows) == {"new": 0, "changed": 0, "unchanged": 2, "left": 0, "bad": 0, "refused": []}
    assert len(await world.rows(Unit, Unit.name == "新院")) == 1


async def test_what_is_not_said_stays_and_what_is_said_empty_goes(world: World):
    await take(world, row("20180312", "林一帆", email="", unit="", tags=()))
    member = await world.member("林一帆")
    assert (member.email, member.unit, member.tags) == ("", None, [])
    await take(world, row("20180312", "林一帆", phone="13800000001"))
    member = await world.member("林一帆")
    assert (member.phone, member.status) == ("13800000001", "active")


async def test_who_comes_back_is_a_member_again(world: World):
    assert (await take(world, row("19990009", "许老", status="retired")))["changed"] == 1
    assert (await world.member("许老")).status == "retired"


async def test_who_left_goes_the_way_of_leaving(world: World):
    assert (await take(world, row("20180312", "林一帆", status="left")))["left"] == 1
    assert await world.bound_to("tg-20180312") == ""
    assert "membership.leave" in [entry.command for entry in await world.rows(Audit)]
    again = await take(world, row("20180312", "林一帆", status="left"))
    assert (again["left"], again["unchanged"]) == (0, 1)


async def test_a_row_that_a_rule_refuses_does_not_stop_the_others(world: World):
    data = await take(world, row("20090001", "郑管", status="left", phone="1234567"), row("20260001", "新"))
    assert (data["new"], data["bad"], data["refused"]) == (
        1,
        1,
        [{"staff_id": "20090001", "code": "last_administrator"}],
    )
    member = await world.member("郑管")
    assert (member.status, member.phone) == ("active", "")


@pytest.mark.parametrize("name", ["<b>x</b>", "'; DROP TABLE member; --", "=1+1", "{{ union.phone }}"])
async def test_a_hostile_name_is_kept_as_it_is(world: World, name: str):
    await take(world, row("20260001", name))
    assert (await world.rows(Member, Member.staff_id == "20260001"))[0].name == name


@pytest.mark.parametrize("actor", ["林一帆", "何馆"])
async def test_who_may_not(world: World, actor: str):
    assert await world.refused(ImportRoster(rows=(row("20260001", "新"),)), actor) == "forbidden"
    assert await world.rows(Member, Member.staff_id == "20260001") == []


async def test_two_imports_at_once_leave_one_of_each(world: World):
    rows = tuple(row(f"2026{number:04d}", f"新{number}", unit=f"院{number % 3}") for number in range(60))
    results = await asyncio.gather(take(world, *rows), take(world, *rows, actor="郑管"))
    assert sorted(result["new"] for result in results) == [0, 60]
    assert len(await world.rows(Unit, Unit.name.like("院%"))) == 3
