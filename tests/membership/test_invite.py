"""Binding with an invite code that was handed out."""

from __future__ import annotations

import asyncio

import pytest

from actions.core.commands import Actor
from actions.core.errors import DomainError
from actions.membership import codes
from actions.membership import commands as c
from actions.membership.tables import BindingInvite, BindingRequest
from tests.membership.world import Sitting, World


@pytest.fixture
def world(world: World) -> World:
    world.rule(verification="invite")
    return world


async def issue(world: World, *staff_ids: str) -> dict[str, str]:
    outcome = await world.run(c.IssueInvites(staff_ids=staff_ids), "周涛")
    return {row["staff_id"]: row["code"] for row in outcome.data["rows"]}


async def open_with(world: World, sender: str, staff_id: str, name: str) -> Sitting:
    sitting = Sitting(world, sender)
    assert await sitting.try_pair(staff_id, name) == ["?invite"]
    return sitting


async def test_an_invite_binds_once(world: World):
    code = (await issue(world, "20210107"))["20210107"]
    sitting = await open_with(world, "new", "20210107", "孙悦")
    assert await sitting.say(invite=f"邀请码 {code.lower()}") == ["membership.bound"]
    assert await world.bound_to("new") == "孙悦"
    second = await open_with(world, "other", "20210107", "孙悦")
    assert await second.say(invite=code) == ["binding_mismatch", "?staff_id"]
    assert [snapshot.state for snapshot in await world.snapshots()] == ["bound"]


@pytest.mark.parametrize(
    ("staff_id", "name", "known"),
    [("20210107", "孙月", True), ("99999999", "孙悦", True), ("20210107", "孙悦", False), ("20150001", "吴敏", True)],
)
async def test_whatever_does_not_fit_is_told_alike(world: World, staff_id: str, name: str, known: bool):
    code = (await issue(world, "20210107"))["20210107"] if known else codes.new_invite()
    sitting = await open_with(world, "new", staff_id, name)
    assert await sitting.say(invite=code) == ["binding_mismatch", "?staff_id"]
    assert await world.bound_to("new") == ""


async def test_guessing_locks(world: World):
    code = (await issue(world, "20210107"))["20210107"]
    for _ in range(5):
        sitting = await open_with(world, "new", "20210107", "孙悦")
        lines = await sitting.say(invite=codes.new_invite())
    assert lines == ["binding_locked"]
    other = Sitting(world, "other")
    await other.begin()
    assert await other.say(staff_id="20210107", name="孙悦", invite=code) == ["binding_locked"]


async def test_what_has_not_the_shape_of_an_invite_is_not_counted(world: World):
    sitting = await open_with(world, "new", "20210107", "孙悦")
    for _ in range(7):
        assert await sitting.say(invite="什么邀请码？") == ["binding_invite_shape", "?invite"]
    assert await sitting.say(invite="重填") == ["binding_restart", "?staff_id"]


async def test_an_invite_ends_with_its_time_and_a_new_one_voids_the_old(world: World):
    old = (await issue(world, "20210107"))["20210107"]
    new = (await issue(world, "20210107"))["20210107"]
    sitting = await open_with(world, "new", "20210107", "孙悦")
    assert (await sitting.say(invite=old))[0] == "binding_mismatch"
    world.later(days=30)
    sitting = await open_with(world, "new", "20210107", "孙悦")
    assert (await sitting.say(invite=new))[0] == "binding_mismatch"
    await world.sweep()
    assert await world.rows(BindingInvite) == []


async def test_two_accounts_with_one_invite_end_with_one_binding(world: World):
    """Both have proved it before either binds: the database lets one through."""
    code = (await issue(world, "20210107"))["20210107"]
    for sender in ("first", "second"):
        sitting = Sitting(world, sender)
        await sitting.begin()
        async with world.database.write() as session:
            context = world.context(session, Actor(channel="telegram", sender=sender))
            values = {"staff_id": "20210107", "name": "孙悦", "invite": code}
            resolved = await world.life.resolve(context, world.service, values, values)
            assert resolved.refusals == ()

    async def bind(sender: str) -> str:
        try:
            async with world.database.write() as session:
                context = world.context(session, Actor(channel="telegram", sender=sender))
                return (await world.bus.execute(c.Bind(staff_id="20210107"), context)).wording
        except DomainError as error:
            return error.code

    results = await asyncio.gather(bind("first"), bind("second"))
    assert sorted(results) == ["binding_stale", "membership.bound"]
    assert sorted([await world.bound_to("first"), await world.bound_to("second")]) == ["", "孙悦"]
    assert sorted(request.state for request in await world.rows(BindingRequest)) == ["bound", "proved"]


async def test_two_accounts_at_the_same_moment_end_with_one_binding(world: World):
    code = (await issue(world, "20210107"))["20210107"]
    sittings = [await open_with(world, f"new-{number}", "20210107", "孙悦") for number in range(4)]
    lines = await asyncio.gather(*(sitting.say(invite=code) for sitting in sittings))
    assert sum(line == ["membership.bound"] for line in lines) == 1
    assert [await world.bound_to(f"new-{number}") for number in range(4)].count("孙悦") == 1


async def test_a_unit_s_invites_are_for_those_who_have_no_account(world: World):
    outcome = await world.run(c.IssueInvites(unit="图书馆"), "周涛")
    assert [row["name"] for row in outcome.data["rows"]] == ["吴敏", "孙悦"]
    kept = " ".join(row.code_hash for row in await world.rows(BindingInvite))
    assert all(row["code"].replace("-", "") not in kept for row in outcome.data["rows"])
    everybody = await world.run(c.IssueInvites(), "周涛")
    assert everybody.params["count"] == 2


async def test_who_issues_and_for_whom(world: World):
    assert await world.refused(c.IssueInvites(), "何馆") == "forbidden"
    assert await world.refused(c.IssueInvites(staff_ids=("19990009",)), "周涛") == "member_left"
    assert await world.refused(c.IssueInvites(staff_ids=("1",)), "周涛") == "no_such_member"
    assert await world.refused(c.IssueInvites(unit="火星学院"), "周涛") == "no_such_unit"
