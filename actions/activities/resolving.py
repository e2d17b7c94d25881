"""From what a member said to what there is: an offering that is open to them, and colleagues who are on the roster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.activities import people, store
from actions.activities.blocks import blocks_of
from actions.activities.rules import spec_of
from actions.core.errors import DomainError
from actions.core.life import Choice, Resolved
from actions.core.zones import spoken, spoken_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.activities.form import Form
    from actions.activities.rules import ActivitySpec
    from actions.core.catalogue import FormField
    from actions.core.commands import Context
    from actions.core.tables import Member, Offering

_SUMMARY_LONGEST = 24


async def resolve(context: Context, form: Form, changed: set[str]) -> Resolved:
    """The values with what the records say of them. A value that does not hold is dropped, and told."""
    refusals: list[DomainError] = []
    for check in (_offering, _option, _way, _person, _colleagues, _leaders):
        try:
            await check(context, form, changed)
        except DomainError as error:
            refusals.append(error)
            key = form.offering_key if error.field == "offering" else error.field or form.offering_key
            form.values.pop(key, None)
            if key == form.offering_key:
                _forget_offering(form)
    for block in blocks_of(context, form.service):
        try:
            await block.resolve(context, form, changed)
        except DomainError as error:
            refusals.append(error)
            form.values.pop(error.field or form.offering_key, None)
    return Resolved(values=form.values, refusals=tuple(refusals), further=form.further)


def _forget_offering(form: Form) -> None:
    for key in ("activity_id", "entry", "full", "picked"):
        form.values.pop(key, None)


async def chosen(context: Context, form: Form) -> Offering | None:
    """The offering that was chosen: by its title, or title@校区 where there are several."""
    if not form.title:
        return None
    title, _, campus = form.title.partition("@")
    found = [
        offering
        for offering in await store.offerings(context, form.service.id)
        if offering.title == title and campus in ("", offering.campus)
    ]
    return found[0] if found else None


async def _offering(context: Context, form: Form, changed: set[str]) -> None:
    if not form.title:
        _forget_offering(form)
        return
    offering = await chosen(context, form)
    if offering is None:
        raise DomainError("no_such_offering", field="offering", offering=form.title)
    spec = spec_of(offering)
    form.values |= {"activity_id": offering.id, "entry": spec.entry}
    form.values.pop("picked", None)
    if form.offering_key not in changed:
        return
    for member in _whom(context, form):
        refused = await refusal(context, form, offering, spec, member)
        if refused is not None:
            raise refused


async def _option(context: Context, form: Form, _changed: set[str]) -> None:
    """What was chosen of an offering must be one of its options."""
    key = form.rules.option_field
    offering = await chosen(context, form) if key and form.values.get(key) else None
    if offering is not None and form.values[key] not in {option.title for option in spec_of(offering).options}:
        raise DomainError("no_such_offering", field=key, offering=form.values[key])


def _whom(context: Context, form: Form) -> list[Member]:
    """Who has to be fit at once: the member, unless they may sign up others."""
    member = context.actor.member
    if member is None or (form.rules.person_field and store.files_for(context, form.service.id, member.unit_id)):
        return []
    return [member]


async def refusal(
    context: Context, form: Form, offering: Offering, spec: ActivitySpec, member: Member
) -> DomainError | None:
    """Why a member cannot sign up for an offering; None where they can."""
    closed = store.signup_refusal(context, offering, spec)
    if closed is not None:
        return closed
    try:
        # Who leads a team need not be fit for it: the list is looked at when it is there.
        if spec.entry == "person":
            await people.refuse_ineligible(context, form.service, offering, spec, [member])
        await people.refuse_taken(context, form.service, offering, [member])
    except DomainError as error:
        return error
    return None


async def _way(_context: Context, form: Form, changed: set[str]) -> None:
    """Whether a person or a team signs up, where the opening message says so: 拔河算我一个, 接力组队报名."""
    key = form.rules.way_field
    hint = str(form.values.pop(f"{key}_hint", "") or "") if key and form.entry in ("relay", "team") else ""
    if not hint or form.values.get(key):
        return
    said = [(text, choice.value) for choice in form.service.field(key).choices for text in (choice.value, *choice.also)]
    named = {value for text, value in said if text in hint}
    if len(named) == 1:
        form.values[key] = named.pop()
        changed.add(key)


async def _person(context: Context, form: Form, changed: set[str]) -> None:
    """Whom an officer signs up: one colleague or several; the hint is what opened the form."""
    key = form.rules.person_field
    if not key or form.entry != "person":
        return
    hint = str(form.values.pop(f"{key}_hint", "") or "")
    if hint and not form.values.get(key):
        named = [m for m in await people.mentioned(context, hint) if not people.is_self(context, m)]
        if named and _for_another(hint, named):
            form.values[key] = "、".join(member.name for member in named)
            changed.add(key)
    if not form.values.get(key):
        form.values["people"] = []
        return
    if key not in changed and form.values.get("people"):
        return
    found = [one.member for one in await people.listed(context, str(form.values[key]), field=key)]
    others = [member for member in found if not people.is_self(context, member)]
    if not all(store.files_for(context, form.service.id, member.unit_id) for member in others):
        form.values["people"] = []
        raise DomainError("not_on_your_behalf", field=key, names=[member.name for member in others])
    offering = await chosen(context, form)
    if offering is not None:
        await people.refuse_ineligible(context, form.service, offering, spec_of(offering), found)
        await people.refuse_taken(context, form.service, offering, found)
    form.values[key] = "、".join(member.name for member in found)
    form.values["people"] = [member.staff_id for member in found]


def _for_another(text: str, named: list[Member]) -> bool:
    """Whether somebody is to be signed up: 替老孙报名, 给张建国报, 帮王敏报一个."""
    return any(f"{word}{member.name}" in text for member in named for word in ("替", "给", "帮", "为", "把"))


async def _colleagues(context: Context, form: Form, changed: set[str]) -> None:
    """Partner, relay or team: names become members of the roster, and are held against the rules."""
    key = form.list_key
    if not key:
        if form.entry != "person" or form.wish:
            form.values["people"] = []
        return
    await _from_opening(context, form, key, changed)
    if not form.values.get(key) or (key not in changed and form.offering_key not in changed):
        return
    listed = await people.listed(context, str(form.values[key]), field=key)
    offering, me = await chosen(context, form), context.actor.member
    members = [one.member for one in listed]
    if form.entry == "pair" and me is not None and len(members) == 1 and not people.is_self(context, members[0]):
        members = [me, *members]
    numbers = {one.member.staff_id: one.number for one in listed if one.number is not None}
    if offering is not None:
        spec = spec_of(offering)
        await people.refuse_composition(context, form.service, spec, members, numbers=numbers, field=key)
        await _as_of_list(key, people.refuse_ineligible(context, form.service, offering, spec, members))
        await _as_of_list(key, people.refuse_taken(context, form.service, offering, members))
    shown = [m for m in members if form.entry != "pair" or not people.is_self(context, m)]
    form.values[key] = "、".join(_with_number(member, numbers) for member in shown)
    form.values["people"] = [member.staff_id for member in members]
    form.values["numbers"] = numbers


def _with_number(member: Member, numbers: Mapping[str, int]) -> str:
    number = numbers.get(member.staff_id)
    return member.name if number is None else f"{member.name}({number}号)"


async def _as_of_list(key: str, check: Any) -> None:
    """A refusal of one of several is a matter of the list."""
    try:
        await check
    except DomainError as error:
        raise DomainError(error.code, field=key, **error.params) from error


async def _from_opening(context: Context, form: Form, key: str, changed: set[str]) -> None:
    """Colleagues whom the opening message names already: 我和王敏报羽毛球双打."""
    hint = str(form.values.pop(f"{key}_hint", "") or "")
    if not hint or form.values.get(key):
        return
    named = [m for m in await people.mentioned(context, hint) if not people.is_self(context, m)]
    least = 1 if form.entry == "pair" else 2
    if len(named) >= least:
        itself = ["我"] if form.entry != "pair" and "我" in hint else []
        form.values[key] = "、".join([*(member.name for member in named), *itself])
        changed.add(key)


async def _leaders(context: Context, form: Form, changed: set[str]) -> None:
    for rule, side in ((form.rules.leader_field, "leader_id"), (form.rules.captain_field, "captain_id")):
        if not rule or not form.values.get(rule):
            form.values.pop(side, None)
            continue
        if rule not in changed and form.values.get(side):
            continue
        found = await people.listed(context, str(form.values[rule]), field=rule)
        member = found[0].member
        if side == "captain_id" and member.staff_id not in (form.values.get("people") or ()):
            raise DomainError("captain_not_in_team", field=rule, name=member.name)
        form.values[rule], form.values[side] = member.name, member.staff_id


async def choices(context: Context, form: Form, field: FormField) -> tuple[Choice, ...]:
    """What may be answered to a field. Raises DomainError: nothing_open, nothing_for_you."""
    for block in blocks_of(context, form.service):
        if (listed := await block.choices(context, form, field)) is not None:
            return listed
    if field.type in ("choice", "choices"):
        return tuple(Choice(value=choice.value, label=choice.value) for choice in field.choices)
    if field.type == "option":
        offering = await chosen(context, form)
        options = spec_of(offering).options if offering is not None else ()
        return tuple(Choice(value=option.title, label=option.title) for option in options)
    return await offered(context, form)


async def offered(context: Context, form: Form) -> tuple[Choice, ...]:
    """The offerings that the actor can sign up for. Raises DomainError: nothing_open, nothing_for_you."""
    offerings = await store.offerings(context, form.service.id)
    openings = [(o, spec_of(o)) for o in offerings if store.signup_refusal(context, o, spec_of(o)) is None]
    if not openings:
        raise DomainError("nothing_open", service=form.service.short)
    fitting = []
    refused: DomainError | None = None
    for offering, spec in openings:
        why = [await refusal(context, form, offering, spec, member) for member in _whom(context, form)]
        refused = next((each for each in why if each is not None), refused)
        if not any(why):
            fitting.append((offering, spec))
    if not fitting:
        raise DomainError("nothing_for_you", service=form.service.short)
    return tuple(choice_of(offering, spec, [o for o, _spec in fitting]) for offering, spec in fitting)


def choice_of(offering: Offering, spec: ActivitySpec, among: list[Offering]) -> Choice:
    """An offering as it is offered: its title, with its campus where there are two, and when it is."""
    doubled = sum(other.title == offering.title for other in among) > 1
    value = f"{offering.title}@{offering.campus}" if doubled else offering.title
    campus = f" {offering.campus}" if doubled else ""
    return Choice(value=value, label=f"{offering.title}{campus}{_when(spec)}")


def _when(spec: ActivitySpec) -> str:
    if spec.starts_at is None:
        return ""
    several = len(spec.sessions) > 1
    return f" {spoken_day(spec.starts_at)}起{len(spec.sessions)}次" if several else f" {spoken(spec.starts_at)}"


async def _placeless(context: Context, form: Form, offering: Offering) -> bool:
    """Whether what is answered needs no further place: leave, or a change of one's own answer."""
    leave, member = form.rules.leave, context.actor.member
    if leave is not None and form.values.get(leave.field) == leave.value:
        return True
    if member is None or not form.rules.changeable or form.values.get("people"):
        return False
    entry = await store.own_entry(context, offering.id, member.id)
    return entry is not None and store.keeps_place(entry)


async def picked(context: Context, form: Form) -> Mapping[str, Any]:
    """The offering as the read-back shows it: with its time, and where no place is left, that one would wait."""
    offering = await chosen(context, form)
    if offering is None:
        raise DomainError("no_such_offering", field="offering", offering=form.title)
    refused = store.signup_refusal(context, offering, spec_of(offering))
    if refused is not None:
        raise refused
    label = choice_of(offering, spec_of(offering), []).label
    member = context.actor.member
    unit = member.unit.name if member is not None and member.unit else ""
    full = (
        not form.wish
        and not await _placeless(context, form, offering)
        and await store.full(context, offering, unit) is not None
    )
    if full and not form.rules.waitlist:
        raise DomainError("full", field="offering", title=offering.title, of_unit=False)
    return {"picked": f"{label}（名额已满，确认后先排候补）" if full else label}
