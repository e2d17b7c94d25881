"""What is scarce stays scarce where many write at once: on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from actions.core.commands import SYSTEM
from actions.core.errors import DomainError
from actions.core.tables import Account, Credential, Member, RoleGrant, Unit
from actions.membership import commands as c
from actions.membership import verify_password
from actions.membership.roster import RosterRow
from actions.membership.tables import BindingCounter, BindingRequest
from tests.membership.world import Sitting, World, build, open_world
from tests.peers import postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from actions.core.commands import Command

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Cluster]:
    with postgres.cluster() as running:
        yield running


@pytest.fixture
async def world(tmp_path: Path, server: postgres.Cluster) -> AsyncIterator[World]:
    url = server.create_database()
    await build(url)
    async for hall in open_world(tmp_path, url):
        yield hall


async def outcome(world: World, command: Command, name: str) -> str:
    try:
        return (await world.run(command, name)).wording
    except DomainError as error:
        return error.code


async def test_the_whole_way_of_a_binding(world: World):
    assert await Sitting(world, "new").try_pair("20210107", "孙悦") == ["membership.pending"]
    (request,) = await world.rows(BindingRequest)
    await world.run(c.ApproveBinding(request_id=request.id), "何馆")
    assert await world.bound_to("new") == "孙悦"
    await world.run(c.Leave(staff_id="20210107"), "周涛")
    assert await world.bound_to("new") == ""
    world.later(days=400)
    assert await world.sweep() == 0
    assert await world.rows(BindingRequest) == []


async def test_one_invite_binds_one_account(world: World):
    world.rule(verification="invite")
    issued = await world.run(c.IssueInvites(staff_ids=("20210107",)), "周涛")
    code = issued.data["rows"][0]["code"]
    sittings = [Sitting(world, f"new-{number}") for number in range(5)]
    for sitting in sittings:
        await sitting.try_pair("20210107", "孙悦")
    lines = await asyncio.gather(*(sitting.say(invite=code) for sitting in sittings))
    assert sum(line == ["membership.bound"] for line in lines) == 1
    member = await world.member("孙悦")
    assert len(await world.rows(Account, Account.member_id == member.id)) == 1


async def test_a_crowd_has_five_tries_at_one_staff_id(world: World):
    sittings = [Sitting(world, f"bot-{number}") for number in range(12)]
    for sitting in sittings:
        await sitting.begin()
    lines = await asyncio.gather(*(sitting.say(staff_id="20210107", name="孙某") for sitting in sittings))
    assert sum(line[0] == "binding_mismatch" for line in lines) == 4
    assert sum(line == ["binding_locked"] for line in lines) == 8
    assert max(row.tries for row in await world.rows(BindingCounter)) == 5


async def test_wrong_passwords_at_the_same_moment_are_all_counted(world: World):
    await world.run(c.CreateAdministrator(staff_id="20100903", full_name="周涛"))

    async def enter() -> None:
        async with world.database.write() as session:
            assert await verify_password(world.context(session, SYSTEM), "20100903", "wrong password") is None

    await asyncio.gather(*(enter() for _ in range(5)))
    (credential,) = await world.rows(Credential)
    assert credential.locked_until is not None


async def test_two_administrators_do_not_revoke_each_other(world: World):
    await world.run(c.GrantRole(staff_id="20100903", role="administrator"), "郑管")
    results = await asyncio.gather(
        outcome(world, c.RevokeRole(staff_id="20100903", role="administrator"), "operator"),
        outcome(world, c.RevokeRole(staff_id="20090001", role="administrator"), "operator"),
    )
    assert sorted(results) == ["last_administrator", "membership.revoked"]
    assert len(await world.rows(RoleGrant, RoleGrant.role == "administrator")) == 1


async def test_a_grant_at_the_same_moment_is_one_grant(world: World):
    command = c.GrantRole(staff_id="20180312", role="counsellor")
    await asyncio.gather(*(world.run(command, "郑管") for _ in range(4)))
    assert len(await world.rows(RoleGrant, RoleGrant.role == "counsellor")) == 1


async def test_two_imports_at_once_leave_one_of_each(world: World):
    rows = tuple(RosterRow(staff_id=f"2026{number:04d}", name=f"新{number}", unit="新院") for number in range(40))
    results = await asyncio.gather(*(outcome(world, c.ImportRoster(rows=rows), name) for name in ("周涛", "郑管")))
    assert "membership.imported" in results
    assert set(results) <= {"membership.imported", "import_clash"}
    assert len(await world.rows(Member, Member.staff_id.like("2026%"))) == 40
    assert len(await world.rows(Unit, Unit.name == "新院")) == 1
