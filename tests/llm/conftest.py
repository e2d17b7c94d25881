"""A language model over a server on the loopback, with a budget in a database of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from actions.core.database import Database
from bot.llm import Budget, Client, LanguageModel
from bot.llm.leaving import Leaving, tagged_names
from bot.llm.model import load_prompts
from bot.llm.usage import LlmUsage
from bot.settings import ROOT
from tests.conftest import MovableClock
from tests.llm.server import Server, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass
class Ground:
    """A model, the server that it asks, and where its budget is counted."""

    server: Server
    model: LanguageModel
    database: Database
    clock: MovableClock

    def within(self, budget: Budget) -> LanguageModel:
        """The model with another budget."""
        self.model.budget = budget
        return self.model


@pytest.fixture(scope="session")
def leaving() -> Leaving:
    """What the house lets out, with two members on the roster."""
    words, _prompts = load_prompts(ROOT / "data")
    return Leaving(words=words, names=tagged_names, roster=frozenset({"林一帆", "阿不都"}))


@pytest.fixture
async def ground(tmp_path: Path, leaving: Leaving) -> AsyncIterator[Ground]:
    """A model with plenty of budget, over a server that answers as it is told to."""
    _words, prompts = load_prompts(ROOT / "data")
    database, clock = Database(f"sqlite+aiosqlite:///{tmp_path / 'usage.db'}"), MovableClock()
    async with database.engine.begin() as connection:
        await connection.run_sync(LlmUsage.metadata.create_all, tables=[LlmUsage.metadata.tables["llm_usage"]])
    async with serving() as server:
        model = LanguageModel(
            Client(url=server.url, model="m", key="k-1", seconds=1.5),
            database=database,
            budget=Budget(calls=100, tokens=1_000_000),
            clock=clock,
            leaving=leaving,
            prompts=prompts,
        )
        yield Ground(server=server, model=model, database=database, clock=clock)
        await model.close()
    await database.close()
