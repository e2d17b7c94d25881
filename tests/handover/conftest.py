from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.handover.office import LIN, MONDAY, ZHOU, Office

if TYPE_CHECKING:
    from tests.conftest import World


@pytest.fixture
def office(world: World) -> Office:
    """A Monday morning; 周涛 is the one officer."""
    world.clock.now = MONDAY
    return Office(world)


@pytest.fixture
def either_office(either_world: World) -> Office:
    """The same on SQLite and on PostgreSQL."""
    either_world.clock.now = MONDAY
    return Office(either_world)


@pytest.fixture
async def talk(office: Office) -> Office:
    """林一帆 asked for a person, and 周涛 took it; all of that has been read."""
    await office.says(LIN, "人工")
    await office.clicks(ZHOU, "接手")
    office.news(LIN)
    office.news(ZHOU)
    return office
