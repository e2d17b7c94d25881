"""收到: a notice that asks for it has a roster and a deadline; who has answered is a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.announcements import store
from actions.announcements.tables import Announcement, Receipt
from actions.blocks.rosters import Roster
from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.tables import Batch, Outgoing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select

    from actions.announcements.commands import Acknowledge
    from actions.announcements.rules import Office
    from actions.core.commands import Context

#: States of a row whose recipient was asked, or is about to be.
_ASKED = ("queued", "paused", "sending", "unknown", "sent", "accepted", "failed")


def asked(row: Announcement) -> Select[int]:
    """Ids of the members whom an announcement asks: all that it was for, but those who want none of it."""
    return (
        select(Outgoing.member_id)  # type: ignore[return-value] # the rows of groups, which have none, are left out
        .join(Batch, Batch.id == Outgoing.batch_id)
        .where(Batch.subject == row.subject, Outgoing.member_id.is_not(None), Outgoing.state.in_(_ASKED))
    )


class ReceiptRosters:
    """The rosters of announcements that ask for a receipt."""

    kinds = ("announcement",)

    async def roster(self, context: Context, ref: str) -> Roster | None:
        """The roster of an announcement; None where it asks for nothing or was not sent."""
        number = ref.partition(":")[2]
        row = await context.session.get(Announcement, int(number)) if number.isdecimal() else None
        return None if row is None or row.answer_by is None or row.state != "sent" else _roster(row)

    async def due(self, context: Context, low: datetime, high: datetime) -> list[Roster]:
        """Those whose deadline lies in the span."""
        query = select(Announcement).where(
            Announcement.state == "sent", Announcement.answer_by >= low, Announcement.answer_by < high
        )
        return [_roster(row) for row in (await context.session.execute(query)).scalars()]


def _roster(row: Announcement) -> Roster:
    return Roster(
        ref=row.subject,
        title=row.title,
        asked=asked(row),
        answered=select(Receipt.member_id).where(Receipt.announcement_id == row.id),
        deadline=row.answer_by,
        owner_id=row.author_id,
    )


async def acknowledge(command: Acknowledge, context: Context, office: Office) -> Outcome:
    """Writes it once; after the deadline too, as late is better than never.

    Raises DomainError: nothing_to_acknowledge, which_receipt (several wait and none was named), receipt_moved (it was
    set right, and what is right asks anew).
    """
    del office
    member_id = context.actor.member_id
    rows = await waiting(context, member_id)
    if command.announcement_id is not None:
        row = await context.session.get(Announcement, command.announcement_id)
        if row is None or row.answer_by is None or not await _was_asked(context, row, member_id):
            raise DomainError("nothing_to_acknowledge")
        if row.state != "sent":
            await _refuse_old(context, row)
    elif len(rows) > 1:
        raise DomainError("which_receipt", rows=[{"number": each.id, "title": each.title} for each in rows])
    elif not rows:
        raise DomainError("nothing_to_acknowledge")
    else:
        row = rows[0]
    if await context.session.get(Receipt, (row.id, member_id)) is None:
        context.session.add(Receipt(announcement_id=row.id, member_id=member_id, at=context.now))
        await context.session.flush()
    late = row.answer_by is not None and row.answer_by < context.now
    return Outcome(
        wording="announcements.acknowledged",
        params={"number": row.id, "title": row.title, "late": late},
        subject=row.subject,
        data={"announcement_id": row.id},
    )


async def _refuse_old(context: Context, row: Announcement) -> None:
    """An answer to what was taken back answers nothing. Raises DomainError."""
    later = await store.correction_of(context, row)
    if later is None or later.answer_by is None:
        raise DomainError("nothing_to_acknowledge")
    raise DomainError("receipt_moved", number=row.id, by=later.id)


async def _was_asked(context: Context, row: Announcement, member_id: int) -> bool:
    query = asked(row).where(Outgoing.member_id == member_id)
    return (await context.session.execute(query.limit(1))).first() is not None


async def waiting(context: Context, member_id: int) -> list[Announcement]:
    """Announcements that wait for a member's 收到, oldest first."""
    answered = select(Receipt.announcement_id).where(Receipt.member_id == member_id)
    told = (
        select(Batch.subject)
        .join(Outgoing, Outgoing.batch_id == Batch.id)
        .where(Outgoing.member_id == member_id, Outgoing.state.in_(("sent", "accepted", "sending", "unknown")))
    )
    query = select(Announcement).where(
        Announcement.state == "sent", Announcement.answer_by > context.now, Announcement.id.not_in(answered)
    )
    subjects = set((await context.session.execute(told)).scalars())
    rows = (await context.session.execute(query.order_by(Announcement.id))).scalars()
    return [row for row in rows if row.subject in subjects]
