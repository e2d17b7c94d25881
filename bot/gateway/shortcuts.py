"""Exact keywords ("日程", "人工"), from data/responses/shortcuts.yml: matched before the NLU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from actions.core.yamlfile import YamlFile
from bot.dialogue.words import bare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from actions.core.commands import Actor


class Shortcut(BaseModel):
    """A keyword that runs a command, or begins a service, for those who hold one of the roles.

    `member` is every bound member.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...]
    command: str = ""
    service: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)
    roles: tuple[str, ...]

    @model_validator(mode="after")
    def _one_of_both(self) -> Shortcut:
        if bool(self.command) == bool(self.service):
            message = "a keyword runs a command or begins a service"
            raise ValueError(message)
        return self


class PersonWords(BaseModel):
    """Words around a person: `ask` for one, `leave` a message, come `back`, be `sure` that they may read something.

    The first three are bare texts; `sure` stands before what is meant, and its first one is on the button.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: frozenset[str]
    leave: frozenset[str]
    back: frozenset[str]
    sure: tuple[str, ...] = Field(min_length=1)

    @field_validator("ask", "leave", "back", mode="after")
    @classmethod
    def _bare(cls, words: frozenset[str]) -> frozenset[str]:
        return frozenset(bare(word) for word in words)


class _Shortcuts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    shortcuts: tuple[Shortcut, ...]
    person: PersonWords


def load_shortcuts(folder: Path) -> tuple[tuple[Shortcut, ...], PersonWords]:
    """Reads shortcuts.yml. Raises ConfigurationError with file and line."""
    read = YamlFile(folder / "shortcuts.yml").validate(_Shortcuts)
    return read.shortcuts, read.person


def shortcut_for(shortcuts: Sequence[Shortcut], actor: Actor, text: str) -> Shortcut | None:
    """The shortcut that a message is, for somebody with the role."""
    said = bare(text)
    for shortcut in shortcuts:
        if said in {bare(word) for word in shortcut.words} and any(_holds(actor, role) for role in shortcut.roles):
            return shortcut
    return None


def _holds(actor: Actor, role: str) -> bool:
    if role == "member":
        return actor.member is not None
    return any(grant.role == role for grant in actor.grants)
