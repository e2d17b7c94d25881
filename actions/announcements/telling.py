"""What a member reads again: the announcements of late, word for word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.announcements import rights, store
from actions.announcements import segments as s
from actions.announcements.rules import AnnouncementRules, Office, rules_of, service_for
from actions.announcements.tables import Announcement
from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.notify import Notice, notify
from actions.core.tables import Batch, Outgoing
from actions.core.zones import local

if TYPE_CHECKING:
    from actions.announcements.commands import ListAnnouncements, ShowAnnouncement
    from actions.core.commands import Context

# What fits into one message of a chat: nothing is cut, so the last ones are said in full and the others named.
_WHOLE, _LISTED, _CODE_POINTS = 3, 8, 1_200


async def for_member(context: Context, member_id: int) -> list[Announcement]:
    """What was sent of late to everybody or to the member, the newest first; what was set right is left out.

    Who wanted no news still may read them here.
    """
    service = service_for(context.catalogue, "list")
    rules = rules_of(service) if service else AnnouncementRules(action="list")
    since = context.now - timedelta(days=rules.shown_days)
    query = select(Announcement).where(Announcement.state == "sent", Announcement.sent_at >= since)
    rows = (
        await context.session.execute(query.order_by(Announcement.sent_at.desc(), Announcement.id.desc()))
    ).scalars()
    mine = (
        select(Batch.subject)
        .join(Outgoing, Outgoing.batch_id == Batch.id)
        .where(Outgoing.member_id == member_id, Outgoing.state.not_in(("cancelled", "paused")), Batch.subject != "")
    )
    subjects = set((await context.session.execute(mine)).scalars())
    return [row for row in rows if row.subject in subjects or _for_everyone(row)]


def _for_everyone(row: Announcement) -> bool:
    segment, _groups = s.split(s.from_json(row.segment))
    return isinstance(segment, s.Everyone)


async def list_announcements(command: ListAnnouncements, context: Context, office: Office) -> Outcome:
    """The newest in full, as many as fit; the others by their titles."""
    del command, office
    rows = await for_member(context, context.actor.member_id)
    if not rows:
        return Outcome(wording="announcements.none")
    whole: list[dict[str, Any]] = []
    for row in rows[:_WHOLE]:
        told = await _facts(context, row)
        if whole and sum(len(each["text"]) for each in whole) + len(told["text"]) > _CODE_POINTS:
            break
        whole.append(told)
    others = [await _facts(context, row) for row in rows[len(whole) : len(whole) + _LISTED]]
    options = [{"label": f"通知 {each['number']}", "value": f"通知 {each['number']}"} for each in others]
    return Outcome(
        wording="announcements.latest",
        params={"rows": whole, "others": others, "more": max(len(rows) - len(whole) - len(others), 0)},
        options=options,
    )


async def _facts(context: Context, row: Announcement) -> dict[str, Any]:
    return {
        **store.opened(context, row),
        "number": row.id,
        "title": row.title,
        "day": local(row.sent_at or row.due_at).isoformat(),
        "corrects": row.corrects_id is not None,
        "pictures": len(await store.pictures(context, row)),
    }


async def show(command: ShowAnnouncement, context: Context, office: Office) -> Outcome:
    """One of them, word for word; its pictures follow.

    Raises DomainError("no_such_announcement"), also for one that was not for the actor.
    """
    del office
    row = await context.session.get(Announcement, command.announcement_id)
    if row is None:
        raise DomainError("no_such_announcement", number=command.announcement_id)
    mine = await for_member(context, context.actor.member_id)
    if all(each.id != row.id for each in mine) and not store.may_manage(context, row):
        raise DomainError("no_such_announcement", number=command.announcement_id)
    pictures = await store.pictures(context, row)
    if pictures:
        params = {"number": row.id}
        wording = "announcements.pictures"
        member_id = context.actor.member_id
        await notify(context, Notice(member_id=member_id, wording=wording, params=params, files=pictures))
    return Outcome(
        wording="announcements.one", params={**await _facts(context, row), "state": row.state}, subject=row.subject
    )


async def may_read_pictures(context: Context, subject: str) -> bool:
    """Whether the actor may open an announcement's pictures: whom it was for, and who steers or approves it."""
    number = subject.partition(":")[2]
    row = await context.session.get(Announcement, int(number)) if number.isdecimal() else None
    if row is None or context.actor.member is None:
        return False
    if store.may_manage(context, row) or rights.is_approver(context):
        return True
    return any(each.id == row.id for each in await for_member(context, context.actor.member.id))
