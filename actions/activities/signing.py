"""Signing up, changing a list, withdrawing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.activities import entering, notices, people, store, waitlist
from actions.activities.blocks import blocks_of
from actions.activities.rules import by_unit, rules_of, spec_of
from actions.activities.tables import OPEN, Entry, Person
from actions.blocks import materials
from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError
from actions.core.notify import Notice, cancel_notices, notify
from actions.core.offerings import lock_offering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.activities.commands import Register, Withdraw
    from actions.activities.rules import ActivitySpec
    from actions.core.catalogue import Declaration
    from actions.core.tables import Member, Offering


async def register(command: Register, context: Context) -> Outcome:
    """Raises DomainError: signup_over, signup_not_open, may_not_join, already_in, in_another, too_many_events, team_of,
    full, roster_locked, not_on_your_behalf, no_such_member.
    """
    service = store.declared(context, command.service)
    offering = await lock_offering(context, command.offering_id)
    if offering is None or offering.service != service.id:
        raise DomainError("not_found")
    await waitlist.settle(context, offering)
    spec = spec_of(offering)
    members = await _people(context, service, command)
    await people.refuse_ineligible(context, service, offering, spec, members)
    for block in blocks_of(context, service):
        await block.check(context, offering, command)
    own = await _own_entry(context, service, offering, command)
    if own is not None:
        return await _change(context, service, offering, own, members, command)
    if (refusal := store.signup_refusal(context, offering, spec)) is not None:
        raise refusal
    await people.refuse_taken(context, service, offering, members)
    if command.wish:
        await _refuse_second_wish(context, offering)
    else:
        field = _list_field(service, spec)
        await people.refuse_composition(context, service, spec, members, numbers=command.numbers, field=field)
    entry = await _write(context, service, offering, members, command)
    return await _place(context, service, offering, entry)


async def _refuse_second_wish(context: Context, offering: Offering) -> None:
    entry = await store.own_entry(context, offering.id, context.actor.member_id)
    if entry is not None:
        facts = {"title": offering.title, "name": entry.member.name, "state": entry.state}
        raise DomainError("already_in", field="offering", **facts)


def _list_field(service: Declaration, spec: ActivitySpec) -> str:
    rules = rules_of(service)
    return rules.partner_field if spec.entry == "pair" else rules.roster_field


async def _people(context: Context, service: Declaration, command: Register) -> list[Member]:
    """Who takes part. Raises DomainError("not_on_your_behalf") where the actor may not sign them up."""
    if not command.people:
        return [await _actor(context)]
    members = await people.by_staff_ids(context, command.people)
    if any(people.is_self(context, member) for member in members):
        return members
    if all(store.files_for(context, service.id, member.unit_id) for member in members):
        return members
    raise DomainError("not_on_your_behalf", names=[member.name for member in members])


async def _actor(context: Context) -> Member:
    member = context.actor.member
    if member is None:
        raise DomainError("not_bound")
    return member


async def _own_entry(context: Context, service: Declaration, offering: Offering, command: Register) -> Entry | None:
    """The pair, relay or team of the offering that the actor answers for already, and is changed.

    A person's own entry is changed where the service says so.
    """
    if command.wish or context.actor.member is None:
        return None
    kinds = ["pair", "relay", "team", *(["person"] if rules_of(service).changeable and not command.people else [])]
    query = (
        select(Entry)
        .where(
            Entry.offering_id == offering.id,
            (Entry.member_id == context.actor.member.id) | (Entry.filed_by == context.actor.member.id),
            Entry.kind.in_(kinds),
            Entry.state.in_(("registered", "pending", "wished", "waiting", "offered", "excused")),
        )
        .order_by(Entry.id)
    )
    return next(iter(await store.rows(context, query)), None)


async def _write(
    context: Context, service: Declaration, offering: Offering, members: Sequence[Member], command: Register
) -> Entry:
    actor = await _actor(context) if not context.actor.system else members[0]
    answers = actor if any(m.id == actor.id for m in members) or spec_of(offering).entry != "person" else members[0]
    entry = Entry(
        service=service.id,
        offering_id=offering.id,
        member_id=answers.id,
        filed_by=actor.id if actor.id != answers.id else None,
        unit_id=(members[0] if spec_of(offering).entry == "person" or actor.unit_id is None else actor).unit_id,
        kind="wish" if command.wish else spec_of(offering).entry,
        state="wished",
        fields=dict(command.fields),
        confidential=context.vault.seal(command.confidential, about="activity") if command.confidential else "",
        created_at=context.now,
        people=[],
    )
    context.session.add(entry)
    await context.session.flush()
    await _put_people(context, offering, entry, members, command)
    await _keep_papers(context, service, entry, command)
    return entry


async def _put_people(
    context: Context, offering: Offering, entry: Entry, members: Sequence[Member], command: Register
) -> None:
    """Writes who is in an entry; the wishes of people who are in a team now are fulfilled."""
    await _fulfil(context, offering, members, but=entry.id)
    codes = {person.member_id: person.ticket for person in entry.people}
    entry.people.clear()
    await context.session.flush()
    entry.people.extend(
        Person(
            member=member,
            role="captain" if member.staff_id == command.captain else "player",
            number=command.numbers.get(member.staff_id),
            ticket=codes.get(member.id),
            open_key=store.open_key(offering.id, member.id),
        )
        for member in members
    )
    leader = next(iter(await people.by_staff_ids(context, [command.leader])), None) if command.leader else None
    if leader is not None and leader not in members:
        entry.people.append(Person(member=leader, role="leader", ticket=codes.get(leader.id)))
    await context.session.flush()
    await context.session.refresh(entry, ["offering", "member", "unit"])


async def _fulfil(context: Context, offering: Offering, members: Sequence[Member], *, but: int) -> None:
    for member in members:
        wish = await store.own_entry(context, offering.id, member.id)
        if wish is not None and wish.kind == "wish" and wish.id != but:
            await store.end(context, wish, "filed")


async def _keep_papers(context: Context, service: Declaration, entry: Entry, command: Register) -> None:
    for field in service.form:
        if field.type == "materials":
            await materials.attach(
                context,
                command.fields.get(field.key) or (),
                entry.subject,
                field=field.key,
                kinds=field.kinds,
                max_count=field.max_count,
            )


async def _place(context: Context, service: Declaration, offering: Offering, entry: Entry) -> Outcome:
    """To the unit, into a place, or onto the waitlist."""
    rules, spec = rules_of(service), spec_of(offering)
    if aside := await _aside(context, entry):
        return await entering.stand_aside(context, entry, aside)
    to_unit = by_unit(service, spec) or entry.kind == "wish"
    if to_unit and not store.files_for(context, service.id, entry.unit_id):
        await notices.ask_unit(context, entry)
        return await entering.outcome(context, entry)
    if entry.kind == "wish":
        entry.state = "accepted"
        await context.session.flush()
        return await entering.outcome(context, entry)
    return await seat(context, entry, waitlist_open=rules.waitlist)


async def _aside(context: Context, entry: Entry) -> str:
    blocks = blocks_of(context, context.catalogue[entry.service])
    return next(filter(None, [await block.aside(context, entry) for block in blocks]), "")


async def seat(context: Context, entry: Entry, *, waitlist_open: bool) -> Outcome:
    """Gives an entry a place, or puts it on the waitlist. Raises DomainError("full") where there is none."""
    fullness = await store.take_place(context, entry)
    if fullness is None:
        outcome = await entering.enter(context, entry)
        await notices.tell_people(context, entry, "enrolment.signed_up_for_you")
        return outcome
    if not waitlist_open:
        raise DomainError("full", field="offering", title=entry.offering.title, of_unit=fullness == "unit")
    entry.state = "waiting"
    await context.session.flush()
    ahead = await waitlist.ahead(context, entry)
    hours = rules_of(context.catalogue[entry.service]).offer_hours
    params = {**notices.facts(context, entry), "ahead": ahead, "hours": hours, "of_unit": fullness == "unit"}
    return Outcome(
        wording="activities.waiting",
        params=params,
        subject=entry.subject,
        data={"entry_id": entry.id, "state": entry.state},
    )


async def _change(
    context: Context,
    service: Declaration,
    offering: Offering,
    entry: Entry,
    members: Sequence[Member],
    command: Register,
) -> Outcome:
    """Another list for the same pair, relay or team. Raises DomainError("roster_locked") after its date."""
    spec = spec_of(offering)
    locked = spec.locked_at
    if locked is not None and context.now >= locked and not store.answers_for(context, offering):
        raise DomainError("roster_locked", field="offering", title=offering.title, locked_at=locked)
    await people.refuse_taken(context, service, offering, members)
    field = _list_field(service, spec)
    await people.refuse_composition(context, service, spec, members, numbers=command.numbers, field=field)
    await cancel_notices(context, entry.subject)
    before = {person.member_id for person in entry.people}
    entry.fields = dict(command.fields)
    entry.confidential = context.vault.seal(command.confidential, about="activity") if command.confidential else ""
    await _put_people(context, offering, entry, members, command)
    await _tell_changed(context, entry, before)
    await _keep_papers(context, service, entry, command)
    if aside := await _aside(context, entry):
        await store.give_back(context, entry)
        outcome = await entering.stand_aside(context, entry, aside, changed=True)
        await waitlist.fill(context, offering)
        return outcome
    if entry.state == "excused":
        return await seat(context, entry, waitlist_open=rules_of(service).waitlist)
    if entry.state == "registered":
        await entering.confirm(context, entry)
    elif entry.state == "pending":
        await notices.ask_approval(context, entry)
    elif entry.state == "wished":
        await notices.ask_unit(context, entry)
    return await entering.outcome(context, entry, changed=True)


async def _tell_changed(context: Context, entry: Entry, before: set[int]) -> None:
    """Who is on the list no more is told, and who is new there."""
    after = {person.member_id for person in entry.people}
    actor = context.actor.member
    itself = {actor.id} if actor is not None else set()
    for members, wording in ((before - after, "enrolment.off_the_list"), (after - before, "enrolment.on_the_list")):
        for member_id in sorted(members - itself):
            params = {**notices.pushed(context, entry), "by": entry.member.name}
            await notify(context, Notice(member_id=member_id, wording=wording, params=params))


async def withdraw(command: Withdraw, context: Context) -> Outcome:
    """Raises DomainError: not_found, too_late_to_withdraw, roster_locked; ForbiddenError."""
    entry = await store.find(context, command.entry_id)
    if entry.state not in OPEN:
        raise DomainError("not_found")
    service = store.declared(context, entry.service)
    own = store.is_own(context, entry) or (
        store.takes_part(context, entry) and entry.kind in ("person", "pair", "wish")
    )
    if not own:
        store.refuse_strangers(context, entry)
    if not store.answers_for(context, entry.offering):
        refuse_late(context, service, entry)
    facts = {**notices.facts(context, entry), "reason": command.reason}
    await notices.tell_people(context, entry, "enrolment.withdrawn", reason=command.reason)
    await store.end(context, entry, "withdrawn")
    await materials.drop(context, entry.subject)
    await waitlist.fill(context, entry.offering)
    return Outcome(wording="activities.withdrawn", params=facts, subject=entry.subject)


def refuse_late(context: Context, service: Declaration, entry: Entry) -> None:
    """Raises DomainError("too_late_to_withdraw") for who is in, past the limit of the service."""
    spec, rules = spec_of(entry.offering), rules_of(service)
    starts_at = spec.starts_at
    if rules.rounds is not None:  # between two rounds who is in may still leave
        ahead = [session.starts_at for session in spec.sessions if session.starts_at > context.now]
        starts_at = min(ahead, default=starts_at)
    if entry.state != "registered" or starts_at is None:
        return
    hours = rules.withdraw_until_hours
    if context.now > starts_at - timedelta(hours=hours):
        raise DomainError("too_late_to_withdraw", hours=hours, **notices.facts(context, entry))
