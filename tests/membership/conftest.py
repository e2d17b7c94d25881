from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from actions.membership import passwords
from tests.membership.world import World, build, open_world, sentences

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from bot.wording import Wording


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hall, built once: each test has a copy."""
    path = tmp_path_factory.mktemp("membership") / "built.db"
    asyncio.run(build(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
async def world(tmp_path: Path, built: Path) -> AsyncIterator[World]:
    copy = shutil.copy(built, tmp_path / "test.db")
    async for hall in open_world(tmp_path, f"sqlite+aiosqlite:///{copy}"):
        yield hall


@pytest.fixture
def wording() -> Wording:
    return sentences()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2 with little memory: it is the same code, and its cost is not what is tested."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()
