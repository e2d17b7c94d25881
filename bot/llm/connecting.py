"""The language model of the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.tables import Member
from bot.llm.client import Client
from bot.llm.leaving import Leaving, tagged_names
from bot.llm.model import LanguageModel, load_prompts
from bot.llm.usage import Budget

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from actions.core.database import Database
    from bot.settings import LlmSettings


def connect(
    settings: LlmSettings, data_dir: Path, database: Database, clock: Callable[[], datetime]
) -> LanguageModel | None:
    """A language model as the settings want it, nothing opened yet; None where they name none.

    Raises ConfigurationError for a data/llm.yml that is wrong.
    """
    words, prompts = load_prompts(data_dir)
    if not settings.url or not settings.model:
        return None
    client = Client(
        url=settings.url, model=settings.model, key=settings.key.get_secret_value(), seconds=settings.seconds
    )
    budget = Budget(
        calls=settings.calls_per_day,
        tokens=settings.tokens_per_day,
        price_in=settings.price_in,
        price_out=settings.price_out,
        cost=settings.yuan_per_day,
    )
    leaving = Leaving(words=words, names=tagged_names)
    return LanguageModel(client, database=database, budget=budget, clock=clock, leaving=leaving, prompts=prompts)


async def know_roster(model: LanguageModel, database: Database) -> None:
    """Tells the model's guard the members' names as they are now."""
    async with database.read() as session:
        names = frozenset((await session.execute(select(Member.name))).scalars())
    model.leaving = replace(model.leaving, roster=names)
