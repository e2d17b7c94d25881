"""The digest: what was kept back during the week for those who want it in one message."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from actions.announcements import store
from actions.announcements.tables import Announcement
from actions.core.notify import Notice, notify
from actions.core.schedules import Schedule, on_days
from actions.core.tables import Batch, Member, Outgoing
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.announcements.rules import Office
    from actions.core.commands import Context

#: The reason of rows that were told in a digest.
TOLD = "digest_sent"

_WEEK, _OLDEST = timedelta(days=7), timedelta(days=14)
# Parameters that every database takes in one statement.
_AT_ONCE = 500
# Friday afternoon: what the weekend is about is still ahead.
_DAY, _CLOCK = 4, time(16)
_CODE_POINTS = 1_500


def schedule(office: Office) -> Schedule:
    """Every Friday at 16:00; a day late it still does good."""

    async def run(context: Context, due: datetime) -> None:
        await send(context, office, due)

    return Schedule(
        name="digest",
        times=on_days(_CLOCK, lambda day: day.weekday() == _DAY),
        run=run,
        useful=timedelta(days=1),
    )


async def send(context: Context, office: Office, due: datetime) -> int:
    """Sends each member what was kept back for them and not told yet; returns how many got a digest.

    Greetings are left out: a festival is over by then. What was taken back or set right is left out as well. The rows
    of the ledger say afterwards that they were told in a digest.
    """
    del office
    kept = (
        select(Outgoing.id, Member.id, Batch.subject)
        .join(Batch, Batch.id == Outgoing.batch_id)
        .join(Member, Member.id == Outgoing.member_id)
        .where(
            Outgoing.state == "suppressed",
            Outgoing.reason == "digest",
            Outgoing.due_at > due - _OLDEST,
            Batch.subject.like("announcement:%"),
            Member.status != "left",
        )
        .order_by(Member.id, Batch.id)
    )
    rows = (await context.session.execute(kept)).all()
    by_member: dict[int, list[str]] = defaultdict(list)
    for _row, member_id, subject in rows:
        if subject not in by_member[member_id]:
            by_member[member_id].append(subject)
    texts = await _texts(context, {subject for subjects in by_member.values() for subject in subjects})
    told = 0
    for member_id, subjects in by_member.items():
        items = [texts[subject] for subject in subjects if subject in texts]
        if items:
            await _tell(context, member_id, items, due)
            told += 1
    done = [row_id for row_id, _member_id, _subject in rows]
    for begin in range(0, len(done), _AT_ONCE):
        mine = Outgoing.id.in_(done[begin : begin + _AT_ONCE])
        await context.session.execute(update(Outgoing).where(mine).values(reason=TOLD))
    return told


async def _texts(context: Context, subjects: set[str]) -> dict[str, dict[str, Any]]:
    numbers = [int(subject.partition(":")[2]) for subject in subjects]
    query = select(Announcement).where(Announcement.id.in_(numbers), Announcement.state == "sent")
    rows = (await context.session.execute(query)).scalars()
    return {
        row.subject: {
            **store.opened(context, row),
            "number": row.id,
            "title": row.title,
            "files": await store.pictures(context, row),
        }
        for row in rows
    }


async def _tell(context: Context, member_id: int, items: Sequence[dict[str, Any]], due: datetime) -> None:
    """Nothing is shortened: what does not fit any more is named, to be asked for."""
    whole: list[dict[str, Any]] = []
    left = _CODE_POINTS
    for item in items:
        left -= len(item["text"])
        if whole and left < 0:
            break
        whole.append(item)
    day = local(due).date().isoformat()
    await notify(
        context,
        Notice(
            member_id=member_id,
            wording="announcements.digest",
            params={"items": [_said(item) for item in whole], "others": [_said(item) for item in items[len(whole) :]]},
            files=[file for item in whole for file in item["files"]],
            unique_key=f"digest:{member_id}:{day}",
            expires=due + _WEEK,
        ),
    )


def _said(item: dict[str, Any]) -> dict[str, Any]:
    """An item as sentences have it."""
    return {key: value for key, value in item.items() if key != "files"}
