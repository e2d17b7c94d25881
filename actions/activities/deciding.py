"""What people decide about an allotment, written down: named from above, recommended, approved, struck, final."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.activities import allotment_store as allotted
from actions.activities import entering, moving_up, notices, people, store
from actions.activities.allotment_tables import Decision, Publicity, Trip
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Entry, Person
from actions.blocks.allotment import allot, ordered, rotation
from actions.blocks.deadlines import deadline
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, cancel_notices, notify
from actions.core.tables import Member, Offering
from actions.core.zones import at, local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from actions.activities import allotment_commands as c
    from actions.blocks.allotment import AllotmentRules, Plan
    from actions.core.commands import Context


def _refuse_own(context: Context, member_ids: Iterable[int]) -> None:
    """Nobody writes down what is decided about themselves (回避)."""
    if context.actor.member is not None and context.actor.member.id in set(member_ids):
        raise DomainError("about_yourself")


async def members_of(context: Context, staff_ids: Sequence[str]) -> list[int]:
    """Ids of who is signed up: the actor where nobody is named. Raises DomainError("no_such_member")."""
    if not staff_ids:
        return [context.actor.member_id]
    return [member.id for member in await people.by_staff_ids(context, staff_ids)]


# --- named from above


async def name_person(command: c.NamePerson, context: Context) -> Outcome:
    """Raises DomainError: not_found, no_such_member, about_yourself, may_not_join, again_too_soon, in_another,
    applied_already, no_such_offering, option_full; ForbiddenError.
    """
    offering, rules = await allotted.answered_for(context, command.offering_id)
    service, spec = context.catalogue[offering.service], spec_of(offering)
    (member,) = await people.by_staff_ids(context, [command.staff_id])
    _refuse_own(context, [member.id])
    await people.refuse_ineligible(context, service, offering, spec, [member])
    if (refused := await moving_up.too_soon(context, offering, member.id)) is not None:
        raise refused
    if (own := await store.own_entry(context, offering.id, member.id)) is not None:
        code = "in_another" if allotted.named(own) else "applied_already"
        raise DomainError(code, title=offering.title, name=member.name)
    if command.option not in {option.title for option in spec.options}:
        raise DomainError("no_such_offering", offering=command.option)
    entry = await _named(context, offering, rules, member, command.option)
    await moving_up.offer(context, entry, "retreat.named", {**notices.facts(context, entry), **allotted.facts(entry)})
    params = {"title": offering.title, **allotted.facts(entry), "until": entry.expires_at}
    return Outcome(wording="retreat.named_by_you", params=params, subject=entry.subject)


async def _named(context: Context, offering: Offering, rules: AllotmentRules, member: Member, option: str) -> Entry:
    entry = Entry(
        service=offering.service,
        offering_id=offering.id,
        member_id=member.id,
        filed_by=context.actor.member.id if context.actor.member is not None else None,
        unit_id=member.unit_id,
        kind="person",
        state="offered",
        fields={rules.preference_fields[0]: option, "named": True},
        created_at=context.now,
        expires_at=moving_up.until(context, offering),
        people=[Person(member=member, open_key=store.open_key(offering.id, member.id))],
    )
    context.session.add(entry)
    await context.session.flush()
    await context.session.refresh(entry, ["offering", "member", "unit"])
    await allotted.seat(context, entry, option, of_unit=False)
    return entry


# --- the unit


async def candidates(command: c.Candidates, context: Context) -> Outcome:
    """Raises DomainError("not_found"); ForbiddenError for who files for nobody who applied."""
    offering, rules = await allotted.found(context, command.offering_id)
    every = await allotted.entries(context, offering, "wished", "recommended")
    mine = [row for row in every if store.files_for(context, row.service, row.unit_id)]
    if not mine and not store.answers_for(context, offering):
        member = context.actor.member
        if member is None or not store.files_for(context, offering.service, member.unit_id):
            raise ForbiddenError
    years = await allotted.last_years(context, offering.service, [row.member_id for row in mine])
    mine.sort(key=lambda row: (_unit(row), *rotation(years.get(row.member_id), row.member.staff_id)))
    rows = [
        {
            "name": row.member.name,
            "unit": _unit(row),
            "wishes": list(allotted.wishes(rules, row)),
            "last": years.get(row.member_id),
            "rank": int(row.fields.get("rank") or 0),
        }
        for row in mine
    ]
    params = {"title": offering.title, "rows": rows, "quota": spec_of(offering).quota.model_dump(mode="json")}
    subject = f"offering:{offering.id}"
    return Outcome(wording="retreat.candidates", params=params, subject=subject, data={"rows": rows})


def _unit(row: Entry) -> str:
    return row.unit.name if row.unit else ""


async def recommend(command: c.Recommend, context: Context) -> Outcome:
    """Raises DomainError: not_found, list_is_public, decided_later, not_applied, about_yourself, of_several_units;
    ForbiddenError.
    """
    offering, _rules = await allotted.found(context, command.offering_id)
    await _refuse_public(context, offering)
    _refuse_future(context, command.decided_on)
    every = await allotted.entries(context, offering, "wished", "recommended")
    by_staff = {row.member.staff_id: row for row in every}
    wanted = list(dict.fromkeys(command.people))
    chosen = [by_staff[each] for each in wanted if each in by_staff]
    if any(not store.files_for(context, row.service, row.unit_id) for row in chosen):
        raise ForbiddenError
    if missing := [each for each in wanted if each not in by_staff]:
        raise DomainError("not_applied", title=offering.title, names=await _names(context, missing))
    _refuse_own(context, [row.member_id for row in chosen])
    if len({row.unit_id for row in chosen}) != 1:
        raise DomainError("of_several_units")
    unit_id, unit = chosen[0].unit_id, _unit(chosen[0])
    for row in every:
        if row.unit_id == unit_id:
            rank = wanted.index(row.member.staff_id) + 1 if row in chosen else None
            await _rank(context, row, rank)
    await _write_decision(context, offering, unit_id, command.decided_on, command.how)
    names = [row.member.name for row in chosen]
    day = at(command.decided_on, time())
    facts = {"title": offering.title, "unit": unit, "names": names, "day": day, "how": command.how}
    await _tell_union(context, offering, "retreat.unit_decided", facts)
    return Outcome(wording="retreat.recommended_by_you", params=facts, subject=f"offering:{offering.id}")


async def _rank(context: Context, row: Entry, rank: int | None) -> None:
    before = row.state
    await cancel_notices(context, row.subject)
    allotted.write(row, rank=rank)
    row.state = "wished" if rank is None else "recommended"
    await context.session.flush()
    if row.state != before and rank is not None:
        await notices.tell_people(context, row, "retreat.recommended")


async def _names(context: Context, staff_ids: Sequence[str]) -> list[str]:
    query = select(Member.staff_id, Member.name).where(Member.staff_id.in_(staff_ids))
    known = {row[0]: row[1] for row in (await context.session.execute(query)).all()}
    return [known.get(each, each) for each in staff_ids]


async def _write_decision(context: Context, offering: Offering, unit_id: int | None, day: date, how: str) -> None:
    member = context.actor.member
    by = member.id if member is not None else None
    decision = Decision(offering_id=offering.id, unit_id=unit_id, decided_on=day, how=how, by=by, at=context.now)
    context.session.add(decision)
    await context.session.flush()


async def _tell_union(context: Context, offering: Offering, wording: str, facts: Mapping[str, Any]) -> None:
    actor = context.actor.member
    for member_id in sorted(await allotted.union(context, offering) - ({actor.id} if actor else set())):
        await notify(context, Notice(member_id=member_id, wording=wording, params=dict(facts)))


async def _refuse_public(context: Context, offering: Offering) -> None:
    if await context.session.get(Publicity, offering.id) is not None:
        raise DomainError("list_is_public", title=offering.title)


def _refuse_future(context: Context, day: date) -> None:
    if day > local(context.now).date():
        raise DomainError("decided_later", day=at(day, time()))


# --- the union


async def _planned(context: Context, offering: Offering, rules: AllotmentRules) -> tuple[Plan, list[Entry]]:
    rows = await allotted.entries(context, offering, "recommended")
    found = await allotted.applicants(context, rules, rows)
    room = await allotted.room_left_by_named(context, offering, {one.unit for one in found})
    return allot(found, room), rows


async def plan(command: c.ShowPlan, context: Context) -> Outcome:
    """Raises DomainError: not_found, list_is_public, nobody_recommended; ForbiddenError."""
    offering, rules = await allotted.answered_for(context, command.offering_id)
    await _refuse_public(context, offering)
    made, rows = await _planned(context, offering, rules)
    if not rows:
        raise DomainError("nobody_recommended", title=offering.title)
    params = {"title": offering.title, "rows": _lines(made, rows)}
    return Outcome(wording="retreat.plan", params=params, subject=f"offering:{offering.id}", data=params)


def _lines(made: Plan, rows: Sequence[Entry]) -> list[dict[str, Any]]:
    """Everybody in the order of the plan; those in the line have no option."""
    names = {row.member.staff_id: row.member.name for row in rows}
    return [
        {
            "staff_id": one.key,
            "name": names[one.key],
            "unit": one.unit,
            "rank": one.rank,
            "option": made.given.get(one.key, ""),
            "wishes": list(one.wishes),
        }
        for one in ordered(made.order)
    ]


async def approve(command: c.ApproveAll, context: Context) -> Outcome:
    """Raises DomainError: not_found, list_is_public, nobody_recommended, decided_later, about_yourself,
    signup_still_open; ForbiddenError.
    """
    offering, rules = await allotted.answered_for(context, command.offering_id)
    await _refuse_public(context, offering)
    _refuse_future(context, command.decided_on)
    spec = spec_of(offering)
    if offering.state == "open" and spec.closes_at is not None and context.now < spec.closes_at:
        raise DomainError("signup_still_open", title=offering.title, closes_at=spec.closes_at)
    made, rows = await _planned(context, offering, rules)
    if not rows:
        raise DomainError("nobody_recommended", title=offering.title)
    _refuse_own(context, [row.member_id for row in rows])
    await _write_decision(context, offering, None, command.decided_on, command.how)
    offering.state = "closed"
    days = spec.publicity_days or rules.publicity_days
    public = Publicity(offering_id=offering.id, begins=context.now, until=deadline(context.now, days))
    context.session.add(public)
    await _give(context, made, rows, public)
    for row in await allotted.entries(context, offering, "wished"):
        await notices.tell_people(context, row, "retreat.not_recommended")
        await store.end(context, row, "sent_back")
    facts = {"title": offering.title, "given": len(made.given), "standby": len(made.standby), "until": public.until}
    return Outcome(wording="retreat.approved", params=facts, subject=f"offering:{offering.id}", data=facts)


async def _give(context: Context, made: Plan, rows: Sequence[Entry], public: Publicity) -> None:
    """Gives the places of the plan; who has none is in the line, and told where."""
    by_staff = {row.member.staff_id: row for row in rows}
    waiting = 0
    for place, one in enumerate(made.order, 1):
        row, option = by_staff[one.key], made.given.get(one.key)
        allotted.write(row, standing=place)
        row.state = "publicised" if option else "standby"
        if option:
            await allotted.seat(context, row, option, of_unit=True)
        waiting += not option
        await context.session.flush()
        more = {**allotted.facts(row), "until": public.until, "line": waiting}
        await notices.tell_people(context, row, "retreat.publicised" if option else "retreat.standby", **more)


async def public_list(command: c.ShowList, context: Context) -> Outcome:
    """Raises DomainError: not_found, no_list (none is public)."""
    offering, _rules = await allotted.found(context, command.offering_id)
    public = await context.session.get(Publicity, offering.id)
    if public is None or public.settled_at is not None:
        raise DomainError("no_list", title=offering.title)
    rows = await allotted.entries(context, offering, "publicised", "standby", "offered")
    rows = [row for row in rows if not allotted.named(row)]
    rows.sort(key=lambda row: int(row.fields.get("standing") or 0))
    given = [allotted.facts(row) for row in rows if row.state != "standby"]
    line = [allotted.facts(row) for row in rows if row.state == "standby"]
    params = {"title": offering.title, "rows": given, "line": line, "begins": public.begins, "until": public.until}
    return Outcome(wording="retreat.public_list", params=params, subject=f"offering:{offering.id}", data=params)


async def strike(command: c.Strike, context: Context) -> Outcome:
    """Raises DomainError: not_found, not_on_list, about_yourself; ForbiddenError."""
    offering, _rules = await allotted.answered_for(context, command.offering_id)
    every = await allotted.entries(context, offering, "publicised", "standby", "offered")
    rows = [row for row in every if not allotted.named(row)]
    row = next((each for each in rows if each.member.staff_id == command.staff_id), None)
    if row is None:
        raise DomainError("not_on_list", title=offering.title)
    _refuse_own(context, [row.member_id])
    facts = {**notices.facts(context, row), **allotted.facts(row), "reason": command.reason}
    await notices.tell_people(context, row, "retreat.struck", reason=command.reason)
    await store.end(context, row, "refused")
    return Outcome(wording="retreat.struck_by_you", params=facts, subject=row.subject)


async def settle(command: c.Settle, context: Context) -> Outcome:
    """Raises DomainError: not_found, no_list, publicity_running, about_yourself; ForbiddenError."""
    offering, _rules = await allotted.answered_for(context, command.offering_id)
    public = await context.session.get(Publicity, offering.id)
    if public is None or public.settled_at is not None:
        raise DomainError("no_list", title=offering.title)
    if context.now < public.until:
        raise DomainError("publicity_running", title=offering.title, until=public.until)
    rows = await allotted.entries(context, offering, "publicised")
    _refuse_own(context, [row.member_id for row in rows])
    await cancel_notices(context, f"publicity:{offering.id}")
    public.settled_at = context.now
    for row in rows:
        await entering.confirm(context, row)
    facts = {"title": offering.title, "count": len(rows)}
    return Outcome(wording="retreat.settled", params=facts, subject=f"offering:{offering.id}", data=facts)


async def enter_trips(command: c.EnterTrips, context: Context) -> Outcome:
    """Raises DomainError: unknown_service, no_such_member; ForbiddenError for who is no officer of the union."""
    service = store.declared(context, command.service)
    actor = context.actor
    if rules_of(service).allotment is None:
        raise DomainError("not_found")
    if not any(actor.holds(role, service=service.id) for role in ("union_officer", "administrator")):
        raise ForbiddenError
    count = 0
    for member_id in await members_of(context, command.people):
        if await context.session.get(Trip, (service.id, member_id, command.year)) is None:
            context.session.add(Trip(service=service.id, member_id=member_id, year=command.year))
            count += 1
    await context.session.flush()
    params = {"service": service.short, "year": command.year, "count": count}
    return Outcome(wording="retreat.trips_entered", params=params, subject=service.id, data=params)
