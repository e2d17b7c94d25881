"""What a turn says: sentences and options, gathered for the conversation and for the private chat of its sender."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actions.core.errors import DomainError
    from actions.core.life import Choice
    from bot.messages import Address


@dataclass(kw_only=True, slots=True)
class Saying:
    """One message in the making: its parts become paragraphs."""

    address: Address
    parts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    options: list[dict[str, str]] = field(default_factory=list)

    def say(self, wording: str, params: Mapping[str, Any] | None = None) -> None:
        """Adds a sentence."""
        self.parts.append((wording, dict(params or {})))

    def refuse(self, error: DomainError) -> None:
        """Adds the sentence of a refusal."""
        self.say(f"errors.{error.code}", error.params)

    def offer(self, choices: Iterable[Choice]) -> None:
        """Replaces the options: a click says the label, which is what people type too."""
        self.options = [{"label": choice.label, "value": choice.label} for choice in choices]

    @property
    def content(self) -> dict[str, Any]:
        """What the outgoing row holds."""
        return {"parts": [list(part) for part in self.parts], "options": self.options, "chat": self.address.chat}
