"""Units, roles and the first administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actions.core.tables import Account, Audit, Credential, Member, RoleGrant, Unit
from actions.membership import commands as c

if TYPE_CHECKING:
    from tests.membership.world import World


async def grants(world: World, name: str) -> set[tuple[str, str, int | None]]:
    member = await world.member(name)
    rows = await world.rows(RoleGrant, RoleGrant.member_id == member.id)
    assert len(rows) == len({(row.role, row.service, row.unit_id) for row in rows})
    return {(row.role, row.service, row.unit_id) for row in rows}


async def test_an_administrator_grants_for_one_service_and_one_unit(world: World):
    (library,) = await world.rows(Unit, Unit.name == "图书馆")
    command = c.GrantRole(staff_id="20180312", role="unit_officer", service="membership", unit="图书馆")
    await world.run(command, "郑管")
    await world.run(c.GrantRole(staff_id="20180312", role="counsellor"), "郑管")
    await world.run(c.GrantRole(staff_id="20180312", role="counsellor"), "郑管")
    assert await grants(world, "林一帆") == {("unit_officer", "membership", library.id), ("counsellor", "", None)}


async def test_a_grant_is_taken_back_exactly(world: World):
    await world.run(c.GrantRole(staff_id="20180312", role="counsellor"), "郑管")
    narrow = c.RevokeRole(staff_id="20180312", role="counsellor", service="membership")
    assert await world.refused(narrow, "郑管") == "not_granted"
    await world.run(c.RevokeRole(staff_id="20180312", role="counsellor"), "郑管")
    assert await grants(world, "林一帆") == set()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (c.GrantRole(staff_id="20180312", role="king"), "unknown_role"),
        (c.GrantRole(staff_id="20180312", role="member"), "unknown_role"),
        (c.GrantRole(staff_id="20180312", role="reviewer", service="tea"), "unknown_service"),
        (c.GrantRole(staff_id="20180312", role="reviewer", unit="火星学院"), "no_such_unit"),
        (c.GrantRole(staff_id="1", role="reviewer"), "no_such_member"),
        (c.GrantRole(staff_id="19990009", role="reviewer"), "member_left"),
        (c.RevokeRole(staff_id="20090001", role="administrator"), "last_administrator"),
        (c.CreateUnit(title="图书馆"), "unit_exists"),
    ],
)
async def test_what_cannot_be_is_refused(world: World, command: c.GrantRole, code: str):
    before = await world.rows(RoleGrant)
    assert await world.refused(command, "郑管") == code
    assert len(await world.rows(RoleGrant)) == len(before)


async def test_roles_are_the_administrator_s_and_of_all_units(world: World):
    command = c.GrantRole(staff_id="20180312", role="administrator")
    for name in ("周涛", "陈静", "林一帆"):
        assert await world.refused(command, name) == "forbidden"
        assert await world.refused(c.RevokeRole(staff_id="20090001", role="administrator"), name) == "forbidden"
    (library,) = await world.rows(Unit, Unit.name == "图书馆")
    async with world.database.write() as session:
        member = await world.member("林一帆")
        session.add(RoleGrant(member_id=member.id, role="administrator", unit_id=library.id))
    assert await world.refused(command, "林一帆") == "forbidden"


async def test_an_administrator_leaves_the_post_to_another(world: World):
    await world.run(c.GrantRole(staff_id="20100903", role="administrator"), "郑管")
    await world.run(c.RevokeRole(staff_id="20090001", role="administrator"), "郑管")
    assert await grants(world, "郑管") == set()
    assert await world.refused(c.RevokeRole(staff_id="20100903", role="administrator"), "周涛") == "last_administrator"


async def test_a_unit_is_created(world: World):
    outcome = await world.run(c.CreateUnit(title=" 体育学院 "), "周涛")
    assert [unit.id for unit in await world.rows(Unit, Unit.name == "体育学院")] == [outcome.data["unit_id"]]
    assert await world.refused(c.CreateUnit(title="外语学院"), "林一帆") == "forbidden"


async def test_the_first_administrator_is_made_at_the_machine(world: World):
    outcome = await world.run(c.CreateAdministrator(staff_id="20260001", full_name="新管"))
    assert await grants(world, "新管") == {("administrator", "", None), ("union_officer", "", None)}
    member = await world.member("新管")
    (credential,) = await world.rows(Credential)
    assert (credential.member_id, credential.temporary) == (member.id, True)
    password = outcome.data["password"]
    assert len(password) == 19
    assert password not in credential.password_hash
    assert password not in str([vars(row) for row in await world.rows(Audit)])
    assert password not in str(outcome.params)


async def test_again_gives_a_new_password_and_no_second_role(world: World):
    first = await world.run(c.CreateAdministrator(staff_id="20180312", full_name="林一帆"))
    second = await world.run(c.CreateAdministrator(staff_id=" 20180312", full_name="林 一帆"))
    assert first.data["password"] != second.data["password"]
    assert len(await grants(world, "林一帆")) == 2
    assert len(await world.rows(Member, Member.staff_id == "20180312")) == 1


@pytest.mark.parametrize(
    ("staff_id", "name", "code"),
    [("20180312", "孙悦", "administrator_name"), ("19990009", "许老", "member_left"), (" ", "谁", "bad_staff_id")],
)
async def test_no_slip_makes_an_administrator(world: World, staff_id: str, name: str, code: str):
    assert await world.refused(c.CreateAdministrator(staff_id=staff_id, full_name=name)) == code
    assert await world.rows(Credential) == []


async def test_nobody_makes_themselves_administrator(world: World):
    command = c.CreateAdministrator(staff_id="20100903", full_name="周涛")
    assert await world.refused(command, "周涛") == "forbidden"
    assert len(await world.rows(Account)) == 5
