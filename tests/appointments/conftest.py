"""Halls on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.appointments.world import open_hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.appointments.world import Hall


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    """A hall in memory: one connection, for what happens one after the other."""
    made = await open_hall()
    yield made
    await made.database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.peer)])
async def racing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Hall]:
    """A hall in which many act at once: on a file of SQLite, and (a peer test) on PostgreSQL."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").create_database()
    else:
        url = f"sqlite+aiosqlite:///{tmp_path / 'hall.db'}"
    made = await open_hall(url)
    yield made
    await made.database.close()
