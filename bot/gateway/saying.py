"""What a turn says: sentences and options, gathered for the conversation and for the private chat of its sender."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actions.core.entries import card_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actions.core.commands import Actor, Context, Outcome
    from actions.core.errors import DomainError
    from actions.core.life import Choice
    from bot.messages import Address


@dataclass(kw_only=True, slots=True)
class Saying:
    """One message in the making: its parts become paragraphs. `secret`: what it answers is not to be known again."""

    address: Address
    parts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    options: list[dict[str, str]] = field(default_factory=list)
    card: dict[str, Any] | None = None
    mention: dict[str, str] | None = None
    secret: bool = False

    def say(self, wording: str, params: Mapping[str, Any] | None = None) -> None:
        """Adds a sentence."""
        self.parts.append((wording, dict(params or {})))

    def report(self, outcome: Outcome, context: Context) -> None:
        """Adds what a command did; in the member's own private chat with the card of the record."""
        self.say(outcome.wording, outcome.params)
        for wording, params in outcome.more:
            self.say(wording, params)
        if outcome.options:
            self.options = [dict(option) for option in outcome.options]
        entry, member = outcome.data.get("calendar"), context.actor.member
        if entry is None or member is None or self.address.chat != "private":
            return
        if entry["member_id"] == member.id:
            self.card = card_content(context.vault, entry)

    def welcome(self, actor: Actor) -> None:
        """Greets somebody who can be spoken to from now on; who is not bound is shown how."""
        member = actor.member.name if actor.member is not None else ""
        self.say("channels.welcome", {"member": member})
        words = ("帮助",) if member else ("绑定工号", "帮助")
        self.options = [{"label": word, "value": word} for word in words]

    def refuse(self, error: DomainError) -> None:
        """Adds the sentence of a refusal."""
        self.say(f"errors.{error.code}", error.params)

    def offer(self, choices: Iterable[Choice]) -> None:
        """Replaces the options: a click says the label, which is what people type too."""
        self.options = [{"label": choice.label, "value": choice.label} for choice in choices]

    @property
    def content(self) -> dict[str, Any]:
        """What the outgoing row holds."""
        parts = [list(part) for part in self.parts]
        told: dict[str, Any] = {"parts": parts, "options": self.options, "chat": self.address.chat, "card": self.card}
        return {**told, "mention": self.mention} if self.mention else told
