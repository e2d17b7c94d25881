"""Submitting: who may, to which call, within which limits; then the record begins its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from actions.blocks import consent, materials
from actions.cases import effects, eligibility, moving, notices, seconding, store
from actions.cases.form import Form, key_of, rules_of, title_of
from actions.cases.tables import Case
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.offerings import lock_offering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.cases.commands import Submit
    from actions.cases.likeness import Likeness
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context
    from actions.core.tables import Offering


class Submitting:
    """The command `cases.submit`; `likeness` keeps what a record means."""

    def __init__(self, likeness: Likeness) -> None:
        self._likeness = likeness

    async def __call__(self, command: Submit, context: Context, /) -> Outcome:
        """Raises DomainError: unknown_service, call_closed, no_call_for, limit_reached, quota_full, consent_needed."""
        service = store.declared(context, command.service)
        rules = rules_of(service)
        _refuse_others(context, service)
        await eligibility.require(context, service)
        given = command.consent or not rules.consent
        if not given and await consent.find(context, context.actor.member_id, rules.consent) is None:
            raise DomainError("consent_needed", field=key_of(service, "consent"))
        values = {**command.fields, **command.confidential}
        fits(context, service, values)
        call = await call_for(context, service, values, command.offering)
        await room(context, service, call, lock=True)
        case = await self._written(context, service, command, call)
        await _materials(context, service, case, command.fields)
        if rules.consent and command.consent:
            await consent.give(context, context.actor.member_id, rules.consent, {})
        await _begun(context, service, case)
        return await _outcome(context, service, case)

    async def _written(self, context: Context, service: Declaration, command: Submit, call: Offering | None) -> Case:
        rules, member = rules_of(service), context.actor.member
        values = {**command.fields, **command.confidential}
        # What is declared confidential is sealed, however a program sends it.
        secret = {field.key for field in service.form if field.confidential} | command.confidential.keys()
        content = str(values.get(rules.content_field, ""))
        title = str(values.get(rules.title_field) or "") or title_of(content) or service.short
        case = Case(
            service=service.id,
            offering_id=call.id if call else None,
            member_id=context.actor.member_id,
            unit_id=member.unit_id if member else None,
            state=_start(context, service, values),
            title="" if service.private else title[:120],
            fields={key: value for key, value in values.items() if key not in secret},
            confidential=store.seal(context, {key: value for key, value in values.items() if key in secret}),
            kept=await _kept(context, service, values),
            vector=self._likeness.vector(content) if rules.similarity else None,
            limit_key=_limit_key(context, service, call),
            created_at=context.now,
            entered_at=context.now,
        )
        try:
            async with context.session.begin_nested():
                context.session.add(case)
        except IntegrityError as error:
            raise DomainError("limit_reached", service=service.short, most=rules.per_person) from error
        await context.session.refresh(case, ["member", "unit", "offering"])
        return case


def _refuse_others(context: Context, service: Declaration) -> None:
    """The dialogue has asked this before; a program that calls has not."""
    member, who = context.actor.member, service.who
    if member is None or member.status not in who.status:
        raise ForbiddenError
    if who.roles and not any(_holds(context, role, service) for role in who.roles):
        raise ForbiddenError("not_for_you", service=service.short)


def fits(context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
    """Raises DomainError with the code of the rule's own refusal where an answer asks for more than there is."""
    for rule in rules_of(service).only:
        if not rule.applies(values):
            continue
        if rule.roles and not any(_holds(context, role, service) for role in rule.roles):
            raise DomainError(rule.refusal, service=service.short)
        if rule.field and rule.field in values and int(values[rule.field]) < rule.least:
            raise DomainError(rule.refusal, field=rule.field, least=rule.least)


def _holds(context: Context, role: str, service: Declaration) -> bool:
    member = context.actor.member
    return context.actor.holds(role, service=service.id, unit_id=member.unit_id if member else None)


def _start(context: Context, service: Declaration, values: Mapping[str, Any]) -> str:
    """Where a record begins: as an answer says, or further on for who holds a role whose consent would come first."""
    rules = rules_of(service)
    said = rules.start_when.values.get(str(values.get(rules.start_when.field))) if rules.start_when else None
    return said or next((state for role, state in rules.starts.items() if _holds(context, role, service)), rules.start)


def _limit_key(context: Context, service: Declaration, call: Offering | None) -> str | None:
    most = rules_of(service).per_person
    if most is None:
        return None
    return f"{service.id}:{call.id if call else ''}:{context.actor.member_id}"


