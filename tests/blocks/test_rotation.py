"""A change of keys: nothing stays under the old one, nothing is lost, and nobody has to wait."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import String, Text, select, text

from actions.blocks.rotation import rotate
from actions.blocks.vault import AesVault, parse_keys
from actions.core.sealed import sealed_columns
from actions.core.tables import Base, Conversation, Outgoing
from tests.conftest import VAULT_KEY

if TYPE_CHECKING:
    from tests.conftest import World

OLD = parse_keys(VAULT_KEY)
NEW = {"new": b"n" * 32}

#: A day in which much is sealed: a form half filled, a booking with a word to the counsellor, a question nobody knew.
DAY = ("下周三下午两点想约何医生", "线上", "同意", "李红 13911112222", "确认", "我想约乒乓球室", "食堂的猫叫什么名字")


def _with(world: World, vault: AesVault) -> World:
    gateway = world.app.gateway
    gateway._house = replace(gateway._house, vault=vault)
    return world


async def _day(world: World, who: str = "20180312") -> None:
    for message in DAY:
        await world.say(message, who=who)


async def _sealed(world: World) -> list[tuple[str, str]]:
    """Every text in any column that looks sealed: (table.column, text)."""
    found = []
    async with world.app.house.database.read() as session:
        for table in Base.metadata.sorted_tables:
            for column in (each for each in table.columns if isinstance(each.type, String | Text)):
                rows = (await session.execute(select(column).where(column.like("v1.%")))).scalars()
                found += [(f"{table.name}.{column.name}", value) for value in rows]
    return found


async def test_every_sealed_text_stands_in_a_column_that_says_so(world: World) -> None:
    await _day(world)
    await world.sent()
    marked = {f"{each.table.name}.{each.column.name}" for each in sealed_columns(Base.metadata)}
    found = {place for place, _value in await _sealed(world)}
    assert {"conversation.state", "outgoing.content", "consent.details"} <= found
    assert found <= marked


async def test_nothing_stays_under_the_old_key(either_world: World) -> None:
    world = _with(either_world, AesVault(OLD))
    house = world.app.house
    await _day(world)
    before = await _sealed(world)
    both = AesVault({**OLD, **NEW})
    _with(world, both)
    counts: list[int] = []
    done = await rotate(house.database, both, Base.metadata, counts.append)
    old = [value for _place, value in before if value.startswith("v1.t1.")]
    assert done.resealed == len(old) > 5
    assert counts[-1] == done.resealed
    assert all(not value.startswith("v1.t1.") for _place, value in await _sealed(world))
    assert (await rotate(house.database, both, Base.metadata)).resealed == 0
    # The conversation goes on where it was, and nobody needs the old key for it.
    _with(world, AesVault(NEW))
    assert "何医生" in await world.told("我的预约")
    assert "什么时候用" in await world.told("继续")


async def test_what_cannot_be_opened_is_counted_and_left(world: World) -> None:
    await _day(_with(world, AesVault(OLD)))
    async with world.app.house.database.write() as session:
        await session.execute(
            text("update outgoing set content = 'v1.lost.AAAA' where id = (select max(id) from outgoing)")
        )
    both = AesVault({**OLD, **NEW})
    done = await rotate(world.app.house.database, both, Base.metadata)
    assert done.unreadable >= 1
    assert ("outgoing.content", "v1.lost.AAAA") in await _sealed(world)


async def test_others_read_and_write_meanwhile(either_world: World) -> None:
    world = _with(either_world, AesVault(OLD))
    who = ["20180312", "20150108", "20160001", "20160002", "20160003"]
    for person in who:
        await _day(world, person)
    both = AesVault({**OLD, **NEW})
    _with(world, both)

    async def talk(person: str) -> list[str]:
        return [await world.told(message, who=person) for message in ("我的预约", "我想约瑜伽室", "不办了", "帮助")]

    rotating = asyncio.create_task(rotate(world.app.house.database, both, Base.metadata))
    said = await asyncio.gather(*map(talk, who))
    done = await rotating
    assert done.unreadable == 0
    assert "何医生" in said[0][0]
    assert all(reply for replies in said for reply in replies)
    assert all(value.startswith("v1.new.") for _place, value in await _sealed(world))


async def test_it_can_be_stopped_at_any_row(world: World) -> None:
    await _day(_with(world, AesVault(OLD)))
    both = AesVault({**OLD, **NEW})

    class StoppedError(Exception):
        pass

    def stop(_count: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        await rotate(world.app.house.database, both, Base.metadata, stop)
    _with(world, both)
    assert "何医生" in await world.told("我的预约")
    await rotate(world.app.house.database, both, Base.metadata)
    async with world.app.house.database.read() as session:
        states = (await session.execute(select(Conversation.state).where(Conversation.state != ""))).scalars().all()
        contents = (await session.execute(select(Outgoing.content).where(Outgoing.content.like("v1.t1.%")))).all()
    assert states
    assert all(state.startswith("v1.new.") for state in states)
    assert contents == []
