"""Two real processes wake at the same moment for the same schedule: everybody is greeted once."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.core.tables import Batch, Firing
from bot.settings import ROOT
from tests.delivery.broadcast import PATIENCE, opened, populate
from tests.delivery.platform import Platform
from tests.peers.server import Store, postgres_store, sqlite_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.postgres import Cluster

pytestmark = pytest.mark.peer

MEMBERS = 200
#: 教师节, a minute after the greeting is due.
MOMENT = "2027-09-10T09:01:00+08:00"


async def _start(store: Store, port: int) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    arguments = (sys.executable, "-m", "tests.delivery.firing", str(port), MOMENT)
    started = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, env=store.env, stdin=pipe, stdout=pipe)
    assert started.stdout is not None
    assert await asyncio.wait_for(started.stdout.readline(), PATIENCE) == b"ready\n"
    return started


async def _greeted_once(store: Store) -> None:
    async with opened(store) as app, Platform().open() as platform:
        await populate(app, MEMBERS)
        processes = [await _start(store, platform.port) for _ in range(2)]
        await asyncio.wait_for(asyncio.gather(*(process.communicate(b"go\n") for process in processes)), PATIENCE)
        assert [process.returncode for process in processes] == [0, 0]
        async with app.house.database.read() as session:
            query = select(Batch.subject).where(Batch.subject.like("greeting:%"))
            batches = (await session.execute(query)).scalars().all()
            fired = Counter((await session.execute(select(Firing.schedule))).scalars())
    assert batches == ["greeting:teachers_day:2027-09-10"]
    assert fired["greeting:teachers_day"] == 1
    assert Counter(each.to for each in platform.arrived) == {f"m{number}": 1 for number in range(MEMBERS)}


async def test_on_one_machine_with_sqlite(tmp_path: Path) -> None:
    await _greeted_once(sqlite_store(tmp_path))


async def test_with_postgresql(tmp_path: Path, postgres: Cluster) -> None:
    await _greeted_once(postgres_store(tmp_path, postgres))
