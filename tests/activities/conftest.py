"""Fields on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.activities.world import open_field

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.activities.world import Field


@pytest.fixture
async def field() -> AsyncIterator[Field]:
    """A field in memory: one connection, for what happens one after the other."""
    made = await open_field()
    yield made
    await made.database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.peer)])
async def racing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Field]:
    """A field on which many act at once: on a file of SQLite, and (a peer test) on PostgreSQL."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").create_database()
    else:
        url = f"sqlite+aiosqlite:///{tmp_path / 'field.db'}"
    made = await open_field(url)
    yield made
    await made.database.close()
