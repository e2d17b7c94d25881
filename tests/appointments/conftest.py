"""Halls on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from tests.appointments.world import open_hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
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


@pytest.fixture
def count_queries() -> Callable[[Hall, Awaitable[object]], Awaitable[int]]:
    """How many statements something sends to the database."""

    async def count(hall: Hall, work: Awaitable[object]) -> int:
        sent: list[str] = []

        def note(_connection, _cursor, statement: str, *_more: object) -> None:
            sent.append(statement)

        engine = hall.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            await work
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return sum(not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE")) for statement in sent)

    return count
