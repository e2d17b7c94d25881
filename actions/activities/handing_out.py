"""Handing out what was chosen: for a code that works once, to the person, a colleague or the whole unit; and counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from sqlalchemy import func, select, update

from actions.activities import people, store
from actions.activities.asked import silent
from actions.activities.choice_tables import Share
from actions.activities.competition import answered
from actions.activities.rules import ActivitySpec, rules_of, spec_of
from actions.activities.tables import Entry
from actions.blocks.choice import Option, purchase
from actions.blocks.tickets import genuine
from actions.core.commands import Command, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, notify
from actions.core.tables import Unit
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.blocks.choice import ChoiceRules
    from actions.core.commands import Context
    from actions.core.tables import Member, Offering

#: What a code is signed for.
PICKUP = "pickup"


class Collect(Command):
    """Hands out what a code is for, once; `by` is the colleague who carries it away (工号 or name), where it is one."""

    name: ClassVar[str] = "choice.collect"
    code: str = Field(min_length=4, max_length=80)
    by: str = Field("", max_length=40)


class CollectForUnit(Command):
    """Hands out everything that a unit has not picked up to one of its people (`by`: 工号 or name)."""

    name: ClassVar[str] = "choice.collect_unit"
    offering_id: int
    unit: str = Field(min_length=1, max_length=80)
    by: str = Field(min_length=1, max_length=40)


class Purchase(Command):
    """How many of each set to buy for which place; who has not chosen yet counts with the default."""

    name: ClassVar[str] = "choice.purchase"
    offering_id: int


class ShowCodes(Command):
    """The actor's own codes of what is still to be picked up."""

    name: ClassVar[str] = "choice.codes"


def default_of(spec: ActivitySpec) -> Option | None:
    """The set of who does not choose."""
    return next((option for option in spec.options if option.default), None)


def code_facts(context: Context, entry: Entry, share: Share) -> dict[str, Any]:
    """Parameters of the sentences about something to be picked up."""
    rules, spec = rules_of(context.catalogue[entry.service]), spec_of(entry.offering)
    split = _choice(rules.choice).split_field
    return {
        "title": entry.offering.title,
        "set": share.option,
        "split": str(entry.fields.get(split) or "") if split else "",
        "code": share.code,
        "pickup_from": local(spec.pickup_from) if spec.pickup_from else None,
    }


def _choice(rules: ChoiceRules | None) -> ChoiceRules:
    if rules is None:
        message = "a share belongs to a service with rules for a choice"
        raise TypeError(message)
    return rules


async def collect(command: Collect, context: Context) -> Outcome:
    """Raises DomainError: pickup_unknown, pickup_used, pickup_not_yet, and those about who carries; ForbiddenError.

    Of a code that is none of ours nothing is looked up, and whose it is, is told to who hands out alone.
    """
    code = genuine(context.vault, PICKUP, command.code)
    query = select(Share).where(Share.code == code)
    share = (await context.session.execute(query)).unique().scalar_one_or_none() if code else None
    if share is None or share.entry.state != "registered":
        raise DomainError("pickup_unknown")
    entry = share.entry
    if not store.answers_for(context, entry.offering):
        raise ForbiddenError
    _refuse_early(context, entry.offering)
    carrier = await _carrier(context, command.by) if command.by else entry.member
    if not await _hand_out(context, [entry.id], carrier):
        raise DomainError("pickup_used", name=entry.member.name, title=entry.offering.title)
    params = {**code_facts(context, entry, share), "name": entry.member.name, "by": ""}
    if carrier.id != entry.member_id:
        params["by"] = carrier.name
        notice = Notice(member_id=entry.member_id, wording="benefits.collected_for_you", params=dict(params))
        await notify(context, notice)
    return Outcome(wording="benefits.collected", params=params, subject=entry.subject)