async def _kept(context: Context, service: Declaration, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is known from the start: whom it concerns beside the author, and the author's group on the roster."""
    rules, member = rules_of(service), context.actor.member
    kept: dict[str, Any] = {}
    if rules.person_field and (name := str(values.get(rules.person_field) or "")):
        try:
            kept["concerned"] = [(await store.member_named(context, name)).id]
        except DomainError:
            kept["concerned"] = []  # somebody of that name may be no member, or be several: officers look at it
    if rules.listed and member:
        kept["listed"] = member.staff_id in (await eligibility.roster(context, service.id) or {})
    group = await eligibility.group_of(context, service, member) if member else ""
    return {**kept, "group": group} if group else kept


async def call_for(
    context: Context, service: Declaration, values: Mapping[str, Any], title: str = ""
) -> Offering | None:
    """The call that a form belongs to; None for a service that needs none.

    Raises DomainError: call_closed where none is open, no_call_for where none is open for this.
    """
    if not rules_of(service).call:
        return None
    calls = await store.open_calls(context, service)
    if not calls:
        raise DomainError("call_closed", service=service.short, private=service.private)
    fitting = [call for call in calls if (not title or call.title == title) and _fits(call, values)]
    if not fitting:
        names = [call.title for call in calls]
        limits = sorted({key for call in calls for key in store.spec_of(call).allows})
        field = next((key for key in limits if key in values), key_of(service, "offering"))
        raise DomainError("no_call_for", field=field, service=service.short, calls=names)
    return fitting[0]


def _fits(call: Offering, values: Mapping[str, Any]) -> bool:
    allows = store.spec_of(call).allows
    return all(key not in values or values[key] in allowed for key, allowed in allows.items())


async def room(context: Context, service: Declaration, call: Offering | None, *, lock: bool = False) -> None:
    """Raises DomainError: limit_reached, quota_full. With `lock` nobody else takes a place meanwhile."""
    rules, member = rules_of(service), context.actor.member
    key = _limit_key(context, service, call)
    if key is not None:
        query = select(Case.id).where(Case.limit_key == key)
        if (await context.session.execute(query)).first() is not None:
            raise DomainError("limit_reached", service=service.short, most=rules.per_person)
    if call is None:
        return
    spec = store.spec_of(call)
    if spec.total is None and spec.per_unit is None:
        return
    if lock:
        await lock_offering(context, call.id)
    if spec.total is not None and await store.taken(context, call) >= spec.total:
        raise DomainError("quota_full", field="offering", title=call.title, quota=spec.total, unit="")
    if spec.per_unit is not None and member is not None and member.unit_id is not None:
        used = await store.taken(context, call, member.unit_id)
        if used >= spec.per_unit:
            name = member.unit.name if member.unit else ""
            raise DomainError("quota_full", field="offering", title=call.title, quota=spec.per_unit, unit=name)


async def _materials(context: Context, service: Declaration, case: Case, fields: Mapping[str, Any]) -> None:
    for field in service.form:
        if field.type == "materials":
            keys = fields.get(field.key) or ()
            await materials.attach(
                context, keys, case.subject, field=field.key, kinds=field.kinds, max_count=field.max_count
            )


async def _begun(context: Context, service: Declaration, case: Case) -> None:
    """The first step, those who are asked, and who is invited at once."""
    rules = rules_of(service)
    await store.note(context, case, "submit", after=case.state)
    invited = str(case.fields.get(rules.seconding.field, "")) if rules.seconding else ""
    if invited:
        await seconding.invite(context, case, await effects.listed(context, invited))
    await moving.enter(context, case, case.state)
    await notices.ask(context, case)


async def _outcome(context: Context, service: Declaration, case: Case) -> Outcome:
    spoken = notices.spoken_by_officer(service, store.values(context, case))
    rules = rules_of(service)
    return Outcome(
        wording="cases.submitted_spoken" if spoken else rules.submitted,
        params={**notices.facts(context, case), "least": rules.seconding.least if rules.seconding else 0},
        subject=case.subject,
        data={"case_id": case.id, "state": case.state},
    )


async def open_from(context: Context, case: Case, service: str) -> Case:
    """A record of another service that this one opens, for its author, with what both forms have in common.

    What the other form asks for by another key is taken from this one's content. Neither call nor limit holds it back.
    """
    target = store.declared(context, service)
    rules, mine = rules_of(target), rules_of(context.catalogue[case.service])
    values = store.values(context, case)
    keys = {field.key for field in target.form}
    fields = {key: value for key, value in values.items() if key in keys}
    if rules.content_field and rules.content_field not in fields:
        fields[rules.content_field] = values.get(mine.content_field) or case.title
    form = Form(target, fields)
    opened = Case(
        service=target.id,
        member_id=case.member_id,
        unit_id=case.unit_id,
        state=rules.start,
        title="" if target.private else case.title,
        fields=form.plain,
        confidential=store.seal(context, form.confidential),
        kept={},
        parent_id=case.id,
        created_at=context.now,
        entered_at=context.now,
    )
    context.session.add(opened)
    await context.session.flush()
    await context.session.refresh(opened, ["member", "unit", "offering"])
    await store.note(context, opened, "opened", after=opened.state)
    await moving.enter(context, opened, opened.state)
    await notices.ask(context, opened)
    return opened
