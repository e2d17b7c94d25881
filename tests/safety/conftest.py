from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.records.world import World, new_world
from tests.safety.duty import staff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[World]:
    """A hall with nobody on the duty list, and one administrator."""
    async with new_world(tmp_path) as hall:
        await hall.add_person("管理员")
        await hall.grant("管理员", "administrator")
        yield hall


@pytest.fixture
async def world(empty: World) -> World:
    """何医生, 高老师 and an officer named for this duty are on the list, in that order."""
    await staff(empty)
    return empty
