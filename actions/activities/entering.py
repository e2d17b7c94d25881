"""An entry that has its place comes in: at once, or once somebody has agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.activities import notices
from actions.activities.blocks import blocks_of
from actions.activities.rules import rules_of
from actions.core.commands import Outcome

if TYPE_CHECKING:
    from actions.activities.tables import Entry
    from actions.core.commands import Context


async def enter(context: Context, entry: Entry, *, approved: bool = False) -> Outcome:
    """Registers an entry, or asks those who have to agree; says so to who acts."""
    entry.expires_at = None
    rules = rules_of(context.catalogue[entry.service])
    if rules.approvers and not approved and not await _may_agree(context, entry):
        entry.state = "pending"
        await context.session.flush()
        await notices.ask_approval(context, entry)
    else:
        await confirm(context, entry)
    return await outcome(context, entry)


async def _may_agree(context: Context, entry: Entry) -> bool:
    """Whether who acts for a colleague could agree to it as well; on their own entry nobody decides."""
    actor = context.actor.member
    if actor is None or actor.id == entry.member_id:
        return False
    return actor.id in await notices.approvers(context, entry.offering)


async def confirm(context: Context, entry: Entry) -> None:
    """The entry is in: codes are given, reminders set."""
    entry.state = "registered"
    await context.session.flush()
    await notices.remind(context, entry)
    for block in blocks_of(context, context.catalogue[entry.service]):
        await block.entered(context, entry)


async def stand_aside(context: Context, entry: Entry, state: str, *, changed: bool = False) -> Outcome:
    """The entry stays open and takes no place: no code, no reminder."""
    entry.state, entry.expires_at = state, None
    for person in entry.people:
        person.ticket = None
    await context.session.flush()
    return await outcome(context, entry, changed=changed)


async def outcome(context: Context, entry: Entry, *, changed: bool = False) -> Outcome:
    """What is said of an entry to who signed it up."""
    actor = context.actor.member
    own = next((p for p in entry.people if actor is not None and p.member_id == actor.id), None)
    params = {
        **notices.facts(context, entry),
        "changed": changed,
        "own": actor is not None and entry.member_id == actor.id,
        "reminded": bool(rules_of(context.catalogue[entry.service]).reminders),
    }
    card = notices.calendar(context, entry, actor.id) if actor is not None and own is not None else None
    blocks = blocks_of(context, context.catalogue[entry.service])
    return Outcome(
        wording=rules_of(context.catalogue[entry.service]).wordings.get(entry.state, f"activities.{entry.state}"),
        params=params,
        more=[sentence for block in blocks for sentence in await block.told(context, entry)],
        subject=entry.subject,
        data={"entry_id": entry.id, "state": entry.state, **({"calendar": card} if card else {})},
    )
