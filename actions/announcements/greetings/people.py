"""Who is new and who has retired: told by comparing the roster with how the union knew its members yesterday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, literal, select, update

from actions.announcements.tables import Known
from actions.core.tables import Account, Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Context

#: A new colleague is welcomed when they are bound, for so long.
_WELCOMED_FOR = timedelta(days=90)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Ids of members who have retired since the last look, and of new ones who can be spoken to.

    `many_new` is how many came at once, where they were too many to be new colleagues; else 0.
    """

    retired: Sequence[int]
    joined: Sequence[int]
    many_new: int = 0


async def look(context: Context, most: int) -> Found:
    """Compares, and remembers what it has seen. The first look finds nobody: all were there before."""
    session = context.session
    first = (await session.execute(select(Known.member_id).limit(1))).first() is None
    retired = await _retired(context)
    fresh = select(Member.id).where(Member.status != "left", Member.id.not_in(select(Known.member_id)))
    new = (await session.execute(fresh)).scalars().all()
    many = not first and len(new) > most
    until = None if first or many else context.now + _WELCOMED_FOR
    await session.execute(
        insert(Known).from_select(
            ["member_id", "status", "welcome_until"],
            select(Member.id, Member.status, literal(until, Known.welcome_until.type).label("welcome_until")).where(
                Member.status != "left", Member.id.not_in(select(Known.member_id))
            ),
        )
    )
    joined = await _joined(context)
    return Found(retired=retired, joined=joined, many_new=len(new) if many else 0)


async def _retired(context: Context) -> Sequence[int]:
    """Who is retired now and was not; whatever else has changed is remembered."""
    changed = select(Member.id, Member.status).join(Known, Known.member_id == Member.id)
    rows = (await context.session.execute(changed.where(Known.status != Member.status))).all()
    for member_id, status in rows:
        await context.session.execute(update(Known).where(Known.member_id == member_id).values(status=status))
    return [member_id for member_id, status in rows if status == "retired"]


async def _joined(context: Context) -> Sequence[int]:
    """New colleagues who are bound by now; they are welcomed once."""
    query = (
        select(Known.member_id)
        .join(Account, Account.member_id == Known.member_id)
        .where(Known.welcome_until > context.now, Account.conversation.is_not(None))
    )
    found = sorted(set((await context.session.execute(query)).scalars()))
    if found:
        statement = update(Known).where(Known.member_id.in_(found)).values(welcome_until=None)
        await context.session.execute(statement)
    return found
