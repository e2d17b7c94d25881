"""From the names of a list to members of the roster, and whether they may stand together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal, select

from actions.activities import store
from actions.activities.rules import ActivitySpec, eligibility_of, rules_of, spec_of
from actions.blocks.composition import Player, faults
from actions.blocks.eligibility import refusal, roles_of, traits
from actions.blocks.named_people import Named, named_people
from actions.core.errors import DomainError
from actions.core.tables import Member, RoleGrant
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.catalogue import Declaration
    from actions.core.commands import Context
    from actions.core.tables import Offering


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """Somebody on a list who is on the roster; `number` is what they wear."""

    member: Member
    number: int | None = None


async def mentioned(context: Context, text: str) -> list[Member]:
    """Members whose whole name stands in a text, in its order; of a name that several have, none.

    A name within a longer one (王敏 in 王敏华) is not meant.
    """
    if len(text) < 2:
        return []
    query = select(Member).where(literal(text).contains(Member.name), Member.status != "left", Member.name != "")
    found = list((await context.session.execute(query)).unique().scalars())
    longest = [
        member
        for member in found
        if not any(member.name != other.name and member.name in other.name for other in found)
    ]
    alone = [m for m in longest if sum(m.name == other.name for other in longest) == 1]
    return sorted(alone, key=lambda member: text.index(member.name))


async def listed(context: Context, text: str, *, field: str) -> list[Listed]:
    """The members that a list names, each once, in its order; 我 is who speaks.

    Raises DomainError, which asks `field` anew: nobody_named, not_on_roster (so is nobody called), several_called (a
    name of several: their 工号 is asked for).
    """
    known = [member.name for member in await mentioned(context, text)]
    named = named_people(text, known)
    if not named:
        raise DomainError("nobody_named", field=field)
    members = await _members(context, named)
    found: dict[int, Listed] = {}
    unknown: list[str] = []
    for one in named:
        member = _the_one(context, one, members, field)
        if member is None:
            unknown.append(one.name or one.staff_id)
        else:
            found.setdefault(member.id, Listed(member=member, number=one.number))
    if unknown:
        raise DomainError("not_on_roster", field=field, names=unknown)
    return list(found.values())


async def _members(context: Context, named: Sequence[Named]) -> Sequence[Member]:
    names, ids = {one.name for one in named if one.name}, {one.staff_id for one in named if one.staff_id}
    query = select(Member).where(Member.name.in_(names) | Member.staff_id.in_(ids), Member.status != "left")
    return list((await context.session.execute(query)).unique().scalars())


def _the_one(context: Context, one: Named, members: Sequence[Member], field: str) -> Member | None:
    """Who is meant; of several of one name the colleague of the speaker's own unit, where there is one alone."""
    if one.me:
        return context.actor.member
    fitting = [m for m in members if one.staff_id in ("", m.staff_id) and one.name in ("", m.name)]
    if len(fitting) > 1:
        own = context.actor.member
        near = [member for member in fitting if own is not None and member.unit_id == own.unit_id]
        if len(near) != 1:
            raise DomainError("several_called", field=field, name=one.name)
        return near[0]
    return fitting[0] if fitting else None


async def by_staff_ids(context: Context, staff_ids: Sequence[str]) -> list[Member]:
    """The members of these 工号, in that order. Raises DomainError("no_such_member")."""
    query = select(Member).where(Member.staff_id.in_(staff_ids), Member.status != "left")
    found = {member.staff_id: member for member in (await context.session.execute(query)).unique().scalars()}
    for staff_id in staff_ids:
        if staff_id not in found:
            raise DomainError("no_such_member", staff_id=staff_id)
    return [found[staff_id] for staff_id in dict.fromkeys(staff_ids)]


