"""Reading and writing the records of this life: the steps that its commands share."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import Select, delete, func, select

from actions.activities.blocks import blocks_of
from actions.activities.rules import ActivitySpec, rules_of, spec_of
from actions.activities.tables import IN, KEEPING, OPEN, Entry, Person, Place
from actions.blocks.quota import Full, Taken, free_seat
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import cancel_notices
from actions.core.tables import Member, Offering, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

# Any number that nothing else locks by.
_LOCK = 0x41637469
_UNION = ("union_officer", "administrator")


async def alone(context: Context) -> None:
    """From here to the end of the transaction nobody else changes entries, as it is on SQLite anyway.

    One lock for all of them: places, the waitlist, and who is in how many events of a festival hang together.
    """
    if not context.database.is_sqlite:
        await context.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def rows(context: Context, query: Select[Entry]) -> Sequence[Entry]:
    """The entries of a query, read afresh: another turn may have changed what this one saw before it was `alone`."""
    fresh = query.execution_options(populate_existing=True)
    return list((await context.session.execute(fresh)).unique().scalars())


async def find(context: Context, entry_id: int) -> Entry:
    """An entry, for those who are going to change it: from here on they are alone. Raises DomainError("not_found")."""
    await alone(context)
    found = await rows(context, select(Entry).where(Entry.id == entry_id))
    if not found:
        raise DomainError("not_found")
    return found[0]


def declared(context: Context, service: str) -> Declaration:
    """The declaration of a service of this life. Raises DomainError("unknown_service")."""
    if service not in context.catalogue or context.catalogue[service].life != "activity":
        raise DomainError("unknown_service", service=service)
    return context.catalogue[service]


async def offerings(context: Context, service: str) -> list[Offering]:
    """The open offerings of a service, those that begin or close soonest first."""
    query = select(Offering).where(Offering.service == service, Offering.state == "open").order_by(Offering.id)
    found = list((await context.session.execute(query)).scalars())

    def soonest(offering: Offering) -> tuple[bool, float]:
        spec = spec_of(offering)
        moment = spec.starts_at or spec.closes_at
        return moment is None, 0.0 if moment is None else moment.timestamp()

    return sorted(found, key=soonest)


async def own_by_title(context: Context, services: Sequence[str], title: str) -> Offering | None:
    """The latest offering of some services, under one of its names, that the actor answers for."""
    query = select(Offering).where(Offering.service.in_(services), Offering.state.in_(("open", "closed")))
    for offering in (await context.session.execute(query.order_by(Offering.id.desc()))).scalars():
        if title in (offering.title, *spec_of(offering).also) and answers_for(context, offering):
            return offering
    return None


def signup_refusal(context: Context, offering: Offering, spec: ActivitySpec) -> DomainError | None:
    """Why nobody can sign up for an offering at the moment; None where they can."""
    facts = {"title": offering.title}
    if offering.state == "cancelled":
        return DomainError("offering_cancelled", **facts)
    closes = spec.closes_at or spec.starts_at
    if offering.state != "open" or (closes is not None and context.now >= closes):
        return DomainError("signup_over", field="offering", closed_at=closes, **facts)
    if spec.opens_at is not None and context.now < spec.opens_at:
        return DomainError("signup_not_open", field="offering", opens_at=spec.opens_at, **facts)
    return None


def open_key(offering_id: int, member_id: int) -> str:
    """What nobody has twice."""
    return f"{offering_id}:{member_id}"


async def own_entry(context: Context, offering_id: int, member_id: int) -> Entry | None:
    """The open entry of an offering that somebody is in, or answers for."""
    inside = select(Person.entry_id).where(Person.open_key == open_key(offering_id, member_id))
    query = select(Entry).where(Entry.id.in_(inside))
    found = await rows(context, query)
    if found:
        return found[0]
    theirs = select(Entry).where(
        Entry.offering_id == offering_id, Entry.member_id == member_id, Entry.state.in_(OPEN), Entry.kind != "person"
    )
    return next(iter(await rows(context, theirs)), None)


async def taken(context: Context, offering_id: int) -> Taken:
    """The places that are gone."""
    query = (
        select(Place.number, Unit.name, Place.unit_number)
        .outerjoin(Unit, Unit.id == Place.unit_id)
        .where(Place.offering_id == offering_id)
    )
    numbers: set[int] = set()
    by_unit: dict[str, set[int]] = defaultdict(set)
    for number, unit, unit_number in (await context.session.execute(query)).all():
        numbers.add(number)
        if unit_number is not None:
            by_unit[unit or ""].add(unit_number)
    return Taken(numbers=frozenset(numbers), by_unit={unit: frozenset(gone) for unit, gone in by_unit.items()})


async def full(context: Context, offering: Offering, unit: str) -> Full | None:
    """Which quota keeps somebody of a unit out at the moment; None where there is a place.

    Nobody overtakes those who wait: while somebody of that unit could take a place, it is theirs.
    """
    seat = free_seat(spec_of(offering).quota, await taken(context, offering.id), unit)
    return seat if isinstance(seat, str) else None


async def take_place(context: Context, entry: Entry) -> Full | None:
    """Gives an entry a place, for those who are alone; or tells which quota is used up."""
    unit = entry.unit.name if entry.unit else ""
    seat = free_seat(spec_of(entry.offering).quota, await taken(context, entry.offering_id), unit)
    if isinstance(seat, str):
        return seat
    unit_id = entry.unit_id if seat.unit_number is not None else None
    context.session.add(
        Place(
            offering_id=entry.offering_id,
            number=seat.number,
            entry_id=entry.id,
            unit_id=unit_id,
            unit_number=seat.unit_number,
        )
    )
    await context.session.flush()
    return None


async def give_back(context: Context, entry: Entry) -> None:
    """The place of an entry is free again."""
    await context.session.execute(delete(Place).where(Place.entry_id == entry.id))


async def end(context: Context, entry: Entry, state: str) -> None:
    """Ends an entry: its place, its people's keys and codes, reminders and open questions go with it."""
    for block in blocks_of(context, context.catalogue[entry.service]):
        await block.ended(context, entry, state)
    entry.state, entry.expires_at, entry.confidential = state, None, ""
    for person in entry.people:
        person.open_key = person.ticket = None
    await give_back(context, entry)
    await cancel_notices(context, entry.subject)
    await context.session.flush()


