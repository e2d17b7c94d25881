"""On PostgreSQL writers run side by side: still one alert for each person, and one step down the list at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.peers import postgres
from tests.records.world import NOW, World, new_world
from tests.safety.duty import alerts, call, staff, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.peer


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[World]:
    with postgres.cluster() as server:
        async with new_world(tmp_path, server.create_database()) as world:
            await staff(world)
            yield world


async def test_calls_and_sweeps_at_once(hall: World):
    outcomes = await asyncio.gather(*(call(hall, "林一帆") for _ in range(12)))
    assert len({outcome.subject for outcome in outcomes}) == 1
    assert len({outcome.params["told"] for outcome in outcomes}) == 1
    assert (len(await alerts(hall)), [name for name, _ in await told(hall)]) == (1, ["何医生"])
    await asyncio.gather(*(hall.sweep(NOW + timedelta(minutes=10)) for _ in range(6)))
    assert [name for name, _ in await told(hall)] == ["何医生", "高老师"]
