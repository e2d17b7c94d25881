"""An answer that leaves something to be done before the lists are locked: said at once, and reminded of in time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from actions.activities import notices
from actions.activities.blocks import Block
from actions.activities.rules import rules_of, spec_of
from actions.core.notify import Notice, notify
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.tables import Entry
    from actions.blocks.answers import OwesRules
    from actions.core.commands import Context


class Owing(Block):
    """Reminds who answers for an entry of what its answer leaves open; a changed answer takes the reminder back."""

    rule = "owes"

    async def entered(self, context: Context, entry: Entry) -> None:
        """Sets the reminder."""
        rules = _owed(context, entry)
        locked = spec_of(entry.offering).locked_at
        if rules is None or locked is None or locked - timedelta(hours=rules.hours) <= context.now:
            return
        for member_id in sorted({entry.member_id, entry.filed_by or entry.member_id}):
            await notify(
                context,
                Notice(
                    member_id=member_id,
                    wording=rules.wording,
                    params=_facts(context, entry),
                    subject=entry.subject,
                    due=locked - timedelta(hours=rules.hours),
                    expires=locked,
                    kind="reminder",
                ),
            )

    async def told(self, context: Context, entry: Entry) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """What is left to do, for who signed up."""
        rules = _owed(context, entry)
        return () if rules is None else ((rules.wording, _facts(context, entry)),)


def _owed(context: Context, entry: Entry) -> OwesRules | None:
    rules = rules_of(context.catalogue[entry.service]).owes
    return rules if rules is not None and entry.fields.get(rules.field) == rules.value else None


def _facts(context: Context, entry: Entry) -> dict[str, Any]:
    locked = spec_of(entry.offering).locked_at
    known = notices.pushed(context, entry)
    return {"title": known["title"], "locks_at": local(locked).isoformat() if locked else None}
