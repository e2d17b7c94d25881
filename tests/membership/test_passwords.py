"""Passwords of the console."""

from __future__ import annotations

import asyncio

import pytest

from actions.core.commands import SYSTEM
from actions.core.tables import Credential
from actions.membership import commands as c
from actions.membership import verify_password
from tests.membership.world import REAL_HASHER, World

GOOD = "correct horse battery"


async def enter(world: World, staff_id: str, password: str) -> str:
    async with world.database.write() as session:
        member = await verify_password(world.context(session, SYSTEM), staff_id, password)
    return member.name if member else ""


@pytest.fixture
async def password(world: World) -> str:
    outcome = await world.run(c.CreateAdministrator(staff_id="20100903", full_name="周涛"))
    return str(outcome.data["password"])


async def credential(world: World) -> Credential:
    found: Credential = (await world.rows(Credential))[0]
    return found


async def test_the_right_password_opens(world: World, password: str):
    assert await enter(world, "20100903", password) == "周涛"
    assert await enter(world, "２０１００９０３", password) == "周涛"
    assert (await credential(world)).password_hash.startswith("$argon2id$")


async def test_nobody_else_comes_in(world: World, password: str):
    assert await enter(world, "20100903", password.lower()) == ""
    assert await enter(world, "20180312", password) == ""
    assert await enter(world, "99999999", password) == ""
    assert await enter(world, "20100903", "") == ""
    assert await enter(world, "20100903", "x" * 100_000) == ""


async def test_five_wrong_ones_make_a_pause_in_which_the_right_one_does_not_open(world: World, password: str):
    for _ in range(5):
        assert await enter(world, "20100903", "wrong password") == ""
    assert await enter(world, "20100903", password) == ""
    world.later(minutes=14, seconds=59)
    assert await enter(world, "20100903", password) == ""
    world.later(seconds=1)
    assert await enter(world, "20100903", password) == "周涛"


async def test_the_right_one_takes_the_count_back(world: World, password: str):
    for _ in range(4):
        await enter(world, "20100903", "wrong password")
    await enter(world, "20100903", password)
    for _ in range(4):
        await enter(world, "20100903", "wrong password")
    assert await enter(world, "20100903", password) == "周涛"
    assert (await credential(world)).failures == 0


async def test_tries_at_the_same_moment_are_all_counted(world: World, password: str):
    await asyncio.gather(*(enter(world, "20100903", f"wrong {number}") for number in range(5)))
    assert (await credential(world)).locked_until is not None
    assert await enter(world, "20100903", password) == ""


async def test_who_left_does_not_come_in(world: World, password: str):
    kept = await credential(world)
    await world.run(c.Leave(staff_id="20100903"))
    async with world.database.write() as session:
        session.add(Credential(member_id=kept.member_id, password_hash=kept.password_hash, temporary=False, failures=0))
    assert await enter(world, "20100903", password) == ""


async def test_one_sets_one_s_own_password(world: World, password: str):
    await world.run(c.SetPassword(password=GOOD), "周涛")
    assert (await credential(world)).temporary is False
    assert await enter(world, "20100903", GOOD) == "周涛"
    assert await enter(world, "20100903", password) == ""


@pytest.mark.parametrize(
    ("chosen", "code"),
    [("short one", "password_short"), ("a" * 12, "password_plain"), ("my20100903pass", "password_plain")],
)
async def test_a_password_that_is_none_is_refused(world: World, password: str, chosen: str, code: str):
    assert await world.refused(c.SetPassword(password=chosen), "周涛") == code
    assert await enter(world, "20100903", password) == "周涛"


async def test_the_temporary_one_is_not_kept(world: World, password: str):
    assert await world.refused(c.SetPassword(password=password), "周涛") == "password_same"
    assert (await credential(world)).temporary is True


async def test_a_new_temporary_one_ends_a_pause(world: World, password: str):
    for _ in range(5):
        await enter(world, "20100903", "wrong password")
    outcome = await world.run(c.CreateAdministrator(staff_id="20100903", full_name="周涛"))
    assert await enter(world, "20100903", outcome.data["password"]) == "周涛"


async def test_nobody_gives_themselves_the_way_in(world: World):
    assert await world.refused(c.SetPassword(password=GOOD), "林一帆") == "no_password"


def test_a_password_is_in_no_printed_command():
    assert GOOD not in repr(c.SetPassword(password=GOOD))


def test_a_hash_costs_an_attacker_64_mib():
    assert (REAL_HASHER.memory_cost, REAL_HASHER.time_cost) == (65536, 3)
