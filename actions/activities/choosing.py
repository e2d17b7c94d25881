"""Sets to choose of: each while there is one left, the default for who has not chosen, handed out for a code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from actions.activities import resolving, store
from actions.activities.asked import asked
from actions.activities.blocks import Block
from actions.activities.choice_tables import Share
from actions.activities.handing_out import (
    PICKUP,
    Collect,
    CollectForUnit,
    Purchase,
    ShowCodes,
    code_facts,
    collect,
    collect_for_unit,
    count,
    default_of,
    show,
)
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Entry, Person
from actions.blocks.choice import available, free_number
from actions.blocks.tickets import new_code
from actions.core.commands import Registration, bound
from actions.core.errors import DomainError
from actions.core.life import Choice
from actions.core.notify import Notice, notify
from actions.core.schedules import claim
from actions.core.tables import Firing, Member, Offering
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from actions.activities.commands import Register
    from actions.activities.form import Form
    from actions.blocks.choice import Option
    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Context

#: How many are given the default in one transaction: short, so that a turn never waits for it.
_AT_ONCE = 300


class Choices(Block):
    """Sets of an offering, chosen by the answer that `option_field` names."""

    rule = "choice"

    def registrations(self) -> Sequence[Registration[Any]]:
        """Commands of who hands out, and of who picks up."""
        return (
            Registration(command=Collect, handler=collect, right=bound),
            Registration(command=CollectForUnit, handler=collect_for_unit, right=bound),
            Registration(command=Purchase, handler=count, right=bound),
            Registration(command=ShowCodes, handler=show, right=bound, private=lambda *_: True),
        )

    async def choices(self, context: Context, form: Form, field: FormField) -> tuple[Choice, ...] | None:
        """The sets of which one is left. Raises DomainError("nothing_left")."""
        if field.key != form.rules.option_field:
            return None
        offering = await resolving.chosen(context, form)
        if offering is None:
            return ()
        left = await _available(context, offering, await _own(context, offering))
        if not left:
            raise DomainError("nothing_left", title=offering.title)
        return tuple(Choice(value=option.title, label=option.title) for option in left)

    async def resolve(self, context: Context, form: Form, changed: Iterable[str]) -> None:
        """Raises DomainError("set_gone") as soon as a set is named of which none is left."""
        del changed
        wanted = form.values.get(form.rules.option_field)
        offering = await resolving.chosen(context, form) if wanted else None
        if offering is not None:
            await _refuse_gone(context, offering, str(wanted), form.rules.option_field)

    async def check(self, context: Context, offering: Offering, command: Register) -> None:
        """Raises DomainError: set_gone, collected_already (what was picked up is not exchanged here)."""
        field = rules_of(context.catalogue[offering.service]).option_field
        own = await _own(context, offering)
        if own is not None and own.collected_at is not None:
            raise DomainError("collected_already", title=offering.title, collected_at=local(own.collected_at))
        await _refuse_gone(context, offering, str(command.fields.get(field) or ""), field)

    async def entered(self, context: Context, entry: Entry) -> None:
        """The set is theirs, with a code; the one that was chosen before is there for others again."""
        field = rules_of(context.catalogue[entry.service]).option_field
        await _give(context, entry, str(entry.fields.get(field) or ""))

    async def ended(self, context: Context, entry: Entry, state: str) -> None:
        """Raises DomainError: collected_already; answers_closed for who takes it back when it is bought already."""
        share = await context.session.get(Share, entry.id)
        if share is None:
            return
        if share.collected_at is not None and state == "withdrawn":
            raise DomainError("collected_already", title=entry.offering.title, collected_at=local(share.collected_at))
        closes_at = spec_of(entry.offering).closes_at
        late = closes_at is not None and context.now >= closes_at
        if state == "withdrawn" and late and not store.answers_for(context, entry.offering):
            raise DomainError("answers_closed", title=entry.offering.title, closed_at=closes_at)
        await context.session.delete(share)
        await context.session.flush()

    async def forget(self, context: Context, entry_ids: Sequence[int]) -> None:
        """What is kept of an entry goes with it."""
        await context.session.execute(delete(Share).where(Share.entry_id.in_(entry_ids)))

    async def told(self, context: Context, entry: Entry) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """One's own code, to nobody else."""
        share = await context.session.get(Share, entry.id)
        actor = context.actor.member
        if share is None or actor is None or entry.member_id != actor.id or entry.state != "registered":
            return ()
        return (("benefits.code", code_facts(context, entry, share)),)

    async def sweep(self, context: Context) -> int:
        """Gives the default set to who has not chosen by the end."""
        done = 0
        services = [s for s in context.catalogue if s.life == "activity" and rules_of(s).choice is not None]
        query = select(Offering).where(
            Offering.service.in_([service.id for service in services]), Offering.state.in_(("open", "closed"))
        )
        for offering in (await context.session.execute(query.order_by(Offering.id))).scalars():
            service, spec = context.catalogue[offering.service], spec_of(offering)
            if spec.closes_at is not None and spec.closes_at <= context.now and default_of(spec) is not None:
                done += await _give_defaults(context, service, offering, spec.closes_at)
        return done


