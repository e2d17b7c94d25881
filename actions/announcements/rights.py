"""Who may tell whom, and what a second person has to agree to.

The union's officers tell everybody; a unit's officers their own unit and its groups; who answers for an offering those
who are in it. What may be told follows from the expression alone, so that trying gives nothing away about anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.announcements import segments as s
from actions.announcements.audience import offering_named
from actions.announcements.rules import broadcast_rules
from actions.announcements.tables import ChatGroup
from actions.core.errors import DomainError
from actions.core.tables import Unit

if TYPE_CHECKING:
    from actions.announcements.audience import Sources
    from actions.core.commands import Context

#: Roles of those who may tell everybody.
OFFICERS = ("union_officer", "administrator")


def is_union_officer(context: Context, service: str) -> bool:
    """Whether the actor may tell everybody."""
    return any(context.actor.holds(role, service=service) for role in OFFICERS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Whom an actor may tell: everybody, or the units of these names; `may_begin` tells whether there is anybody."""

    everybody: bool
    units: tuple[str, ...]
    unit_ids: frozenset[int]


async def reach_of(context: Context, service: str) -> Reach:
    """Whom the actor may tell. A grant that names no unit is for the officer's own."""
    if is_union_officer(context, service):
        return Reach(everybody=True, units=(), unit_ids=frozenset())
    member = context.actor.member
    if member is None or member.status == "left":
        return Reach(everybody=False, units=(), unit_ids=frozenset())
    grants = [g for g in context.actor.grants if g.role == "unit_officer" and g.service in ("", service)]
    ids = {grant.unit_id or member.unit_id for grant in grants} - {None}
    query = select(Unit.name).where(Unit.id.in_(ids)).order_by(Unit.id)
    names = tuple((await context.session.execute(query)).scalars())
    return Reach(everybody=False, units=names, unit_ids=frozenset(number for number in ids if number is not None))


async def covers(context: Context, sources: Sources, reach: Reach, segment: s.Segment) -> bool:
    """Whether everybody in a segment may be told by the actor, whoever they turn out to be."""
    if reach.everybody:
        return True
    if isinstance(segment, s.Or):
        return all([await covers(context, sources, reach, part) for part in segment.parts])
    if isinstance(segment, s.And):
        return any([await covers(context, sources, reach, part) for part in segment.parts])
    return await _covers_leaf(context, sources, reach, segment)


async def _covers_leaf(context: Context, sources: Sources, reach: Reach, leaf: s.Segment) -> bool:
    match leaf:
        case s.Units():
            return set(leaf.names) <= set(reach.units)
        case s.Groups():
            return await _own_groups(context, reach, leaf)
        case s.Registrants() | s.Clubs():
            return await _own_offerings(context, leaf)
        case s.Unanswered():
            return await _own_rosters(context, sources, leaf)
    return False


async def _own_groups(context: Context, reach: Reach, segment: s.Groups) -> bool:
    query = select(ChatGroup).where(ChatGroup.title.in_(segment.names))
    rows = (await context.session.execute(query)).scalars().all()
    return len(rows) == len(set(segment.names)) and all(row.unit_id in reach.unit_ids for row in rows)


async def _own_offerings(context: Context, segment: s.Registrants | s.Clubs) -> bool:
    member = context.actor.member
    if member is None or member.status == "left":
        return False
    clubs = {service.id for service in context.catalogue.opened_by("join_club")}
    services = clubs if isinstance(segment, s.Clubs) else None
    try:
        owners = [(await offering_named(context, name, services)).owner_id for name in segment.names]
    except DomainError:
        return False
    return all(owner == member.id for owner in owners)


async def _own_rosters(context: Context, sources: Sources, segment: s.Unanswered) -> bool:
    """Who has not answered what one asked may be told again: they were asked in the first place.

    What has no roster is refused where it is looked up.
    """
    member = context.actor.member
    if member is None or member.status == "left":
        return False
    for ref in segment.names:
        try:
            roster = await sources.roster(context, ref)
        except DomainError:
            continue
        if roster.owner_id != member.id:
            return False
    return True


def narrowed(reach: Reach, segment: s.Segment) -> s.Segment:
    """What a unit's officer means by 全体 or 女老师: those of their own unit.

    What names other units, groups or offerings stays as it is, to be refused.
    """
    loose = (s.Everyone, s.Roles, s.Tags, s.Sexes, s.Statuses, s.People)
    if reach.everybody or not reach.units or not all(isinstance(leaf, loose) for leaf in s.leaves(segment)):
        return segment
    own = s.Units(names=reach.units)
    return own if isinstance(segment, s.Everyone) else s.And(parts=(own, segment))


def broad(segment: s.Segment) -> bool:
    """Whether a segment is for everyone, or for all but some."""
    if isinstance(segment, s.Or):
        return any(broad(part) for part in segment.parts)
    if isinstance(segment, s.And):
        return all(broad(part) for part in segment.parts)
    return isinstance(segment, s.Everyone | s.Not)


def asked_for(segment: s.Segment) -> bool:
    """Whether everybody in a segment takes part in what it is about: then it is no news, but part of the service."""
    if isinstance(segment, s.Or):
        return all(asked_for(part) for part in segment.parts)
    if isinstance(segment, s.And):
        return any(asked_for(part) for part in segment.parts)
    return isinstance(segment, s.Registrants | s.Unanswered)


def is_approver(context: Context) -> bool:
    """Whether the actor may agree to what others write."""
    service, rules = broadcast_rules(context.catalogue)
    return any(context.actor.holds(role, service=service) for role in rules.approvers)
