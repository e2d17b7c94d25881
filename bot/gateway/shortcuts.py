"""Exact keywords of officers ("日程"), from data/responses/shortcuts.yml: matched before the NLU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from actions.core.yamlfile import YamlFile
from bot.dialogue.words import bare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from actions.core.commands import Actor


class Shortcut(BaseModel):
    """A keyword that runs a command for those who hold one of the roles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...]
    command: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    roles: tuple[str, ...]


class _Shortcuts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    shortcuts: tuple[Shortcut, ...]


def load_shortcuts(folder: Path) -> tuple[Shortcut, ...]:
    """Reads shortcuts.yml. Raises ConfigurationError with file and line."""
    return YamlFile(folder / "shortcuts.yml").validate(_Shortcuts).shortcuts


def shortcut_for(shortcuts: Sequence[Shortcut], actor: Actor, text: str) -> Shortcut | None:
    """The shortcut that a message is, for somebody with the role."""
    said = bare(text)
    for shortcut in shortcuts:
        if said in {bare(word) for word in shortcut.words} and any(_holds(actor, role) for role in shortcut.roles):
            return shortcut
    return None


def _holds(actor: Actor, role: str) -> bool:
    return any(grant.role == role for grant in actor.grants)
