"""From a segment to the people: names are looked up, lives are asked for theirs, and one query gives the members."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Select, func, or_, select

from actions.announcements import segments as s
from actions.announcements.tables import ChatGroup
from actions.core.commands import ROLES
from actions.core.errors import DomainError
from actions.core.tables import Account, Member, Offering, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from actions.blocks.rosters import RegistrantSource, Roster, RosterSource
    from actions.core.commands import Context


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """What the lives know: registrants by life, rosters by the kind of their ref."""

    registrants: Mapping[str, RegistrantSource] = field(default_factory=dict)
    rosters: Mapping[str, RosterSource] = field(default_factory=dict)

    async def roster(self, context: Context, ref: str) -> Roster:
        """The roster of a ref. Raises DomainError("no_roster") where there is none, or it is not for officers."""
        source = self.rosters.get(ref.partition(":")[0])
        found = await source.roster(context, ref) if source else None
        if found is None or found.private:
            raise DomainError("no_roster", field="audience", name=ref.replace("announcement:", "通知 "))
        return found

    async def over(self, context: Context, low: datetime, high: datetime) -> list[Roster]:
        """The rosters of all lives whose deadline lies in the span, but for those that are not for officers."""
        found = [roster for source in set(self.rosters.values()) for roster in await source.due(context, low, high)]
        return sorted((roster for roster in found if not roster.private), key=lambda roster: roster.ref)


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """Who is told: `members` selects ids (None where only groups are told), `groups` are bound groups."""

    segment: s.Segment
    members: Select[int] | None
    groups: Sequence[ChatGroup]


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How many an audience is: in all, of them with an account that can be spoken to, and groups."""

    members: int
    reachable: int
    groups: int


async def resolve(context: Context, sources: Sources, segment: s.Segment) -> Audience:
    """Looks everything up that a segment names.

    Raises DomainError: segment_unknown (nothing is called so), segment_group, segment_private, segment_ambiguous,
    no_roster.
    """
    inner, titles = s.split(segment)
    groups = await _groups(context, titles)
    if inner is None:
        return Audience(segment=segment, members=None, groups=groups)
    looked_up: dict[s.Segment, Select[int]] = {}
    for leaf in s.leaves(inner):
        await _check(context, leaf)
        if isinstance(leaf, s.Registrants | s.Clubs):
            looked_up[leaf] = await _registrants(context, sources, leaf)
        elif isinstance(leaf, s.Unanswered):
            looked_up[leaf] = await _unanswered(context, sources, leaf)
    members = s.query(inner, looked_up, sqlite=context.database.is_sqlite)
    return Audience(segment=segment, members=members, groups=groups)


async def count(context: Context, audience: Audience) -> Count:
    """How many an audience is at the moment."""
    members = reachable = 0
    if audience.members is not None:
        total = select(func.count()).select_from(audience.members.subquery())
        members = (await context.session.execute(total)).scalar_one()
        spoken_to = select(func.count(Account.member_id.distinct())).where(
            Account.member_id.in_(audience.members), Account.conversation.is_not(None)
        )
        reachable = (await context.session.execute(spoken_to)).scalar_one()
    return Count(members=members, reachable=reachable, groups=len(audience.groups))


async def _groups(context: Context, titles: Sequence[str]) -> Sequence[ChatGroup]:
    query = select(ChatGroup).where(ChatGroup.title.in_(titles)).order_by(ChatGroup.id)
    found = (await context.session.execute(query)).scalars().all() if titles else []
    _refuse_unknown("groups", titles, {group.title for group in found})
    return found


async def _check(context: Context, leaf: s.Everyone | s.Named) -> None:
    """Whether what a leaf names is there. A tag that nobody has and a 工号 of nobody are slips as well."""
    if isinstance(leaf, s.Units):
        query = select(Unit.name).where(Unit.name.in_(leaf.names))
        _refuse_unknown(leaf.kind, leaf.names, set((await context.session.execute(query)).scalars()))
    elif isinstance(leaf, s.Roles):
        _refuse_unknown(leaf.kind, leaf.names, set(ROLES))
    elif isinstance(leaf, s.People):
        query = select(Member.staff_id).where(Member.staff_id.in_(leaf.names))
        _refuse_unknown(leaf.kind, leaf.names, set((await context.session.execute(query)).scalars()))
    elif isinstance(leaf, s.Tags):
        _refuse_unknown(leaf.kind, leaf.names, await known_tags(context, leaf.names))


async def known_tags(context: Context, names: Sequence[str]) -> set[str]:
    """Those of the tags that somebody has."""
    found = set()
    for name in names:
        query = s.query(s.Tags(names=(name,)), {}, sqlite=context.database.is_sqlite)
        if (await context.session.execute(query.limit(1))).first() is not None:
            found.add(name)
    return found


def _refuse_unknown(kind: str, names: Sequence[str], known: set[str]) -> None:
    missing = [name for name in names if name not in known]
    if missing:
        raise DomainError("segment_unknown", field="audience", kind=kind, name=missing[0])


async def offering_named(context: Context, name: str, services: set[str] | None = None) -> Offering:
    """The offering of an id, a title, or title@校区.

    Raises DomainError: segment_unknown, segment_ambiguous, segment_private (who is in it is nobody else's matter).
    """
    title, _, campus = name.partition("@")
    query = select(Offering).where(Offering.state != "draft")
    if name.isdecimal():
        query = query.where(Offering.id == int(name))
    else:
        query = query.where(Offering.title == title, *([Offering.campus == campus] if campus else []))
    rows = (await context.session.execute(query.order_by(Offering.id))).scalars().all()
    found = [row for row in rows if services is None or row.service in services]
    if not found:
        kind = "registrants" if services is None else "clubs"
        raise DomainError("segment_unknown", field="audience", kind=kind, name=name)
    if any(context.catalogue[row.service].private for row in found):
        raise DomainError("segment_private", field="audience", name=name)
    if len(found) > 1:
        raise DomainError("segment_ambiguous", field="audience", name=name, ids=[row.id for row in found])
    return found[0]


async def _registrants(context: Context, sources: Sources, leaf: s.Registrants | s.Clubs) -> Select[int]:
    clubs = {service.id for service in context.catalogue.opened_by("join_club")} if isinstance(leaf, s.Clubs) else None
    queries = []
    for name in leaf.names:
        offering = await offering_named(context, name, clubs)
        source = sources.registrants.get(context.catalogue[offering.service].life)
        if source is None:
            raise DomainError("segment_unknown", field="audience", kind=leaf.kind, name=name)
        queries.append(await source.registrants(context, offering))
    return _any_of(queries)


async def _unanswered(context: Context, sources: Sources, leaf: s.Unanswered) -> Select[int]:
    rosters = [await sources.roster(context, ref) for ref in leaf.names]
    return _any_of([missing(roster) for roster in rosters])


def missing(roster: Roster) -> Select[int]:
    """Ids of the members who were asked and have not answered."""
    return select(Member.id).where(Member.id.in_(roster.asked), Member.id.not_in(roster.answered))


def _any_of(queries: Sequence[Select[int]]) -> Select[int]:
    return select(Member.id).where(or_(*(Member.id.in_(query) for query in queries)))
