"""Who is asked for an answer, as one query: everybody on the roster whom the rules of an offering let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select

from actions.activities.rules import eligibility_of, rules_of, spec_of
from actions.activities.survey_tables import Dropped
from actions.activities.tables import OPEN, Entry, Person
from actions.blocks.rosters import Roster
from actions.core.tables import Firing, Member, Offering, RoleGrant, Unit
from actions.core.zones import local

if TYPE_CHECKING:
    from datetime import date, datetime

    from actions.activities.rules import ActivitySpec
    from actions.blocks.eligibility import Eligibility
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


def asked(context: Context, service: Declaration, spec: ActivitySpec) -> Select[int]:
    """Ids of the members who may be in an offering: what `eligibility.refusal` lets through, and who is no stranger."""
    rule = eligibility_of(service, spec)
    conditions: list[ColumnElement[bool]] = [Member.status.in_(service.who.status)]
    if rule.statuses:
        conditions.append(Member.status.in_(rule.statuses))
    if rule.sexes:
        conditions.append(Member.sex.in_(rule.sexes))
    if rule.units:
        conditions.append(exists().where(Unit.id == Member.unit_id, Unit.name.in_(rule.units)))
    if rule.tags or rule.roles or rule.staff_ids:
        conditions.append(_named(context, service, rule))
    if rule.enrolled_by is not None:
        conditions.append(or_(Member.enrolled_on.is_(None), Member.enrolled_on <= rule.enrolled_by))
    return select(Member.id).where(*conditions, *_aged(rule, local(context.now).date()))


def _named(context: Context, service: Declaration, rule: Eligibility) -> ColumnElement[bool]:
    each = func.json_each if context.database.is_sqlite else func.json_array_elements_text
    tags = each(Member.tags).table_valued("value")
    tagged = exists(select(tags.c.value).where(tags.c.value.in_(rule.tags))) if rule.tags else false()
    holds = exists().where(
        RoleGrant.member_id == Member.id, RoleGrant.role.in_(rule.roles), RoleGrant.service.in_(("", service.id))
    )
    return or_(tagged, holds, Member.staff_id.in_(rule.staff_ids))


def _aged(rule: Eligibility, today: date) -> list[ColumnElement[bool]]:
    """Full years at both ends: the youngest was born so long ago, the oldest will only be a year older tomorrow."""
    conditions: list[ColumnElement[bool]] = []
    if rule.min_age is not None:
        conditions.append(Member.birthday <= _years_before(today, rule.min_age))
    if rule.max_age is not None:
        conditions.append(Member.birthday > _years_before(today, rule.max_age + 1))
    return conditions


def _years_before(today: date, years: int) -> date:
    """The last birthday of who is that old; on 29 February that is the 28th of a common year."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


def answered(offering: Offering) -> Select[int]:
    """Ids of the members who have answered: whoever is in an open entry, on leave too; or without their name."""
    dropped = select(Dropped.member_id).where(Dropped.offering_id == offering.id)
    inside = (
        select(Person.member_id)
        .join(Entry, Entry.id == Person.entry_id)
        .where(Entry.offering_id == offering.id, Entry.state.in_(OPEN))
    )
    return select(Member.id).where(or_(Member.id.in_(inside), Member.id.in_(dropped)))


def silent(context: Context, service: Declaration, offering: Offering) -> Select[int]:
    """Ids of the members who are asked and have not answered."""
    query = asked(context, service, spec_of(offering))
    return query.where(Member.id.not_in(answered(offering)))


def roster_of(context: Context, offering: Offering) -> Roster | None:
    """The roster of an offering; None where its service asks nobody, or nothing of it was opened."""
    if offering.service not in context.catalogue:
        return None
    service = context.catalogue[offering.service]
    if service.life != "activity" or rules_of(service).asks is None:
        return None
    if offering.state not in ("open", "closed"):
        return None
    spec = spec_of(offering)
    return Roster(
        ref=f"offering:{offering.id}",
        title=offering.title,
        asked=asked(context, service, spec),
        answered=answered(offering),
        deadline=spec.closes_at,
        owner_id=offering.owner_id,
        private=service.private,
    )


async def asking_offerings(context: Context) -> list[Offering]:
    """The offerings, open or closed, of the services that ask everybody for an answer."""
    services = [
        service.id for service in context.catalogue if service.life == "activity" and rules_of(service).asks is not None
    ]
    query = select(Offering).where(Offering.service.in_(services), Offering.state.in_(("open", "closed")))
    return list((await context.session.execute(query.order_by(Offering.id))).scalars())


def called_as(offering: Offering) -> str:
    """How the row is named that tells that people were asked."""
    return f"call:{offering.id}"


async def was_called(context: Context, offering: Offering) -> bool:
    """Whether people were asked at all: nobody is reminded, or missed, of what they never heard of."""
    query = select(Firing.due_at).where(Firing.schedule == called_as(offering))
    return (await context.session.execute(query.limit(1))).first() is not None


class ActivityRosters:
    """The rosters of this life, for chasing."""

    kinds = ("offering",)

    async def roster(self, context: Context, ref: str) -> Roster | None:
        """The roster of an offering; None where it asks nobody for an answer."""
        number = ref.partition(":")[2]
        offering = await context.session.get(Offering, int(number)) if number.isdecimal() else None
        return None if offering is None else roster_of(context, offering)

    async def due(self, context: Context, low: datetime, high: datetime) -> list[Roster]:
        """Those whose people were asked and whose deadline lies in the span."""
        offerings = [each for each in await asking_offerings(context) if await was_called(context, each)]
        found = [roster_of(context, offering) for offering in offerings]
        return [one for one in found if one is not None and one.deadline is not None and low <= one.deadline < high]
