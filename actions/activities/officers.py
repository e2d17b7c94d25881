"""What officers do: see who is in, check in, note results; and what becomes of an offering that is changed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from actions.activities import notices, store, waitlist
from actions.activities.entering import CHECK_IN
from actions.activities.rules import spec_of
from actions.activities.tables import OPEN, Attendance, Entry, Person
from actions.blocks.tickets import genuine
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import cancel_notices
from actions.core.tables import Offering
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.commands import CheckIn, ListEntries, Mark, Overview, SetResult
    from actions.activities.rules import ActivitySpec
    from actions.core.commands import Context

#: How long before a session people may be checked in.
_DOORS_OPEN = timedelta(hours=3)
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


async def check_in(command: CheckIn, context: Context) -> Outcome:
    """Raises DomainError: ticket_unknown, ticket_used, no_session_now; ForbiddenError.

    Of a code that is none of ours nothing is looked up, and whose it is, is told to who may know alone.
    """
    code = genuine(context.vault, CHECK_IN, command.code)
    query = select(Person, Entry).join(Entry, Entry.id == Person.entry_id).where(Person.ticket == code)
    found = (await context.session.execute(query)).unique().first() if code else None
    if found is None:
        raise DomainError("ticket_unknown")
    person, entry = found
    if not store.answers_for(context, entry.offering):
        raise ForbiddenError
    session = _session_now(context, spec_of(entry.offering))
    if not await _note(context, entry, person.member_id, session):
        raise DomainError("ticket_used", name=person.member.name, title=entry.offering.title)
    return Outcome(
        wording="activities.checked_in",
        params={"name": person.member.name, "title": entry.offering.title, "session": session + 1},
        subject=entry.subject,
    )


def _session_now(context: Context, spec: ActivitySpec) -> int:
    """The session whose doors are open; what has no sessions has its doors always open."""
    if not spec.sessions:
        return 0
    ordered = sorted(spec.sessions, key=lambda session: session.starts_at)
    for number, session in enumerate(ordered):
        if session.starts_at - _DOORS_OPEN <= context.now < session.ends_at:
            return number
    following = next((session for session in ordered if session.starts_at > context.now), None)
    raise DomainError("no_session_now", starts_at=local(following.starts_at) if following else None)


async def _note(context: Context, entry: Entry, member_id: int, session: int) -> bool:
    """Writes that somebody was there; False where it is written already."""
    actor = context.actor.member
    row = Attendance(
        offering_id=entry.offering_id,
        session=session,
        member_id=member_id,
        entry_id=entry.id,
        at=context.now,
        noted_by=actor.id if actor else None,
    )
    try:
        async with context.session.begin_nested():
            context.session.add(row)
    except IntegrityError:
        return False
    return True


async def mark(command: Mark, context: Context) -> Outcome:
    """Raises DomainError: not_found, no_such_session; ForbiddenError."""
    entry = await store.find(context, command.entry_id)
    if not store.answers_for(context, entry.offering):
        raise ForbiddenError
    if command.session >= max(len(spec_of(entry.offering).sessions), 1):
        raise DomainError("no_such_session", session=command.session)
    wanted = [p for p in entry.people if command.staff_id in ("", p.member.staff_id)]
    if entry.state != "registered" or not wanted:
        raise DomainError("not_found")
    for person in wanted:
        if command.attended:
            await _note(context, entry, person.member_id, command.session)
        else:
            key = (entry.offering_id, command.session, person.member_id)
            row = await context.session.get(Attendance, key)
            if row is not None:
                await context.session.delete(row)
    names = [person.member.name for person in wanted]
    params = {"names": names, "title": entry.offering.title, "attended": command.attended}
    return Outcome(wording="activities.marked", params=params, subject=entry.subject)


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
