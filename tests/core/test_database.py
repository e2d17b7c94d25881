"""Times, units of work and locks, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from actions.core.commands import SYSTEM
from actions.core.database import Database
from actions.core.errors import ConfigurationError
from actions.core.offerings import lock_offering
from actions.core.tables import Base, Member, Offering, Outgoing, Unit
from actions.core.zones import SHANGHAI
from tests.appointments.world import open_hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MOMENT = datetime(2026, 11, 25, 14, 0, tzinfo=SHANGHAI)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.peer)])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        made: str = request.getfixturevalue("postgres").create_database()
        return made
    return f"sqlite+aiosqlite:///{tmp_path / 'some.db'}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    made = Database(url)
    async with made.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield made
    await made.close()


async def test_a_time_keeps_its_moment_whatever_its_zone(database: Database):
    zones = (SHANGHAI, UTC, ZoneInfo("America/New_York"))
    async with database.write() as session:
        session.add_all(Outgoing(content="", due_at=MOMENT.astimezone(zone)) for zone in zones)
    async with database.read() as session:
        due = [(await session.get_one(Outgoing, number)).due_at for number in (1, 2, 3)]
    assert due == [MOMENT] * 3
    assert {moment.utcoffset() for moment in due} == {timedelta()}


async def test_a_naive_time_is_refused(database: Database):
    with pytest.raises(StatementError, match="must know its zone"):
        async with database.write() as session:
            session.add(Outgoing(content="", due_at=datetime(2026, 11, 25, 14, 0)))  # noqa: DTZ001 - what is refused


async def test_a_unit_of_work_is_done_or_not(database: Database):
    async def half() -> None:
        async with database.write() as session:
            session.add(Unit(name="文学院"))
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await half()
    async with database.write() as session:
        session.add(Unit(name="图书馆"))
    async with database.read() as session:
        assert list((await session.execute(select(Unit.name))).scalars()) == ["图书馆"]


async def test_what_is_changed_while_reading_is_not_kept(database: Database):
    async with database.read() as session:
        session.add(Unit(name="文学院"))
        await session.flush()
    async with database.write() as session:
        session.add(Unit(name="文学院"))  # the name is still to be had


async def test_constraints_hold(database: Database):
    async with database.write() as session:
        session.add(Unit(name="文学院"))
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(Unit(name="文学院"))
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(Offering(service="x", title="x", owner_id=99))


async def test_a_lock_is_waited_for_and_then_reads_afresh(database: Database):
    async with database.write() as session:
        session.add(Member(staff_id="1", name="林一帆"))
    locked = asyncio.Event()
    seen: list[str] = []

    async def first() -> None:
        async with database.write() as session:
            member = await database.lock(session, Member, 1)
            locked.set()
            await asyncio.sleep(0.2)
            assert member is not None
            assert seen == []  # the other waits
            member.name = "王敏"

    async def second() -> None:
        await locked.wait()
        async with database.write() as session:
            stale = None if database.is_sqlite else await session.get_one(Member, 1)
            member = await database.lock(session, Member, 1)
            assert member is not None
            assert stale is None or stale is member
            seen.append(member.name)

    await asyncio.gather(first(), second())
    assert seen == ["王敏"]


async def test_what_is_not_there_is_not_locked(database: Database):
    async with database.write() as session:
        assert await database.lock(session, Member, 1) is None


async def test_a_locked_offering_is_referred_to_meanwhile(url: str):
    """An officer who changes a calendar and a member who books in it do not wait for each other in a ring."""
    hall = await open_hall(url)
    locked, booked = asyncio.Event(), asyncio.Event()

    async def officer() -> None:
        async with hall.database.write() as session:
            await lock_offering(hall.context(session, SYSTEM), hall.rooms["瑜伽室"])
            locked.set()
            if not hall.database.is_sqlite:
                await asyncio.wait_for(booked.wait(), timeout=20)

    async def member() -> None:
        await locked.wait()
        await hall.book("林一帆", "瑜伽室", MOMENT)
        booked.set()

    await asyncio.gather(officer(), member())
    assert await hall.states() == {1: "booked"}
    await hall.database.close()


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://x", "postgresql+asyncpg://x", "nonsense"])
def test_another_database_is_refused(url: str):
    with pytest.raises(ConfigurationError, match=r"database\.url"):
        Database(url)


# --- what comes afterwards


async def test_what_comes_afterwards_holds_up_no_writer(database: Database) -> None:
    """It runs once the unit of work is committed, and may write."""
    done: list[str] = []

    async def job() -> None:
        async with database.write() as session:
            done.append("job")
            session.add(Unit(name="later"))

    async with database.write() as session:
        session.add(Unit(name="before"))
        database.afterwards(session, job)
        done.append("work")
    assert done == ["work", "job"]
    async with database.read() as session:
        assert set((await session.execute(select(Unit.name))).scalars()) == {"before", "later"}


async def test_what_is_undone_has_nothing_afterwards(database: Database) -> None:
    async def job() -> None:
        raise AssertionError

    async def undone() -> None:
        async with database.write() as session:
            database.afterwards(session, job)
            raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await undone()


async def test_what_fails_afterwards_undoes_nothing(database: Database) -> None:
    async def job() -> None:
        raise ValueError("no paper")

    async with database.write() as session:
        session.add(Unit(name="kept"))
        database.afterwards(session, job)
    async with database.read() as session:
        assert list((await session.execute(select(Unit.name))).scalars()) == ["kept"]
