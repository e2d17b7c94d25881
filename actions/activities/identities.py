"""Identity numbers for an insurance: asked for at the very end, seen on one list, and deleted as soon as possible."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from actions.activities import allotment_store as allotted
from actions.activities.allotment_tables import Identity, IdentityLook
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Entry
from actions.blocks import identity, materials
from actions.blocks.documents import Column, Paper, Part, Table
from actions.blocks.documents_excel import workbook
from actions.blocks.materials_made import Draft
from actions.blocks.materials_types import XLSX
from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.notify import Notice
from actions.core.tables import Member, Offering

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from actions.activities import allotment_commands as c
    from actions.blocks.materials_made import Shelf
    from actions.core.commands import Context

#: What the numbers are sealed about.
ABOUT = "identity"
#: The list holds what must not lie about; it is made anew for who needs it again.
_KEPT = timedelta(hours=1)
#: Looks in one message.
_LOOKS = 30


def ends_at(entry: Entry) -> datetime | None:
    """When the journey of an entry is over: its option's session, by its title, or the last one."""
    spec = spec_of(entry.offering)
    own = [session.ends_at for session in spec.sessions if session.title == entry.fields.get("allotted")]
    return max(own, default=spec.ends_at)


class Identities:
    """Takes numbers, hands the one list out, and deletes."""

    def __init__(self, shelf: Shelf | None) -> None:
        self._shelf = shelf

    async def give(self, command: c.GiveIdentity, context: Context) -> Outcome:
        """Raises DomainError: identity_in_private, identity_not_wanted, identity_wrong."""
        if not context.actor.private:
            raise DomainError("identity_in_private")
        entry = await self._wanted(context)
        number = identity.said(command.number)
        if number is None or not identity.genuine(number, allotted.today(context)):
            raise DomainError("identity_wrong")
        row = await context.session.get(Identity, entry.id)
        if row is None:
            row = Identity(entry_id=entry.id)
            context.session.add(row)
        row.number = context.vault.seal(number, about=ABOUT)
        await context.session.flush()
        rules = rules_of(context.catalogue[entry.service]).allotment
        days = rules.identity_days if rules is not None else 0
        params = {"title": entry.offering.title, "days": days}
        return Outcome(wording="retreat.identity_kept", params=params, subject=entry.subject)

    async def _wanted(self, context: Context) -> Entry:
        """What the actor takes part in and a number is needed for: decided for good, and not over."""
        services = [s.id for s in context.catalogue if s.life == "activity" and rules_of(s).allotment is not None]
        query = select(Entry).where(
            Entry.service.in_(services), Entry.member_id == context.actor.member_id, Entry.state == "registered"
        )
        rows = (await context.session.execute(query.order_by(Entry.id.desc()))).unique().scalars().all()
        for row in rows:
            end = ends_at(row)
            if end is None or context.now < end:
                return row
        raise DomainError("identity_not_wanted")

    async def show(self, command: c.InsuranceList, context: Context) -> Outcome:
        """Raises DomainError: not_found, nobody_in, file_no_account; ForbiddenError."""
        offering, _rules = await allotted.answered_for(context, command.offering_id)
        rows = await allotted.entries(context, offering, "registered")
        if not rows:
            raise DomainError("nobody_in", title=offering.title)
        numbers = {row.id: await context.session.get(Identity, row.id) for row in rows}
        missing = [row.member.name for row in rows if numbers[row.id] is None]
        table = [self._line(context, row, numbers[row.id]) for row in rows]
        looker = context.actor.member.id if context.actor.member else None
        known = [row.id for row in rows if numbers[row.id] is not None]
        context.session.add_all(IdentityLook(entry_id=each, member_id=looker, at=context.now) for each in known)
        await self._hand_over(context, offering, table)
        params = {"title": offering.title, "count": len(rows), "missing": missing, "minutes": _KEPT.seconds // 60}
        return Outcome(wording="retreat.insurance_list", params=params, subject=f"offering:{offering.id}")

    def _line(self, context: Context, row: Entry, number: Identity | None) -> tuple[str, ...]:
        shown = "" if number is None else str(context.vault.open(number.number, about=ABOUT))
        unit = row.unit.name if row.unit else ""
        return (row.member.name, row.member.staff_id, unit, str(row.fields.get("allotted", "")), shown)

    async def _hand_over(self, context: Context, offering: Offering, table: Sequence[tuple[str, ...]]) -> None:
        if self._shelf is None or context.actor.member is None:
            raise DomainError("file_no_account")
        titles = rules_of(context.catalogue[offering.service]).allotment
        heads = titles.insurance_columns if titles is not None else ()
        columns = tuple(Column(title=head, width=8) for head in heads)
        paper = Paper(title=offering.title, parts=(Part(table=Table(columns=columns, rows=tuple(table))),))
        notice = Notice(
            member_id=context.actor.member_id,
            wording="retreat.insurance_file",
            params={"title": offering.title, "minutes": _KEPT.seconds // 60},
            subject=_subject(offering),
            expires=context.now + _KEPT,
        )
        draft = Draft(name=offering.title, kind=XLSX, build=partial(workbook, [paper]))
        await self._shelf.make(context, [draft], notice)

    async def looks(self, command: c.IdentityLooks, context: Context) -> Outcome:
        """Lists that were handed out with the actor's number on them; the newest first."""
        del command
        query = (
            select(IdentityLook.at, Member.name, Offering.title)
            .join(Entry, Entry.id == IdentityLook.entry_id)
            .join(Offering, Offering.id == Entry.offering_id)
            .outerjoin(Member, Member.id == IdentityLook.member_id)
            .where(Entry.member_id == context.actor.member_id)
            .order_by(IdentityLook.at.desc(), IdentityLook.id.desc())
            .limit(_LOOKS)
        )
        found = (await context.session.execute(query)).all()
        rows = [{"at": moment, "name": name or "", "title": title} for moment, name, title in found]
        return Outcome(wording="retreat.identity_looks", params={"rows": rows})

    async def done(self, command: c.Insured, context: Context) -> Outcome:
        """Raises DomainError("not_found"); ForbiddenError."""
        offering, _rules = await allotted.answered_for(context, command.offering_id)
        count = await self._delete(context, offering)
        params = {"title": offering.title, "count": count}
        return Outcome(wording="retreat.insured", params=params, subject=f"offering:{offering.id}", data=params)

    async def sweep(self, context: Context, offering: Offering) -> int:
        """Deletes the numbers so many days after the last journey."""
        spec, rules = spec_of(offering), rules_of(context.catalogue[offering.service]).allotment
        if rules is None or spec.ends_at is None:
            return 0
        over = context.now >= spec.ends_at + timedelta(days=rules.identity_days)
        return await self._delete(context, offering) if over else 0

    async def _delete(self, context: Context, offering: Offering) -> int:
        mine = select(Entry.id).where(Entry.offering_id == offering.id)
        gone = delete(Identity).where(Identity.entry_id.in_(mine)).returning(Identity.entry_id)
        count = len((await context.session.execute(gone)).all())
        if count:
            await materials.drop(context, _subject(offering))
        return count


def _subject(offering: Offering) -> str:
    return f"insurance:{offering.id}"
