"""A code that a room shows: whoever is registered and says it has come. It tells nothing of what is on there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from actions.activities import store
from actions.activities.attendance import note, session_now
from actions.activities.room_tables import RoomCode
from actions.activities.rules import spec_of
from actions.blocks.tickets import new_code
from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.tables import Offering

if TYPE_CHECKING:
    from actions.core.commands import Context

#: What a code is signed for.
ROOM = "room"


async def new_room_code(context: Context, offering: Offering) -> tuple[int, str]:
    """The session that is on and a fresh code for it; the one before counts no more.

    Raises DomainError("no_session_now").
    """
    session = session_now(context, spec_of(offering))
    code, actor = new_code(context.vault, ROOM), context.actor.member
    await context.session.execute(
        delete(RoomCode).where(RoomCode.offering_id == offering.id, RoomCode.session == session)
    )
    row = RoomCode(
        offering_id=offering.id, session=session, code=code, at=context.now, shown_by=actor.id if actor else None
    )
    context.session.add(row)
    await context.session.flush()
    return session, code


async def arrive(context: Context, code: str) -> Outcome:
    """The actor has come. Raises DomainError: ticket_unknown (of another session too), not_in_here, ticket_used."""
    query = select(RoomCode).where(RoomCode.code == code)
    shown = (await context.session.execute(query)).scalar_one_or_none()
    offering = await context.session.get(Offering, shown.offering_id) if shown is not None else None
    if shown is None or offering is None or session_now(context, spec_of(offering)) != shown.session:
        raise DomainError("ticket_unknown")
    me = context.actor.member_id
    entry = await store.own_entry(context, offering.id, me)
    if entry is None or entry.state != "registered" or not store.takes_part(context, entry):
        raise DomainError("not_in_here")
    name = next(person.member.name for person in entry.people if person.member_id == me)
    if not await note(context, entry, me, shown.session):
        raise DomainError("ticket_used", name=name, title=offering.title)
    params = {"name": name, "title": offering.title, "session": shown.session + 1}
    return Outcome(wording="activities.checked_in", params=params, subject=entry.subject)
