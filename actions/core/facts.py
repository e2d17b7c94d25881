"""Answers to questions from the records: a schedule, a table of results. A life that knows some registers a source.

The life that answers questions asks the sources of an intent first; what none of them knows it looks up in its texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.commands import Context, Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question: what was said, and the names that were understood in it, by entity (`item`, `unit`, `club`…)."""

    text: str
    names: Mapping[str, Sequence[str]]


class FactSource(Protocol):
    """Somebody who knows answers to questions of some intents."""

    @property
    def intents(self) -> tuple[str, ...]:
        """Intents of the questions that it may know an answer to."""
        ...

    async def answer(self, context: Context, asked: Asked) -> Outcome | None:
        """The answer as a sentence to be said; None where the records do not tell."""
        ...
