"""A pasted 接龙 with what is known about it: whose it is, who is meant, who is in already."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.activities import store
from actions.activities.commands import Register
from actions.activities.jielong_tables import JielongPaste
from actions.activities.rules import spec_of
from actions.activities.tables import OPEN, Entry
from actions.activities.tables import Person as InEntry
from actions.blocks.jielong import read_jielong
from actions.blocks.jielong_roster import Person, Roster
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Member, Offering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.blocks.jielong import Jielong, Mention
    from actions.core.commands import Context

#: What binds a sealed text to its place.
ABOUT = "jielong"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A paste with what is known about it by now."""

    row: JielongPaste
    read: Jielong
    roster: Roster
    picks: Mapping[int, int]

    def member(self, number: int) -> int | None:
        """Who a person of the 接龙 is: sure or picked; None while it is open, and for nobody of the roster."""
        mention = self.read.mentions[number]
        if number in self.picks:
            return self.picks[number] or None
        return mention.candidates[0] if mention.certainty == "sure" else None

    @property
    def open(self) -> list[int]:
        """Persons about whom an officer has to say who they are."""
        mentions = enumerate(self.read.mentions)
        return [number for number, one in mentions if one.certainty == "unsure" and number not in self.picks]

    @property
    def last(self) -> dict[int, Mention]:
        """The last word about each member: who stands there twice is there once, who called off is out."""
        found = {}
        for number, mention in enumerate(self.read.mentions):
            member_id = self.member(number)
            if member_id is not None:
                found[member_id] = mention
        return found


async def titles_of(context: Context) -> dict[str, Offering]:
    """Offerings that the actor files for, by title and by their other names."""
    query = select(Offering).where(Offering.state.in_(("open", "closed"))).order_by(Offering.id)
    found: dict[str, Offering] = {}
    for offering in (await context.session.execute(query)).scalars():
        if _ours(context, offering) and _may(context, offering):
            for name in (offering.title, *spec_of(offering).also):
                found.setdefault(name, offering)
    return found


def _ours(context: Context, offering: Offering) -> bool:
    known = offering.service in context.catalogue
    return known and context.catalogue[offering.service].life == "activity"


def _may(context: Context, offering: Offering) -> bool:
    if store.answers_for(context, offering):
        return True
    member = context.actor.member
    private = context.catalogue[offering.service].private
    return not private and member is not None and store.files_for(context, offering.service, member.unit_id)


async def offering_of(context: Context, offering_id: int) -> Offering:
    """Raises DomainError("not_found"), ForbiddenError."""
    offering = await context.session.get(Offering, offering_id)
    if offering is None or not _ours(context, offering):
        raise DomainError("not_found")
    if not _may(context, offering):
        raise ForbiddenError
    return offering


async def open_row(context: Context, paste_id: int) -> JielongPaste:
    """A paste of the actor's own, locked. Raises DomainError: not_found, jielong_done."""
    row = await context.database.lock(context.session, JielongPaste, paste_id)
    if row is None or row.member_id != context.actor.member_id:
        raise DomainError("not_found")
    if row.state != "open":
        raise DomainError("jielong_done", title=row.offering.title)
    return row


async def desk_of(context: Context, row: JielongPaste) -> Desk:
    """A paste, read against the roster of today."""
    content = context.vault.open(row.content, about=ABOUT)
    query = select(Member).where(Member.status != "left")
    people = [
        Person(
            id=member.id,
            name=member.name,
            unit=member.unit.name if member.unit else "",
            staff_id=member.staff_id,
            phone=member.phone,
        )
        for member in (await context.session.execute(query)).unique().scalars()
    ]
    # A large roster takes a moment to look through: others are answered meanwhile.
    roster = await asyncio.to_thread(Roster, people)
    read = await asyncio.to_thread(read_jielong, content["text"], roster)
    picks = {int(number): member_id for number, member_id in content["picks"].items()}
    return Desk(row=row, read=read, roster=roster, picks=picks)


async def members_in(context: Context, offering_id: int) -> set[int]:
    """Who is in an offering already."""
    query = (
        select(InEntry.member_id)
        .join(Entry, Entry.id == InEntry.entry_id)
        .where(Entry.offering_id == offering_id, Entry.state.in_(OPEN), Entry.kind != "wish")
    )
    return set((await context.session.execute(query)).scalars())


def asked_about(desk: Desk, number: int) -> dict[str, Any]:
    """Parameters of the question who a person of the 接龙 is."""
    mention = desk.read.mentions[number]
    people = [desk.roster.people[one] for one in mention.candidates]
    candidates = [{"member_id": one.id, "name": one.name, "unit": one.unit, "staff_id": one.staff_id} for one in people]
    return {"mention": number, "place": mention.place, "text": mention.text, "candidates": candidates}


def entries_of(desk: Desk, kind: str, there: set[int]) -> list[tuple[int, ...]]:
    """Who signs up together: of pairs those of one line, else each alone; who is in already is left out."""
    coming = {one: said.place for one, said in desk.last.items() if not said.called_off and one not in there}
    if kind != "pair":
        return [(one,) for one in coming]
    lines: dict[int, list[int]] = {}
    for one, place in coming.items():
        lines.setdefault(place, []).append(one)
    return [tuple(members) for members in lines.values()]


def registration_of(desk: Desk, members: Sequence[int]) -> Register:
    """The command that signs up some who come together."""
    offering = desk.row.offering
    people = tuple(desk.roster.people[one].staff_id for one in members)
    return Register(service=offering.service, offering_id=offering.id, people=people)
