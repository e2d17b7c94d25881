"""After an activity: who wishes to hear from whom again. Contacts change hands only when both have said yes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from sqlalchemy import delete, func, select

from actions.activities import people, store
from actions.activities.blocks import Block
from actions.activities.matching_tables import Liking
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Attendance, Entry, Person
from actions.blocks.matching import both, room, wish
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.notify import Notice, notify
from actions.core.tables import Member, Offering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Context


class Like(Command):
    """The actor wishes to hear again from somebody (`who`: a name) of the last activity that both were at.

    `contact` is what the other one gets if they wish so too; the actor's telephone number where it is left out.
    """

    name: ClassVar[str] = "matching.like"
    who: str = Field(min_length=1, max_length=40)
    contact: str = Field("", max_length=60)


class Unlike(Command):
    """Takes a wish back, before it was met."""

    name: ClassVar[str] = "matching.unlike"
    who: str = Field(min_length=1, max_length=40)


class Matches(Command):
    """With whom the actor and they both said yes, and how to reach them."""

    name: ClassVar[str] = "matching.matches"


class Matching(Block):
    """Wishes of the people of an activity, kept so that who reads the records learns nothing."""

    rule = "matching"

    def registrations(self) -> Sequence[Registration[Any]]:
        """Commands of who was there; all of them are a private matter."""
        return (
            Registration(command=Like, handler=like, right=bound, private=lambda *_: True),
            Registration(command=Unlike, handler=unlike, right=bound, private=lambda *_: True),
            Registration(command=Matches, handler=matches, right=bound, private=lambda *_: True),
        )

    async def ended(self, context: Context, entry: Entry, state: str) -> None:
        """Who withdraws leaves nothing behind."""
        del state
        await _forget_of(context, entry)

    async def forget(self, context: Context, entry_ids: Sequence[int]) -> None:
        """Wishes go with the entries."""
        for entry in await store.rows(context, select(Entry).where(Entry.id.in_(entry_ids))):
            await _forget_of(context, entry)

    async def sweep(self, context: Context) -> int:
        """Deletes the wishes of activities whose days are over, met or not."""
        query = select(Offering).where(Offering.id.in_(select(Liking.offering_id).distinct()))
        done = 0
        for offering in (await context.session.execute(query)).scalars():
            if not _open(context, offering):
                gone = delete(Liking).where(Liking.offering_id == offering.id).returning(Liking.key)
                done += len((await context.session.execute(gone)).all())
        return done


def _open(context: Context, offering: Offering) -> bool:
    """Whether wishes about an offering count: from its end, for the days of the rule."""
    rules, ends_at = rules_of(context.catalogue[offering.service]).matching, spec_of(offering).ends_at
    if rules is None or ends_at is None or offering.state == "cancelled":
        return False
    return ends_at <= context.now < ends_at + timedelta(days=rules.days)


async def _offering(context: Context) -> Offering:
    """The activity that the actor was at last, while wishes count. Raises DomainError("nobody_to_like")."""
    services = [s.id for s in context.catalogue if s.life == "activity" and rules_of(s).matching is not None]
    query = (
        select(Offering)
        .join(Entry, Entry.offering_id == Offering.id)
        .join(Person, Person.entry_id == Entry.id)
        .where(
            Offering.service.in_(services),
            Entry.state == "registered",
            Person.member_id == context.actor.member_id,
        )
        .order_by(Offering.id.desc())
    )
    for offering in (await context.session.execute(query)).scalars():
        there = await _there(context, offering)
        if _open(context, offering) and any(member.id == context.actor.member_id for member in there):
            return offering
    raise DomainError("nobody_to_like")


async def _there(context: Context, offering: Offering) -> list[Member]:
    """Who was at an activity: who was checked in, or, where nobody was, who is registered.

    Who signed up and did not come is nobody's to know.
    """
    seen = select(Attendance.member_id).where(Attendance.offering_id == offering.id)
    if (await context.session.execute(seen.limit(1))).first() is None:
        seen = (
            select(Person.member_id)
            .join(Entry, Entry.id == Person.entry_id)
            .where(Entry.offering_id == offering.id, Entry.state == "registered")
        )
    query = select(Member).where(Member.id.in_(seen), Member.status != "left").order_by(Member.id)
    return list((await context.session.execute(query)).unique().scalars())


async def _meant(context: Context, offering: Offering, who: str) -> Member:
    """Somebody of a name or 工号 who was there. Raises DomainError: not_there, several_called."""
    wanted = who.strip().removesuffix("老师")
    found = [
        member
        for member in await _there(context, offering)
        if wanted in (member.name, member.staff_id) and not people.is_self(context, member)
    ]
    if len(found) > 1:
        raise DomainError("several_called", name=wanted)
    if not found:
        raise DomainError("not_there", name=wanted)
    return found[0]


def _key(context: Context, offering_id: int, one: int, other: int) -> str:
    return context.vault.pseudonym(f"liking:{offering_id}:{wish(one, other)}")


def _of(context: Context, offering_id: int, one: int) -> str:
    return context.vault.pseudonym(f"liking:{offering_id}:{one}")


async def like(command: Like, context: Context) -> Outcome:
    """Raises DomainError: nobody_to_like, not_there, several_called, no_contact, likes_all."""
    await store.alone(context)
    offering, me = await _offering(context), await context.session.get_one(Member, context.actor.member_id)
    other = await _meant(context, offering, command.who)
    contact = command.contact.strip() or me.phone
    if not contact:
        raise DomainError("no_contact", name=other.name)
    row = await context.session.get(Liking, _key(context, offering.id, me.id, other.id))
    if row is None:
        await _refuse_many(context, offering, me)
        row = Liking(
            key=_key(context, offering.id, me.id, other.id),
            of=_of(context, offering.id, me.id),
            offering_id=offering.id,
            at=context.now,
        )
        context.session.add(row)
    row.contact = context.vault.seal(contact, about="activity")
    await context.session.flush()
    back = await context.session.get(Liking, _key(context, offering.id, other.id, me.id))
    wishes = {wish(me.id, other.id), *({wish(other.id, me.id)} if back is not None else ())}
    if back is None or not both(me.id, other.id, wishes):
        return Outcome(wording="singles.noted", params={"name": other.name, "contact": contact})
    if not row.met:
        row.met = back.met = True
        # Nothing of it stands on a locked screen: it is looked up in the private chat.
        await notify(context, Notice(member_id=other.id, wording="singles.news"))
    theirs = str(context.vault.open(back.contact, about="activity"))
    return Outcome(wording="singles.matched", params={"name": other.name, "contact": theirs})


async def _refuse_many(context: Context, offering: Offering, me: Member) -> None:
    rules = rules_of(context.catalogue[offering.service]).matching
    query = select(func.count()).where(Liking.of == _of(context, offering.id, me.id))
    count = (await context.session.execute(query)).scalar_one()
    if rules is not None and not room(count, rules.most):
        raise DomainError("likes_all", most=rules.most)


async def unlike(command: Unlike, context: Context) -> Outcome:
    """Raises DomainError: nobody_to_like, not_there, several_called, met_already."""
    await store.alone(context)
    offering = await _offering(context)
    other = await _meant(context, offering, command.who)
    row = await context.session.get(Liking, _key(context, offering.id, context.actor.member_id, other.id))
    if row is not None and row.met:
        raise DomainError("met_already", name=other.name)
    if row is not None:
        await context.session.delete(row)
        await context.session.flush()
    return Outcome(wording="singles.taken_back", params={"name": other.name})


async def matches(_command: Matches, context: Context) -> Outcome:
    """Raises DomainError("nobody_to_like")."""
    offering, me = await _offering(context), context.actor.member_id
    rows = []
    for other in await _there(context, offering):
        back = await context.session.get(Liking, _key(context, offering.id, other.id, me))
        mine = await context.session.get(Liking, _key(context, offering.id, me, other.id))
        if back is not None and mine is not None and back.met:
            rows.append({"name": other.name, "contact": str(context.vault.open(back.contact, about="activity"))})
    return Outcome(wording="singles.matches", params={"rows": rows})


async def _forget_of(context: Context, entry: Entry) -> None:
    """Deletes what an entry's person wished, and what was wished of them."""
    me = entry.member_id
    everybody = select(Person.member_id).join(Entry, Entry.id == Person.entry_id)
    others = (await context.session.execute(everybody.where(Entry.offering_id == entry.offering_id))).scalars().all()
    keys = [_key(context, entry.offering_id, *pair) for other in others for pair in ((me, other), (other, me))]
    await context.session.execute(delete(Liking).where(Liking.key.in_(keys)))
