"""Announcements as `bot replay`, the tests and the files desk read them: nothing that a member withdraws or moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.announcements import segment_text, segments, store
from actions.announcements.rules import broadcast_rules
from actions.announcements.tables import Announcement, ChatGroup, Receipt
from actions.announcements.telling import may_read_pictures
from actions.core.life import KeptRecords, Snapshot
from actions.core.tables import Member, Wish
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from actions.core.commands import Context


class AnnouncementRecords(KeptRecords):
    """Records of this life."""

    kinds = ("announcement",)

    async def may_read(self, context: Context, subject: str) -> bool:
        """Pictures of an announcement: for whom it was sent to."""
        return await may_read_pictures(context, subject)

    async def snapshots(self, context: Context) -> Sequence[Snapshot]:
        """Announcements, receipts, wishes and bound groups."""
        service, _rules = broadcast_rules(context.catalogue)
        names = {number: name for number, name in (await context.session.execute(select(Member.id, Member.name))).all()}  # noqa: C416 - rows are no pairs
        rows = (await context.session.execute(select(Announcement).order_by(Announcement.id))).scalars().all()
        receipts = (await context.session.execute(select(Receipt).order_by(Receipt.at))).scalars().all()
        wishes = (await context.session.execute(select(Wish).order_by(Wish.id))).scalars().all()
        bound = (await context.session.execute(select(ChatGroup).order_by(ChatGroup.id))).scalars().all()
        others: list[tuple[str, str, int, dict[str, Any]]] = [
            *(("receipt", "answered", row.member_id, {"number": row.announcement_id}) for row in receipts),
            *(("wish", wish.wants, wish.member_id, {"topic": wish.topic}) for wish in wishes),
            *(("group", "bound", group.bound_by, {"title": group.title}) for group in bound),
        ]
        return [
            *(_announcement(context, service, row, names) for row in rows),
            *(
                Snapshot(service=service, kind=kind, state=state, member=names[member], fields=fields)
                for kind, state, member, fields in others
            ),
        ]


def _announcement(context: Context, service: str, row: Announcement, names: Mapping[int, str]) -> Snapshot:
    content = store.opened(context, row)
    fields = {
        "audience": segment_text.write(segments.from_json(row.segment)),
        "text": content["text"],
        "topic": row.topic,
        "time": local(row.due_at).isoformat(),
        "kind": row.kind,
    }
    member = names.get(row.author_id or 0, "")
    return Snapshot(service=service, kind="announcement", state=row.state, member=member, fields=fields)
