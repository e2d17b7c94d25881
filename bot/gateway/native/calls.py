"""What goes over the line between the other engine and us, and what things are called there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.core.catalogue import Catalogue, Declaration
    from bot.messages import Outbound

#: The slot that a Rasa form sets to what it asks next.
REQUESTED = "requested_slot"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of the other engine.

    Attributes:
        sender: whom the caller vouches for.
        text: what they said last; `event` is unique for it.
        unheard: whether nothing has answered that message yet.
        slots: what the engine remembers.

    """

    sender: str
    text: str
    event: str
    unheard: bool = True
    slots: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaction:
    """What the engine is told: slots to set, what to say, and the form that has to go on (empty for none)."""

    slots: Mapping[str, Any]
    replies: tuple[Outbound, ...] = ()
    form: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What a service's form, slots and actions are called in the other engine."""

    service: str

    @property
    def form(self) -> str:
        """Its form."""
        return f"{self.service}_form"

    @property
    def validate(self) -> str:
        """The action that takes one message of the form."""
        return f"validate_{self.service}_form"

    @property
    def commit(self) -> str:
        """The action that does what was confirmed."""
        return f"action_{self.service}_commit"

    @property
    def state(self) -> str:
        """The slot of our sealed state."""
        return f"{self.service}_state"

    @property
    def ready(self) -> str:
        """The slot that is set once everything is confirmed."""
        return f"{self.service}_ready"

    def slot(self, key: str) -> str:
        """The slot of a field, in words."""
        return f"{self.service}_{key}"

    def slots(self, declaration: Declaration) -> tuple[str, ...]:
        """Those of the fields in the order of the form, then the one of the confirmation."""
        return (*(self.slot(item.key) for item in declaration.form), self.ready)


#: The action that answers anything else, as the assistant would.
ASSISTANT = "action_assistant"


def offered(catalogue: Catalogue) -> dict[str, Declaration]:
    """Services with a form that an intent of their own opens, by that intent."""
    found: dict[str, Declaration] = {}
    for declaration in catalogue:
        for intent in declaration.triggers.intents:
            if declaration.form and declaration.elsewhere is None and len(catalogue.opened_by(intent)) == 1:
                found[intent] = declaration
    return found
