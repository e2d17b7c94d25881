"""What a rule of a declaration adds to an activity: choices with a stock, allotment, matching, receipts.

A block is a module of its own with its own rule (a field of `ActivityRules`), commands and wording; it is asked at the
points below wherever a service has that rule. Nothing here knows a service by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from actions.activities.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from actions.activities.commands import Register
    from actions.activities.form import Form
    from actions.activities.tables import Entry
    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Command, Context, Registration
    from actions.core.life import Choice
    from actions.core.tables import Offering


class Block:
    """Does nothing at every point; a block overrides those that concern it."""

    #: The field of `ActivityRules` that turns it on.
    rule: ClassVar[str]

    def registrations(self) -> Sequence[Registration[Any]]:
        """Commands of its own."""
        return ()

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Facts for the form's `when`. Raises DomainError where the member may not use it now."""
        del context, service
        return {}

    async def resolve(self, context: Context, form: Form, changed: Iterable[str]) -> None:
        """Holds answers against the records; may add to `form.values`. Raises DomainError with the field at fault."""
        del context, form, changed

    async def choices(self, context: Context, form: Form, field: FormField) -> tuple[Choice, ...] | None:
        """What may be answered to a field; None where that is not this block's to say."""
        del context, form, field
        return None

    def command(self, form: Form) -> Command | None:
        """What a confirmed form commits, in place of signing up; None where that is not this block's to say."""
        del form
        return None

    async def edited(self, context: Context, offering: Offering, before: Mapping[str, Any]) -> None:
        """An offering was edited; `before` is its spec as it was. Raises DomainError where it may not be."""
        del context, offering, before

    async def check(self, context: Context, offering: Offering, command: Register) -> None:
        """The last look before an entry is written or changed, for those who are alone. Raises DomainError."""
        del context, offering, command

    async def aside(self, context: Context, entry: Entry) -> str:
        """The state in which an entry stays open without a place, where its answers say so; "" where it takes one."""
        del context, entry
        return ""

    async def accepted(self, context: Context, entry: Entry) -> str:
        """The state into which an entry comes whose offer was taken; "" where it is in."""
        del context, entry
        return ""

    async def entered(self, context: Context, entry: Entry) -> None:
        """An entry was registered, or changed."""
        del context, entry

    async def ended(self, context: Context, entry: Entry, state: str) -> None:
        """An entry ends in `state`; what the block gave it goes back. Raises DomainError where it may not end so."""
        del context, entry, state

    async def forget(self, context: Context, entry_ids: Sequence[int]) -> None:
        """Entries are deleted, as their time is over or their person wants it; what the block keeps goes first."""
        del context, entry_ids

    async def told(self, context: Context, entry: Entry) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Further sentences (key, parameters) for who signed up."""
        del context, entry
        return ()

    async def sweep(self, context: Context) -> int:
        """What falls due by itself."""
        del context
        return 0


def blocks_of(context: Context, service: Declaration) -> tuple[Block, ...]:
    """The blocks that a service has rules for."""
    rules, life = rules_of(service), cast("Any", context.lives["activity"])
    blocks: tuple[Block, ...] = life.blocks
    return tuple(block for block in blocks if getattr(rules, block.rule))
