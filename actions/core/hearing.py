"""Exact words that rows decide: a group's keywords, a one-time phrase, 收到. Heard before anything is guessed.

What is said in a group without addressing the assistant is read only where somebody here wants it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Command, Context


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """A message as it came. `group` tells that others read along, `addressed` that it was said to the assistant."""

    channel: str
    account: str
    conversation: str
    text: str
    group: bool
    addressed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Hearing:
    """The message is taken: by a command, or (None) by saying nothing at all."""

    command: Command | None = None


class Listener(Protocol):
    """Somebody who knows such words."""

    async def wants(self, session: AsyncSession, heard: Heard, now: datetime) -> bool:
        """Whether something said in a group is to be read although it was not said to the assistant."""
        ...

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """What a message asks for. `alone` tells that no form is open, so that bare words count."""
        ...


class InPrivate:
    """Base of listeners who read nothing in groups but what is said to the assistant."""

    async def wants(self, session: AsyncSession, heard: Heard, now: datetime) -> bool:
        """Nothing."""
        del session, heard, now
        return False