async def forget(context: Context, service: Declaration, entry_ids: Sequence[int]) -> None:
    """Entries of a service are going to be deleted: what its blocks keep of them goes first."""
    for block in blocks_of(context, service):
        await block.forget(context, entry_ids)


async def in_group(context: Context, service: str, group: str, members: Sequence[int]) -> dict[int, list[str]]:
    """In which offerings of a group (all of the service where it has no group) members play, by member."""
    query = (
        select(Person.member_id, Offering)
        .join(Entry, Entry.id == Person.entry_id)
        .join(Offering, Offering.id == Entry.offering_id)
        .where(
            Entry.service == service,
            Person.member_id.in_(members),
            Person.open_key.is_not(None),
            Offering.state.in_(("open", "closed")),
        )
    )
    found: dict[int, list[str]] = defaultdict(list)
    for member_id, offering in (await context.session.execute(query)).all():
        if spec_of(offering).group == group:
            found[member_id].append(offering.title)
    return found


async def unit_sizes(context: Context, units: Sequence[int]) -> dict[int, int]:
    """How many members units have."""
    query = (
        select(Member.unit_id, func.count())
        .where(Member.unit_id.in_(units), Member.status != "left")
        .group_by(Member.unit_id)
    )
    return {unit_id: size for unit_id, size in (await context.session.execute(query)).all() if unit_id is not None}


async def count_in(context: Context, offering_id: int) -> int:
    """How many entries take part, or will."""
    query = select(func.count()).where(Entry.offering_id == offering_id, Entry.state.in_(IN), Entry.kind != "wish")
    return (await context.session.execute(query)).scalar_one()


def is_own(context: Context, entry: Entry) -> bool:
    """Whether the actor answers for an entry, or filed it."""
    member = context.actor.member
    return member is not None and member.id in (entry.member_id, entry.filed_by)


def takes_part(context: Context, entry: Entry) -> bool:
    """Whether the actor is one of an entry's people."""
    member = context.actor.member
    return member is not None and any(person.member_id == member.id for person in entry.people)


def answers_for(context: Context, offering: Offering) -> bool:
    """Whether the actor is who answers for an offering; officers of the union do for all that are not private."""
    actor = context.actor
    if actor.system or (actor.member is not None and offering.owner_id == actor.member.id):
        return True
    private = context.catalogue[offering.service].private
    return not private and any(actor.holds(role, service=offering.service) for role in _UNION)


def files_for(context: Context, service: str, unit_id: int | None) -> bool:
    """Whether the actor files for a unit: its officers, and those of the union."""
    actor = context.actor
    if any(actor.holds(role, service=service) for role in _UNION):
        return True
    return unit_id is not None and actor.holds("unit_officer", service=service, unit_id=unit_id)


def refuse_strangers(context: Context, entry: Entry) -> None:
    """Raises ForbiddenError for who has nothing to do with an entry."""
    if is_own(context, entry) or answers_for(context, entry.offering):
        return
    if not context.catalogue[entry.service].private and files_for(context, entry.service, entry.unit_id):
        return
    raise ForbiddenError


def keeps_place(entry: Entry) -> bool:
    """Whether an entry has a place."""
    return entry.state in KEEPING


def limits(service: Declaration) -> int | None:
    """In how many offerings of one group a person may be."""
    return rules_of(service).per_person
