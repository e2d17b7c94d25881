"""Places that are allotted by wishes: who may apply, what they wish for, and what becomes of a free place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from actions.activities import allotment_commands as c
from actions.activities import allotment_store as allotted
from actions.activities import deciding, identities, moving_up, notices, resolving, store
from actions.activities.allotment_tables import Identity, IdentityLook, Publicity, Seat, Trip
from actions.activities.blocks import Block
from actions.activities.rules import rules_of, spec_of
from actions.blocks.allotment import companions_fault
from actions.core.commands import Registration, bound
from actions.core.errors import DomainError
from actions.core.life import Choice
from actions.core.notify import Notice, Option, cancel_notices, notify
from actions.core.tables import Offering
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from actions.activities.commands import Register
    from actions.activities.form import Form
    from actions.activities.tables import Entry
    from actions.blocks.allotment import AllotmentRules
    from actions.blocks.materials_made import Shelf
    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Context

#: How an entry may end without anything going on to the next.
_WITHOUT_NEXT = ("cancelled",)


class Allotment(Block):
    """Takes applications, gives nobody a place by itself, and moves up who is next."""

    rule = "allotment"

    def __init__(self, shelf: Shelf | None = None) -> None:
        """On the shelf the list for the insurance is laid out; without one there is none."""
        self._identities = identities.Identities(shelf)

    def registrations(self) -> Sequence[Registration[Any]]:
        """Rights that depend on the offering are checked where it is locked."""
        private = {"private": lambda *_: True}
        return (
            Registration(command=c.NamePerson, handler=deciding.name_person, right=bound),
            Registration(command=c.Candidates, handler=deciding.candidates, right=bound),
            Registration(command=c.Recommend, handler=deciding.recommend, right=bound),
            Registration(command=c.ShowPlan, handler=deciding.plan, right=bound),
            Registration(command=c.ApproveAll, handler=deciding.approve, right=bound),
            Registration(command=c.ShowList, handler=deciding.public_list, right=bound),
            Registration(command=c.Strike, handler=deciding.strike, right=bound),
            Registration(command=c.Settle, handler=deciding.settle, right=bound),
            Registration(command=c.EnterTrips, handler=deciding.enter_trips, right=bound),
            Registration(command=c.GiveIdentity, handler=self._identities.give, right=bound, **private),
            Registration(command=c.InsuranceList, handler=self._identities.show, right=bound),
            Registration(command=c.Insured, handler=self._identities.done, right=bound),
            Registration(command=c.IdentityLooks, handler=self._identities.looks, right=bound, **private),
        )

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Raises DomainError("again_too_soon") for who may take part in nothing that is open."""
        if context.actor.member is not None:
            mine = context.actor.member_id
            refused = [await moving_up.too_soon(context, each, mine) for each in await _open(context, service)]
            first = next(iter(refused), None)
            if first is not None and all(refused):
                raise first
        return {}

    async def resolve(self, context: Context, form: Form, changed: Iterable[str]) -> None:
        """Raises DomainError("companions") for who may not come along; a wish that is there twice counts once."""
        del context, changed
        rules = form.rules.allotment
        if rules is None:
            return
        seen: set[str] = set()
        for key in rules.preference_fields:
            wish = str(form.values.get(key) or "")
            if wish and wish in seen:
                form.values[key] = rules.no_further
            seen.add(wish)
        _refuse_companions(rules, form.values)

    async def choices(self, context: Context, form: Form, field: FormField) -> tuple[Choice, ...] | None:
        """The options that are not wished for yet; from the second wish on one may wish for nothing more."""
        rules = form.rules.allotment
        if rules is None or field.key not in rules.preference_fields:
            return None
        offering = await resolving.chosen(context, form)
        before = [form.values.get(key) for key in rules.preference_fields[: rules.preference_fields.index(field.key)]]
        done = rules.no_further in before
        options = spec_of(offering).options if offering is not None and not done else ()
        left = [option.title for option in options if option.title not in before]
        titles = (*left, *((rules.no_further,) if before else ()))
        return tuple(Choice(value=title, label=title) for title in titles)

    async def check(self, context: Context, offering: Offering, command: Register) -> None:
        """Raises DomainError: again_too_soon, allotted_already, no_such_offering, companions."""
        service, spec = context.catalogue[offering.service], spec_of(offering)
        rules = rules_of(service).allotment
        if rules is None:
            return
        for member_id in await deciding.members_of(context, command.people):
            if (refused := await moving_up.too_soon(context, offering, member_id)) is not None:
                raise refused
            own = await store.own_entry(context, offering.id, member_id)
            if own is not None and own.state != "wished":
                raise DomainError("allotted_already", title=offering.title, name=own.member.name)
        wished = [str(command.fields.get(key) or "") for key in rules.preference_fields]
        known = {option.title for option in spec.options}
        strange = [wish for wish in wished if wish not in known and wish not in ("", rules.no_further)]
        if strange or wished[0] not in known:
            key = rules.preference_fields[0]
            raise DomainError("no_such_offering", field=key, offering=(strange or wished)[0])
        _refuse_companions(rules, {**command.fields, **command.confidential})

    async def aside(self, context: Context, entry: Entry) -> str:
        """An application takes no place; the unit is told, and decides together with others about it."""
        await cancel_notices(context, entry.subject)
        officers = await notices.unit_officers(context, entry.service, entry.unit_id) - {entry.member_id}
        officers = officers or await allotted.union(context, entry.offering) - {entry.member_id}
        rules = rules_of(context.catalogue[entry.service]).allotment
        if rules is not None:
            params = {**notices.facts(context, entry), "wishes": list(allotted.wishes(rules, entry))}
            for member_id in sorted(officers):
                notice = Notice(member_id=member_id, wording="retreat.applied", params=params, subject=entry.subject)
                await notify(context, notice)
        return "wished"

    async def accepted(self, context: Context, entry: Entry) -> str:
        """Who comes up while the list is public is on the list, and in when it is final; who was named is in."""
        public = await context.session.get(Publicity, entry.offering_id)
        return "publicised" if public is not None and public.settled_at is None and not allotted.named(entry) else ""

    async def entered(self, context: Context, entry: Entry) -> None:
        """Who is in for good is asked for what the insurance needs, in private."""
        params = {**notices.facts(context, entry), **allotted.facts(entry)}
        await notify(context, Notice(member_id=entry.member_id, wording="retreat.identity_wanted", params=params))

    async def ended(self, context: Context, entry: Entry, state: str) -> None:
        """The place goes on to who is next; the number for the insurance is deleted."""
        await context.session.execute(delete(Identity).where(Identity.entry_id == entry.id))
        seated = await context.session.get(Seat, entry.id) is not None
        await allotted.unseat(context, entry)
        if seated and state not in _WITHOUT_NEXT:
            await moving_up.move_up(context, entry.offering, gone=entry.id)

    async def forget(self, context: Context, entry_ids: Sequence[int]) -> None:
        """What is kept of entries goes with them."""
        for table in (Seat, Identity, IdentityLook):
            await context.session.execute(delete(table).where(table.entry_id.in_(entry_ids)))

    async def sweep(self, context: Context) -> int:
        """The end of the publicity is told, journeys that are over are noted, and numbers are deleted."""
        done = 0
        services = [s.id for s in context.catalogue if s.life == "activity" and rules_of(s).allotment is not None]
        query = select(Offering).where(Offering.service.in_(services), Offering.state.in_(("open", "closed")))
        for offering in (await context.session.execute(query.order_by(Offering.id))).scalars().all():
            done += await _tell_end(context, offering) + await _close_line(context, offering)
            done += await _note_trips(context, offering) + await self._identities.sweep(context, offering)
        return done