async def collect_for_unit(command: CollectForUnit, context: Context) -> Outcome:
    """Raises DomainError: not_found, pickup_not_yet, nothing_to_collect, and those about who carries; ForbiddenError.

    Who carries it is of that unit.
    """
    offering = await answered(context, command.offering_id)
    _refuse_early(context, offering)
    carrier = await _carrier(context, command.by)
    if carrier.unit is None or carrier.unit.name != command.unit:
        raise DomainError("carrier_of_another_unit", name=carrier.name, unit=command.unit)
    query = (
        select(Share)
        .join(Entry, Entry.id == Share.entry_id)
        .join(Unit, Unit.id == Entry.unit_id)
        .where(
            Share.offering_id == offering.id,
            Share.collected_at.is_(None),
            Entry.state == "registered",
            Unit.name == command.unit,
        )
    )
    shares = list((await context.session.execute(query)).unique().scalars())
    taken = await _hand_out(context, [share.entry_id for share in shares], carrier) if shares else []
    if not taken:
        raise DomainError("nothing_to_collect", unit=command.unit, title=offering.title)
    sets = Counter(share.option for share in shares if share.entry_id in taken)
    params = {"title": offering.title, "unit": command.unit, "by": carrier.name, "sets": sets.most_common()}
    for share in shares:
        if share.entry_id in taken and share.entry.member_id != carrier.id:
            told = {**code_facts(context, share.entry, share), "by": carrier.name}
            await notify(
                context, Notice(member_id=share.entry.member_id, wording="benefits.collected_for_you", params=told)
            )
    return Outcome(wording="benefits.unit_collected", params=params, subject=f"offering:{offering.id}", data=params)


async def _hand_out(context: Context, entry_ids: Sequence[int], carrier: Member) -> list[int]:
    """Notes what is handed out; what was handed out already is not. Returns the entries that were."""
    actor = context.actor.member
    statement = (
        update(Share)
        .where(Share.entry_id.in_(entry_ids), Share.collected_at.is_(None))
        .values(collected_at=context.now, collected_by=carrier.id, noted_by=actor.id if actor else None)
        .returning(Share.entry_id)
    )
    return list((await context.session.execute(statement)).scalars())


def _refuse_early(context: Context, offering: Offering) -> None:
    spec = spec_of(offering)
    begins = spec.pickup_from or spec.closes_at
    if begins is not None and context.now < begins:
        raise DomainError("pickup_not_yet", title=offering.title, begins=local(begins))


async def _carrier(context: Context, by: str) -> Member:
    return (await people.listed(context, by, field="by"))[0].member


# --- looking


async def count(command: Purchase, context: Context) -> Outcome:
    """Raises DomainError("not_found"), ForbiddenError."""
    offering = await answered(context, command.offering_id)
    service, spec = context.catalogue[offering.service], spec_of(offering)
    rules = rules_of(service).choice
    if rules is None:
        raise DomainError("not_found")
    shares = (
        (await context.session.execute(select(Share).where(Share.offering_id == offering.id))).unique().scalars().all()
    )
    chosen = [
        (share.option, str(share.entry.fields.get(rules.split_field) or ""), share.defaulted)
        for share in shares
        if share.entry.state == "registered"
    ]
    missing = 0
    if default_of(spec) is not None and (spec.closes_at is None or context.now < spec.closes_at):
        waiting = select(func.count()).select_from(silent(context, service, offering).subquery())
        missing = (await context.session.execute(waiting)).scalar_one()
    at = rules.beside.get(rules.split_field, "")
    rows = [
        {"option": row.option, "split": row.split, "count": row.count, "defaulted": row.defaulted}
        for row in purchase(spec.options, chosen, silent=missing, silent_at=at)
    ]
    collected = sum(share.collected_at is not None for share in shares)
    params = {
        "title": offering.title,
        "rows": rows,
        "total": sum(int(str(row["count"])) for row in rows),
        "silent": missing,
        "collected": collected,
    }
    return Outcome(wording="benefits.purchase", params=params, subject=f"offering:{offering.id}", data=params)


async def show(_command: ShowCodes, context: Context) -> Outcome:
    """The actor's own, for the asking."""
    query = (
        select(Share)
        .join(Entry, Entry.id == Share.entry_id)
        .where(Entry.member_id == context.actor.member_id, Entry.state == "registered", Share.collected_at.is_(None))
    )
    shares = (await context.session.execute(query.order_by(Share.entry_id))).unique().scalars()
    rows = [code_facts(context, share.entry, share) for share in shares]
    return Outcome(wording="benefits.codes", params={"rows": rows})
