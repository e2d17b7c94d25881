"""Holding what was said to a form against the records: choices that are open, times, people, what is alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from actions.blocks import consent, openings
from actions.blocks.similarity import bigrams, shared
from actions.cases import effects, eligibility, seconding, store, submitting
from actions.cases.form import key_of, rules_of, title_of
from actions.core.errors import DomainError
from actions.core.life import Choice, Opening, Resolved
from actions.core.zones import local, spoken, spoken_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.cases.likeness import Likeness
    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Context
    from actions.core.tables import Offering

_DAY = timedelta(days=1)
#: Roles that a form may ask for in `when`.
_ROLES = ("club_leader", "unit_officer")


async def resolve(
    context: Context, service: Declaration, likeness: Likeness, values: dict[str, Any], changed: set[str]
) -> Resolved:
    """The values after the records were asked; what does not hold is dropped and told."""
    refusals: list[DomainError] = []
    _open(service, values, changed)
    for field in service.form:
        try:
            await _held(context, service, field, values, changed)
        except DomainError as error:
            values.pop(field.key, None)
            refusals.append(error)
    _only(context, service, values, refusals)
    if rules_of(service).content_field in changed and not refusals:
        refusals += await _like(context, service, likeness, values)
    return Resolved(values=values, refusals=tuple(refusals))


def _only(context: Context, service: Declaration, values: dict[str, Any], refusals: list[DomainError]) -> None:
    """An answer that is not for this member is taken back at once."""
    try:
        submitting.fits(context, service, values)
    except DomainError as error:
        rule = next(each for each in rules_of(service).only if each.refusal == error.code)
        values.pop(rule.field or next(iter(rule.when)), None)
        refusals.append(error)


def _open(service: Declaration, values: dict[str, Any], changed: set[str]) -> None:
    """What the opening message says already is the answer to the questions that it opens."""
    rules = rules_of(service)
    names = (service.title, service.short, *service.also)
    for field in service.form:
        hint = values.get(f"{field.key}_hint")
        if not field.opening or not isinstance(hint, str) or field.key in values or field.type != "text":
            continue
        said = openings.title(hint) if field.key == rules.title_field else openings.content(hint, names)
        if said and len(said) <= field.max_length:
            values[field.key] = said
            changed.add(field.key)


async def _held(
    context: Context, service: Declaration, field: FormField, values: dict[str, Any], changed: set[str]
) -> None:
    """One field. Raises DomainError where its value does not hold."""
    rules, key = rules_of(service), field.key
    if field.type == "slot" and f"{key}_wish" in changed:
        _take_time(context, field, values)
    elif field.type == "record":
        await _find_record(context, service, field, values, changed)
    elif field.type == "name" and key in changed and _is_choice(service, str(values.get(key) or "")):
        values.pop(key, None)
    elif key in changed and field.type in ("offering", "choice") and values.get(key):
        await _offered(context, service, field, values)
    elif key in changed and rules.seconding and key == rules.seconding.field and values.get(key):
        named = await effects.listed(context, str(values[key]))
        if context.actor.member_id in {member.id for member in named}:
            raise DomainError("own_record", field=key)


def _is_choice(service: Declaration, text: str) -> bool:
    """Whether what was taken for a name answers another question of the form: 四育人 is nobody."""
    choices = (choice for field in service.form for choice in field.choices)
    return any(text in (choice.value, *choice.also) for choice in choices)


def _take_time(context: Context, field: FormField, values: dict[str, Any]) -> None:
    """A wish is enough: who answers the request agrees on the very time."""
    wish = values.get(f"{field.key}_wish")
    if not wish:
        return
    start, end = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    if max(start, end) <= context.now:
        raise DomainError("wish_past", field=field.key, text=wish["text"])
    values[field.key] = local(start).isoformat()
    values[f"{field.key}_label"] = values[f"{field.key}_text"] = _spoken(start, end, str(wish["text"]))


def _spoken(start: datetime, end: datetime, text: str) -> str:
    if end == start:
        return spoken(start)
    return f"{spoken_day(start)}（{text}）" if end - start <= _DAY else f"{spoken_day(start)}起（{text}）"


async def _offered(context: Context, service: Declaration, field: FormField, values: dict[str, Any]) -> None:
    found = await choices(context, service, field.key)
    if values[field.key] not in {choice.value for choice in found}:
        shown = [choice.label for choice in found]
        raise DomainError("not_open_for", field=field.key, value=str(values[field.key]), choices=shown)


async def _find_record(
    context: Context, service: Declaration, field: FormField, values: dict[str, Any], changed: set[str]
) -> None:
    """The record that the opening message speaks of, where it shares most with one title."""
    found = await choices(context, service, field.key)
    if values.get(field.key) and values[field.key] not in {choice.value for choice in found}:
        raise DomainError("case_gone", field=field.key)
    hint = values.get(f"{field.key}_hint")
    if field.key in values or f"{field.key}_hint" not in changed or not isinstance(hint, str):
        return
    scores = sorted(((shared(bigrams(hint), bigrams(c.label)), c) for c in found), key=lambda each: -each[0])
    if scores and scores[0][0] > 0 and (len(scores) == 1 or scores[0][0] > scores[1][0]):
        values[field.key], values[f"{field.key}_label"] = scores[0][1].value, scores[0][1].label
        changed.add(field.key)


async def _like(
    context: Context, service: Declaration, likeness: Likeness, values: Mapping[str, Any]
) -> list[DomainError]:
    """What is alike is no refusal: it is told before the read-back, and the member decides."""
    found = await likeness.found(context, service, str(values.get(rules_of(service).content_field) or ""))
    if not found:
        return []
    told = [{"title": case.title or title_of(str(case.fields)), "state": _state(service, case.state)} for case in found]
    return [DomainError("alike_found", items=told)]


def _state(service: Declaration, state: str) -> str:
    return rules_of(service).states[state].title


async def choices(context: Context, service: Declaration, key: str) -> tuple[Choice, ...]:
    """What may be answered to a field: open calls, declared choices for which a call is open, what waits for a second.

    Raises DomainError where nothing is left.
    """
    field = service.field(key)
    if field.type == "record":
        return await _to_second(context, service)
    calls = await store.open_calls(context, service) if rules_of(service).call else []
    if field.type == "offering":
        if not calls:
            raise DomainError("call_closed", service=service.short, private=service.private)
        return tuple(Choice(value=call.title, label=call.title) for call in calls)
    limits = [store.spec_of(call).allows.get(key) for call in calls]
    allowed = {value for limit in limits if limit is not None for value in limit}
    everything = not calls or any(limit is None for limit in limits)
    return tuple(
        Choice(value=choice.value, label=choice.value)
        for choice in field.choices
        if everything or choice.value in allowed
    )


async def _to_second(context: Context, service: Declaration) -> tuple[Choice, ...]:
    waiting = await seconding.open_to(context, context.actor.member_id, rules_of(service).seconds)
    if not waiting:
        raise DomainError("nothing_to_second")
    return tuple(Choice(value=row.subject, label=f"{row.case.title}（{row.case.member.name}）") for row in waiting)


async def begin(context: Context, service: Declaration) -> dict[str, Any]:
    """Raises DomainError where the member may not use the service now."""
    target = context.catalogue[rules_of(service).seconds] if rules_of(service).seconds else service
    await eligibility.require(context, target)
    if rules_of(service).seconds:
        await _to_second(context, service)
        return {}
    calls = await store.open_calls(context, service) if rules_of(service).call else []
    if rules_of(service).call and not calls:
        raise DomainError("call_closed", service=service.short, private=service.private)
    if len(calls) < 2:
        # Where there is but one call, its limits are known before anything is filled in.
        await submitting.room(context, service, calls[0] if calls else None)
    return await _facts(context, service)


async def calls_open(context: Context, service: Declaration) -> list[Opening]:
    """Calls that take submissions, with the places that are left in all and for the member's unit."""
    calls = await store.open_calls(context, service) if rules_of(service).call else []
    return [await _opening(context, service, call) for call in calls]


