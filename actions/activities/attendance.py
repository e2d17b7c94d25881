"""Who was at which session: written once, and taken back by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from actions.activities.tables import Attendance
from actions.core.errors import DomainError
from actions.core.zones import local

if TYPE_CHECKING:
    from actions.activities.rules import ActivitySpec
    from actions.activities.tables import Entry
    from actions.core.commands import Context

#: How long before a session people may be checked in.
_DOORS_OPEN = timedelta(hours=3)


def session_now(context: Context, spec: ActivitySpec) -> int:
    """The session whose doors are open; what has no sessions has its doors always open.

    Raises DomainError("no_session_now").
    """
    if not spec.sessions:
        return 0
    for number, session in enumerate(spec.sessions):
        if session.starts_at - _DOORS_OPEN <= context.now < session.ends_at:
            return number
    following = min((each.starts_at for each in spec.sessions if each.starts_at > context.now), default=None)
    raise DomainError("no_session_now", starts_at=local(following) if following else None)


async def note(context: Context, entry: Entry, member_id: int, session: int) -> bool:
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


async def take_back(context: Context, entry: Entry, member_id: int, session: int) -> None:
    """Somebody was not there after all."""
    row = await context.session.get(Attendance, (entry.offering_id, session, member_id))
    if row is not None:
        await context.session.delete(row)
        await context.session.flush()
