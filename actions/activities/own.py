"""A member's own entries: looked at and withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from actions.activities import commands as c
from actions.activities import notices, store
from actions.activities.resolving import choice_of
from actions.activities.rules import spec_of
from actions.activities.tables import OPEN, Attendance, Entry, Person
from actions.core.errors import DomainError
from actions.core.life import Item, Snapshot
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.commands import Command, Context
    from actions.core.life import Choice

_KINDS = {"waiting": "waitlist", "offered": "offer"}


class ActivityRecords:
    """Records of the life activity."""

    kinds = ("entry",)

    async def items(self, context: Context, member_id: int) -> Sequence[Item]:
        """Open entries that a member is in or answers for, soonest first; what is over is left out."""
        inside = select(Person.entry_id).where(Person.member_id == member_id)
        mine = or_(Entry.member_id == member_id, Entry.filed_by == member_id, Entry.id.in_(inside))
        query = select(Entry).where(mine, Entry.state.in_(OPEN)).order_by(Entry.id)
        rows = (await context.session.execute(query)).unique().scalars().all()
        items = [_item(context, row, member_id) for row in rows if not _over(context, row)]
        return sorted(items, key=lambda item: (item.starts_at is None, item.starts_at or context.now))

    async def item(self, context: Context, ref: str) -> Item | None:
        """One of the actor's own open records."""
        own = await self.items(context, context.actor.member_id)
        return next((item for item in own if item.ref == ref), None)

    async def may_read(self, context: Context, subject: str) -> bool:
        """Files of an entry: for who answers for the offering, and for who files for the unit."""
        entry = await context.session.get(Entry, int(subject.split(":")[1]))
        if entry is None:
            return False
        return store.answers_for(context, entry.offering) or (
            not context.catalogue[entry.service].private and store.files_for(context, entry.service, entry.unit_id)
        )

    def withdrawal(self, ref: str) -> Command:
        """Withdraw the entry."""
        return c.Withdraw(entry_id=int(ref.split(":")[1]))

    async def forget(self, context: Context, refs: Sequence[str]) -> None:
        """What the blocks keep of entries."""
        query = select(Entry).where(Entry.id.in_([int(ref.split(":")[1]) for ref in refs]))
        by_service: dict[str, list[int]] = {}
        for entry in await store.rows(context, query):
            by_service.setdefault(entry.service, []).append(entry.id)
        for service, ids in by_service.items():
            await store.forget(context, context.catalogue[service], ids)

    async def moves(self, context: Context, ref: str, wanted: Mapping[str, Any] | None) -> tuple[Choice, ...]:
        """None: an activity has its own time."""
        del context, ref, wanted
        return ()

    def move(self, ref: str, value: str) -> Command:
        """Raises DomainError("not_found"): there is none."""
        raise DomainError("not_found", ref=ref, value=value)

    async def snapshots(self, context: Context) -> Sequence[Snapshot]:
        """Everything that is left in the database, for a replay."""
        rows = (await context.session.execute(select(Entry).order_by(Entry.id))).unique().scalars().all()
        present = (await context.session.execute(select(Attendance).order_by(Attendance.at))).scalars().all()
        by_id = {row.id: row for row in rows}
        return [
            *(_snapshot(context, row) for row in rows),
            *(_attended(by_id[row.entry_id], row) for row in present if row.entry_id in by_id),
        ]


def _over(context: Context, row: Entry) -> bool:
    spec = spec_of(row.offering)
    ends_at = spec.ends_at or (spec.closes_at if spec.questions else None)
    return ends_at is not None and ends_at <= context.now


def _item(context: Context, row: Entry, member_id: int) -> Item:
    service, spec = context.catalogue[row.service], spec_of(row.offering)
    label = choice_of(row.offering, spec, []).label
    others = [p.member.name for p in row.people if p.member_id != member_id and p.role != "leader"]
    with_whom = f"（{'、'.join(others[:3])}{'等' if len(others) > 3 else ''}）" if others else ""
    waits = "候补 " if row.state == "waiting" else ""
    title = label if service.short in label else f"{service.short} {label}"
    return Item(
        ref=row.subject,
        service=row.service,
        title=f"{waits}{title}{with_whom}",
        state=row.state,
        starts_at=local(spec.starts_at) if spec.starts_at else None,
        withdrawable=row.state != "offered",
        params=notices.facts(context, row),
        calendar=notices.calendar(context, row, member_id),
    )


def _snapshot(context: Context, row: Entry) -> Snapshot:
    service = context.catalogue[row.service]
    key = next(item.key for item in service.form if item.type == "offering")
    sealed = context.vault.open(row.confidential, about="activity") if row.confidential else {}
    kind = "wish" if row.kind == "wish" else _KINDS.get(row.state, "registration")
    return Snapshot(
        service=row.service,
        kind=kind,
        state=row.state,
        member=row.member.name,
        fields={key: row.offering.title, **row.fields, **sealed},
    )


def _attended(entry: Entry, row: Attendance) -> Snapshot:
    name = next((p.member.name for p in entry.people if p.member_id == row.member_id), "")
    return Snapshot(
        service=entry.service, kind="attendance", state="attended", member=name, fields={"session": row.session + 1}
    )