async def _opening(context: Context, service: Declaration, call: Offering) -> Opening:
    spec, member = store.spec_of(call), context.actor.member
    unit = member.unit_id if member is not None else None
    bounds = [(spec.total, None)] if unit is None else [(spec.total, None), (spec.per_unit, unit)]
    left = [max(0, most - await store.taken(context, call, whose)) for most, whose in bounds if most is not None]
    refused: DomainError | None = None
    try:
        if member is not None:
            await submitting.room(context, service, call)
    except DomainError as error:
        refused = error
    return Opening(
        offering_id=call.id,
        service=service.id,
        title=call.title,
        label=call.title,
        campus=call.campus,
        about=spec.about,
        closes_at=spec.closes_at,
        left=min(left, default=None),
        example=call.example,
        refusal=refused,
    )


async def _facts(context: Context, service: Declaration) -> dict[str, Any]:
    """`first`: the consent has not been given yet; `club_leader`, `unit_officer`: roles of the member."""
    purpose = rules_of(service).consent
    given = not purpose or await consent.find(context, context.actor.member_id, purpose) is not None
    member = context.actor.member
    unit = member.unit_id if member else None
    holds = {
        role: context.actor.holds(role, service=service.id, unit_id=unit) for role in ("club_leader", "unit_officer")
    }
    return {"first": not given, **holds}


async def checked(context: Context, service: Declaration, values: Mapping[str, Any]) -> dict[str, Any]:
    """Before the read-back: is there a call for it, and room. Returns the call's name where the form does not ask."""
    if rules_of(service).seconds:
        return {}
    call = await submitting.call_for(context, service, values, str(values.get(key_of(service, "offering")) or ""))
    await submitting.room(context, service, call)
    return {"picked": call.title} if call and key_of(service, "offering") else {}