async def refuse_ineligible(
    context: Context, service: Declaration, offering: Offering, spec: ActivitySpec, members: Sequence[Member]
) -> None:
    """Raises DomainError: not_for_you (by status), may_not_join. What the roster says of others is not told."""
    rule = eligibility_of(service, spec)
    roles = await _roles(context, service.id, members)
    today = local(context.now).date()
    for member in members:
        own = is_self(context, member)
        known = roles_of(context.actor, service.id) if own else roles.get(member.id, frozenset())
        why: str | None = refusal(rule, traits(member, known, today))
        if member.status not in service.who.status:
            why = "status"
        if why is not None:
            told = {"why": why, "name": ""} if own else {"why": "", "name": member.name}
            raise DomainError("may_not_join", field="offering", title=offering.title, **told)


def is_self(context: Context, member: Member) -> bool:
    """Whether a member is who speaks."""
    return context.actor.member is not None and member.id == context.actor.member.id


async def _roles(context: Context, service: str, members: Sequence[Member]) -> dict[int, frozenset[str]]:
    query = select(RoleGrant.member_id, RoleGrant.role).where(
        RoleGrant.member_id.in_([member.id for member in members]), RoleGrant.service.in_(("", service))
    )
    found: dict[int, set[str]] = {}
    for member_id, role in (await context.session.execute(query)).all():
        found.setdefault(member_id, set()).add(role)
    return {member_id: frozenset(held) for member_id, held in found.items()}


async def refuse_composition(
    context: Context,
    service: Declaration,
    spec: ActivitySpec,
    members: Sequence[Member],
    *,
    numbers: Mapping[str, int],
    field: str,
) -> None:
    """Raises DomainError("team_of", fault, …) for the first thing that is wrong with a pair, relay or team."""
    units = sorted({member.unit_id for member in members if member.unit_id is not None})
    sizes = await store.unit_sizes(context, units)
    players = [
        Player(
            name=member.name,
            key=member.staff_id,
            sex=member.sex,
            unit=member.unit.name if member.unit else "",
            unit_size=sizes.get(member.unit_id or 0, 0),
            number=numbers.get(member.staff_id),
        )
        for member in members
    ]
    rule = spec.composition(rules_of(service))
    for found in faults(rule, players):
        raise DomainError("team_of", field=field, fault=found.fault, **_all_params(found.params))


#: What the sentence about a fault may speak of; it names what it needs.
_PARAMS: Mapping[str, Any] = {
    "minimum": 0,
    "maximum": 0,
    "count": 0,
    "sex": "",
    "wanted": 0,
    "units": (),
    "under": 0,
    "name": "",
    "number": 0,
}


def _all_params(params: Mapping[str, Any]) -> dict[str, Any]:
    return {**_PARAMS, **params}


async def refuse_taken(context: Context, service: Declaration, offering: Offering, members: Sequence[Member]) -> None:
    """Raises DomainError: already_in (oneself), in_another (a colleague), too_many_events.

    Who is in the pair, relay or team that the actor answers for is not in another one: it is changed. A wish to be in
    a team is fulfilled by being in one.
    """
    for member in members:
        entry = await store.own_entry(context, offering.id, member.id)
        if entry is None or entry.kind == "wish":
            continue
        changeable = entry.kind != "person" or rules_of(service).changeable
        if changeable and store.is_own(context, entry):
            continue
        facts = {"title": offering.title, "name": member.name, "state": entry.state}
        if is_self(context, member):
            raise DomainError("already_in", field="offering", **facts)
        raise DomainError("in_another", **facts)
    await refuse_many(context, service, offering, members)


async def refuse_many(context: Context, service: Declaration, offering: Offering, members: Sequence[Member]) -> None:
    """Raises DomainError("too_many_events") where somebody would be in more events of a festival than they may."""
    most = store.limits(service)
    if most is None:
        return
    group = spec_of(offering).group
    others = await store.in_group(context, service.id, group, [member.id for member in members])
    for member in members:
        titles = [title for title in others.get(member.id, ()) if title != offering.title]
        if len(titles) >= most:
            name = "" if is_self(context, member) else member.name
            raise DomainError("too_many_events", field="offering", most=most, titles=titles, name=name)