def _refuse_companions(rules: AllotmentRules, values: Mapping[str, Any]) -> None:
    companions = rules.companions
    text = str(values.get(companions.field) or "") if companions is not None else ""
    if companions is not None and text and (fault := companions_fault(text, companions)):
        facts = {"most": companions.most, "relations": list(companions.relations), "why": fault}
        raise DomainError("companions", field=companions.field, **facts)


async def _open(context: Context, service: Declaration) -> list[Offering]:
    every = await store.offerings(context, service.id)
    return [offering for offering in every if store.signup_refusal(context, offering, spec_of(offering)) is None]


async def _tell_end(context: Context, offering: Offering) -> int:
    """Asks who answers for it to make the list final, once its time is over."""
    public = await context.session.get(Publicity, offering.id)
    if public is None or public.told_at is not None or public.until > context.now:
        return 0
    public.told_at = context.now
    await context.session.flush()
    for member_id in sorted(await allotted.union(context, offering)):
        notice = Notice(
            member_id=member_id,
            wording="retreat.publicity_over",
            params={"title": offering.title},
            subject=f"publicity:{offering.id}",
            options=(Option(label="定下来", command=c.Settle(offering_id=offering.id)),),
        )
        await notify(context, notice)
    return 1


async def _close_line(context: Context, offering: Offering) -> int:
    """Who still waits when the first journey begins has not got a place."""
    starts_at = spec_of(offering).starts_at
    if starts_at is None or context.now < starts_at:
        return 0
    rows = await allotted.entries(context, offering, "standby", "recommended", "publicised")
    for row in rows:
        await store.end(context, row, "expired")
        await notices.tell_people(context, row, "enrolment.over", was="waiting")
    return len(rows)


async def _note_trips(context: Context, offering: Offering) -> int:
    """Who was on a journey that is over took part this year."""
    done = 0
    for row in await allotted.entries(context, offering, "registered"):
        ends_at = identities.ends_at(row)
        if ends_at is None or context.now < ends_at:
            continue
        key = (row.service, row.member_id, local(ends_at).year)
        if await context.session.get(Trip, key) is None:
            context.session.add(Trip(service=key[0], member_id=key[1], year=key[2]))
            done += 1
    await context.session.flush()
    return done
