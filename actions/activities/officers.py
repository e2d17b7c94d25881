"""What officers do: see who is in, check in, note results; and what becomes of an offering that is changed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.activities import notices, store, waitlist
from actions.activities.rules import spec_of
from actions.activities.tables import OPEN, Entry
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import cancel_notices
from actions.core.tables import Offering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.commands import ListEntries, Overview, SetResult
    from actions.core.commands import Context

_NAMED = 60


async def list_entries(command: ListEntries, context: Context) -> Outcome:
    """Raises DomainError("not_found"), ForbiddenError."""
    offering = await _offering(context, command.offering_id)
    if not store.answers_for(context, offering):
        raise ForbiddenError
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state.in_(OPEN)).order_by(Entry.id)
    entries = await store.rows(context, query)
    rows = [_row(entry) for entry in entries]
    states = Counter(entry.state for entry in entries)
    return Outcome(
        wording="activities.entries",
        params={"title": offering.title, "rows": rows[:_NAMED], "more": len(rows[_NAMED:]), "states": dict(states)},
        subject=f"offering:{offering.id}",
        data={"rows": rows},
    )


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "member": entry.member.name,
        "unit": entry.unit.name if entry.unit else "",
        "kind": entry.kind,
        "state": entry.state,
        "people": [person.member.name for person in entry.people if person.role != "leader"],
    }


async def overview(_command: Overview, context: Context) -> Outcome:
    """Counts only, so that it tells nobody's name."""
    query = select(Offering).where(Offering.state.in_(("open", "closed"))).order_by(Offering.id)
    rows = []
    for offering in (await context.session.execute(query)).scalars().all():
        known = offering.service in context.catalogue and context.catalogue[offering.service].life == "activity"
        if not known or not store.answers_for(context, offering):
            continue
        states = select(Entry.state).where(Entry.offering_id == offering.id, Entry.kind != "wish")
        counted = Counter((await context.session.execute(states)).scalars())
        total = spec_of(offering).quota.total
        entered, waiting = counted["registered"] + counted["pending"], counted["waiting"]
        rows.append(
            {
                "id": offering.id,
                "title": offering.title,
                "entered": entered,
                "total": total,
                "waiting": waiting,
                "wished": counted["wished"],
            }
        )
    return Outcome(wording="activities.overview", params={"rows": rows}, data={"rows": rows})


async def _offering(context: Context, offering_id: int) -> Offering:
    offering = await context.session.get(Offering, offering_id)
    if offering is None or context.catalogue[offering.service].life != "activity":
        raise DomainError("not_found")
    return offering


async def set_result(command: SetResult, context: Context) -> Outcome:
    """Raises DomainError("not_found"), ForbiddenError."""
    entry = await store.find(context, command.entry_id)
    if not store.answers_for(context, entry.offering):
        raise ForbiddenError
    if entry.state != "registered":
        raise DomainError("not_found")
    entry.fields = {**entry.fields, "result": command.result}
    await context.session.flush()
    await notices.tell_people(context, entry, "enrolment.result", result=command.result)
    params = {**notices.facts(context, entry), "result": command.result}
    return Outcome(wording="activities.result_set", params=params, subject=entry.subject)


async def cancelled_offering(context: Context, offering: Offering) -> int:
    """Everything in it ends; everybody is told once. Returns how many entries there were."""
    await store.alone(context)
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state.in_(OPEN)).order_by(Entry.id)
    entries = await store.rows(context, query)
    for entry in entries:
        await notices.tell_people(context, entry, "enrolment.cancelled")
        await store.end(context, entry, "cancelled")
    return len(entries)


async def edited_offering(context: Context, offering: Offering, before: Mapping[str, Any]) -> int:
    """A new time or place is told to everybody in it, and their reminders with it; a larger quota is offered.

    Returns how many entries were told.
    """
    await store.alone(context)
    moved = any(before.get(key) != offering.spec.get(key) for key in ("sessions", "place"))
    told = await _tell_moved(context, offering) if moved else 0
    await waitlist.settle(context, offering)
    return told


async def _tell_moved(context: Context, offering: Offering) -> int:
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state.in_(OPEN)).order_by(Entry.id)
    entries: Sequence[Entry] = await store.rows(context, query)
    for entry in entries:
        if entry.state == "registered":
            await cancel_notices(context, entry.subject)
            await notices.remind(context, entry)
        await notices.tell_people(context, entry, "enrolment.moved")
    return len(entries)
