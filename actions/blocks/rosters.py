"""Who is in a thing, and who has not answered it: what a life tells to those who address or chase its people.

A life registers what it knows (the composition root hands it on); of what nobody tells, nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select

    from actions.core.commands import Context
    from actions.core.tables import Offering


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    """Something with a deadline that certain people were asked to answer.

    `ref` names it ("announcement:12"), `title` is what officers read. `asked` and `answered` select ids of members.
    `owner_id` is who answers for it, `deadline` is None where there is none. `private` ones are chased by nobody else.
    """

    ref: str
    title: str
    asked: Select[int]
    answered: Select[int]
    deadline: datetime | None = None
    owner_id: int | None = None
    private: bool = False


class RegistrantSource(Protocol):
    """Knows who is in the offerings of one life."""

    @property
    def life(self) -> str:
        """The life, as declarations call it."""
        ...

    async def registrants(self, context: Context, offering: Offering) -> Select[int]:
        """Ids of the members who are in an offering at the moment, as one query."""
        ...


class RosterSource(Protocol):
    """Knows rosters of some kinds of record."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What stands before the colon of a ref."""
        ...

    async def roster(self, context: Context, ref: str) -> Roster | None:
        """The roster of a record; None where it asks nobody for an answer."""
        ...

    async def due(self, context: Context, low: datetime, high: datetime) -> list[Roster]:
        """Rosters whose deadline lies in the span (half open)."""
        ...
