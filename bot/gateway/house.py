"""The fixed parts that a turn works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actions.core.commands import Actor, Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.catalogue import Catalogue
    from actions.core.commands import Bus
    from actions.core.database import Database
    from actions.core.hearing import Listener
    from actions.core.life import Life, Records
    from actions.core.vault import Vault
    from bot.dialogue.policy import Registry
    from bot.gateway.shortcuts import PersonWords, Shortcut
    from bot.wording import Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """The fixed parts that a turn works with; the composition root builds it once.

    `pull` names the channels whose clients fetch what is said (the page, the API): for them a committed row is a
    delivered one; `numbered` those without buttons, where options have numbers. `fault(name)` is a point where a test
    may kill the process. `listeners` know exact words that rows decide.
    """

    database: Database
    vault: Vault
    bus: Bus
    catalogue: Catalogue
    lives: Mapping[str, Life]
    records: tuple[Records, ...]
    registry: Registry
    wording: Wording
    shortcuts: Sequence[Shortcut]
    person_words: PersonWords
    names: tuple[str, ...]
    idle_minutes: int
    draft_days: int
    fault: Callable[[str], None]
    pull: frozenset[str] = frozenset()
    listeners: Sequence[Listener] = ()
    numbered: frozenset[str] = frozenset()

    def context(self, session: AsyncSession, actor: Actor, now: datetime) -> Context:
        """A context for commands in a unit of work."""
        return Context(
            session=session,
            actor=actor,
            now=now,
            database=self.database,
            catalogue=self.catalogue,
            vault=self.vault,
            bus=self.bus,
            lives=self.lives,
            records=self.records,
        )