async def _own(context: Context, offering: Offering) -> Share | None:
    """What the actor has of an offering."""
    if context.actor.member is None:
        return None
    entry = await store.own_entry(context, offering.id, context.actor.member.id)
    return None if entry is None else await context.session.get(Share, entry.id)


async def _available(context: Context, offering: Offering, own: Share | None) -> tuple[Option, ...]:
    gone = select(Share.option, func.count()).where(Share.offering_id == offering.id).group_by(Share.option)
    counted = {row[0]: row[1] for row in (await context.session.execute(gone)).all()}
    return available(spec_of(offering).options, counted, own=own.option if own else "")


async def _refuse_gone(context: Context, offering: Offering, title: str, field: str) -> None:
    left = await _available(context, offering, await _own(context, offering))
    known = {option.title for option in spec_of(offering).options}
    if title in known and title not in {option.title for option in left}:
        raise DomainError("set_gone", field=field, set=title, title=offering.title)


async def _give(context: Context, entry: Entry, title: str, *, defaulted: bool = False) -> Share:
    """Writes the set of an entry, for those who are alone. Raises DomainError("set_gone")."""
    share = await context.session.get(Share, entry.id)
    if share is not None and share.option == title:
        share.defaulted = defaulted
        return share
    stock = next((option.stock for option in spec_of(entry.offering).options if option.title == title), None)
    number = await _number(context, entry, title, stock) if stock is not None else None
    if share is None:
        share = Share(entry_id=entry.id, offering_id=entry.offering_id, code=new_code(context.vault, PICKUP))
        context.session.add(share)
    share.option, share.number, share.defaulted = title, number, defaulted
    await context.session.flush()
    return share


async def _number(context: Context, entry: Entry, title: str, stock: int) -> int:
    query = select(Share.number).where(
        Share.offering_id == entry.offering_id, Share.option == title, Share.number.is_not(None)
    )
    gone = {number for number in (await context.session.execute(query)).scalars() if number is not None}
    number = free_number(stock, gone)
    if number is None:
        raise DomainError("set_gone", set=title, title=entry.offering.title)
    return number


async def _give_defaults(context: Context, service: Declaration, offering: Offering, closes_at: datetime) -> int:
    """Some of those who have not chosen; who took their choice back wants nothing. Done when nobody is left."""
    what = f"default:{offering.id}"
    if await context.session.get(Firing, (what, closes_at)) is not None:
        return 0
    await store.alone(context)
    there = select(Entry.member_id).where(Entry.offering_id == offering.id)
    query = select(Member).where(Member.id.in_(asked(context, service, spec_of(offering))), Member.id.not_in(there))
    members = list((await context.session.execute(query.order_by(Member.id).limit(_AT_ONCE))).unique().scalars())
    for member in members:
        await _default_for(context, service, offering, member)
    if len(members) < _AT_ONCE:
        await claim(context, what, closes_at)
    return len(members)


async def _default_for(context: Context, service: Declaration, offering: Offering, member: Member) -> None:
    """Nobody chose, so nothing is scarce: no place is counted."""
    rules, option = rules_of(service), default_of(spec_of(offering))
    if rules.choice is None or option is None:
        return
    entry = Entry(
        service=service.id,
        offering_id=offering.id,
        member_id=member.id,
        unit_id=member.unit_id,
        kind="person",
        state="registered",
        fields={rules.option_field: option.title, **rules.choice.beside},
        created_at=context.now,
        people=[Person(member=member, open_key=store.open_key(offering.id, member.id))],
    )
    context.session.add(entry)
    await context.session.flush()
    await context.session.refresh(entry, ["offering", "member", "unit"])
    share = await _give(context, entry, option.title, defaulted=True)
    params = code_facts(context, entry, share)
    await notify(context, Notice(member_id=member.id, wording="benefits.defaulted", params=params, kind="reminder"))
