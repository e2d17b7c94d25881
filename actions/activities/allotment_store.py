"""Reading and writing what an allotment keeps: the steps that its commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from actions.activities import notices, store
from actions.activities.allotment_tables import Seat, Trip
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import OPEN, Entry
from actions.blocks.allotment import Applicant, Plan, Room
from actions.core.errors import DomainError, ForbiddenError
from actions.core.offerings import lock_offering
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from actions.activities.rules import ActivitySpec
    from actions.blocks.allotment import AllotmentRules
    from actions.core.commands import Context
    from actions.core.tables import Offering

#: An option without a stock has room for everybody.
_PLENTY = 1_000_000


async def found(context: Context, offering_id: int) -> tuple[Offering, AllotmentRules]:
    """An offering that is allotted, for those who are going to change it: from here on they are alone.

    Raises DomainError("not_found").
    """
    offering = await lock_offering(context, offering_id)
    if offering is None or offering.service not in context.catalogue:
        raise DomainError("not_found")
    service = context.catalogue[offering.service]
    rules = rules_of(service).allotment if service.life == "activity" else None
    if rules is None:
        raise DomainError("not_found")
    await store.alone(context)
    return offering, rules


async def answered_for(context: Context, offering_id: int) -> tuple[Offering, AllotmentRules]:
    """As `found`, for who answers for the offering. Raises ForbiddenError for others."""
    offering, rules = await found(context, offering_id)
    if not store.answers_for(context, offering):
        raise ForbiddenError
    return offering, rules


async def entries(context: Context, offering: Offering, *states: str) -> list[Entry]:
    """The open entries of an offering, those in some states where any are given, in the order of their ids."""
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state.in_(states or OPEN))
    return list(await store.rows(context, query.order_by(Entry.id)))


def named(entry: Entry) -> bool:
    """Whether somebody was named from above: no unit decides, and the list is not about them."""
    return bool(entry.fields.get("named"))


def wishes(rules: AllotmentRules, entry: Entry) -> tuple[str, ...]:
    """The options that somebody wishes for, first wish first, each once."""
    given = [str(entry.fields.get(key) or "") for key in rules.preference_fields]
    return tuple(dict.fromkeys(wish for wish in given if wish and wish != rules.no_further))


async def last_years(context: Context, service: str, members: Iterable[int]) -> dict[int, int]:
    """In which year members took part last; who never did is left out."""
    query = (
        select(Trip.member_id, func.max(Trip.year))
        .where(Trip.service == service, Trip.member_id.in_(list(members)))
        .group_by(Trip.member_id)
    )
    return {row[0]: row[1] for row in (await context.session.execute(query)).all()}


async def applicants(context: Context, rules: AllotmentRules, rows: Sequence[Entry]) -> list[Applicant]:
    """Entries that were recommended, as the plan reads them."""
    if not rows:
        return []
    years = await last_years(context, rows[0].service, [row.member_id for row in rows])
    return [
        Applicant(
            key=row.member.staff_id,
            unit=row.unit.name if row.unit else "",
            rank=int(row.fields.get("rank") or 0),
            wishes=wishes(rules, row),
            last_year=years.get(row.member_id),
        )
        for row in rows
    ]


def room(spec: ActivitySpec, units: Iterable[str]) -> Room:
    """All places of an offering."""
    capacity = {option.title: _PLENTY if option.stock is None else option.stock for option in spec.options}
    return Room(capacity=capacity, units={unit: spec.quota.cap(unit) for unit in units})


async def room_left_by_named(context: Context, offering: Offering, units: Iterable[str]) -> Room:
    """The room beside who was named from above: they take no share of their unit."""
    above = [entry.id for entry in await entries(context, offering) if named(entry)]
    query = select(Seat.option).where(Seat.entry_id.in_(above))
    gone = [(option, "") for option in (await context.session.execute(query)).scalars()]
    return room(spec_of(offering), units).without(gone)


def standing_plan(rows: Sequence[Entry], people: Sequence[Applicant]) -> Plan:
    """The plan as it stands: who has which option, in the order that was made public."""
    standing = {row.member.staff_id: int(row.fields.get("standing") or 0) for row in rows}
    given = {row.member.staff_id: str(row.fields["allotted"]) for row in rows if row.fields.get("allotted")}
    return Plan(order=tuple(sorted(people, key=lambda one: standing[one.key])), given=given)


def write(entry: Entry, **fields: Any) -> None:
    """Writes into an entry's fields; what is None is taken out."""
    kept = {**entry.fields, **fields}
    entry.fields = {key: value for key, value in kept.items() if value is not None}


async def seat(context: Context, entry: Entry, option: str, *, of_unit: bool) -> None:
    """Gives an entry a place of an option, for those who are alone. Raises DomainError("option_full")."""
    await unseat(context, entry)
    spec = spec_of(entry.offering)
    stock = next((each.stock for each in spec.options if each.title == option), 0)
    number = await _free(context, Seat.number, stock, Seat.offering_id == entry.offering_id, Seat.option == option)
    cap = spec.quota.cap(entry.unit.name if entry.unit else "") if of_unit else None
    unit_number = None
    if cap is not None:
        mine = Seat.offering_id == entry.offering_id, Seat.unit_id == entry.unit_id, Seat.unit_number.is_not(None)
        unit_number = await _free(context, Seat.unit_number, cap, *mine)
        if unit_number is None:
            raise DomainError("option_full", option=option, title=entry.offering.title)
    if number is None:
        raise DomainError("option_full", option=option, title=entry.offering.title)
    context.session.add(
        Seat(
            entry_id=entry.id,
            offering_id=entry.offering_id,
            option=option,
            number=number,
            unit_id=entry.unit_id,
            unit_number=unit_number,
        )
    )
    write(entry, allotted=option)
    await context.session.flush()


async def _free(context: Context, column: Any, most: int | None, *where: Any) -> int | None:
    gone = set((await context.session.execute(select(column).where(*where))).scalars())
    number = next(number for number in range(1, len(gone) + 2) if number not in gone)
    return None if most is not None and number > most else number


async def unseat(context: Context, entry: Entry) -> None:
    """The place of an entry is free again."""
    await context.session.execute(delete(Seat).where(Seat.entry_id == entry.id))
    await context.session.flush()


async def union(context: Context, offering: Offering) -> set[int]:
    """Who decides on the whole: the officers of the union, and who answers for the offering."""
    owner = set() if offering.owner_id is None else {offering.owner_id}
    return await notices.approvers(context, offering) | owner


def today(context: Context) -> Any:
    """The day, in Shanghai."""
    return local(context.now).date()


def facts(entry: Entry) -> Mapping[str, Any]:
    """Who got what, for the sentences about a list."""
    return {
        "name": entry.member.name,
        "unit": entry.unit.name if entry.unit else "",
        "option": entry.fields.get("allotted", ""),
    }
