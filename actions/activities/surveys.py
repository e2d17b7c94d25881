"""Surveys: the questions of an offering asked in chat, answered by name or without it; counted once, after the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from sqlalchemy import delete, func, select

from actions.activities import people, resolving, store
from actions.activities.asked import asked
from actions.activities.blocks import Block
from actions.activities.commands import Register
from actions.activities.counting import Count, ShowResults, shuffled
from actions.activities.rules import rules_of, spec_of
from actions.activities.survey_tables import Dropped, Urn
from actions.activities.tables import OPEN, Entry
from actions.blocks.questionnaire import FIELD, fault, fields, keyed
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.offerings import lock_offering
from actions.core.tables import Member, Offering

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from actions.activities.competition import Say
    from actions.activities.form import Form
    from actions.activities.rules import ActivitySpec
    from actions.blocks.materials_made import Shelf
    from actions.blocks.questionnaire import QuestionnaireRules
    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Context
    from actions.core.life import Choice


class Drop(Command):
    """Answers a survey without a name: `answers` by the title of the question. It cannot be found or changed again."""

    name: ClassVar[str] = "surveys.drop"
    service: str
    offering_id: int
    answers: dict[str, Any] = Field(default_factory=dict)


class Surveys(Block):
    """Asks what the chosen offering asks, and keeps the answers as the member wishes."""

    rule = "questionnaire"

    def __init__(self, say: Say | None = None, shelf: Shelf | None = None) -> None:
        """Without a shelf results are told in chat alone; `say` renders a sentence of data/responses."""
        self._count = Count(say, shelf)

    def registrations(self) -> Sequence[Registration[Any]]:
        """What is dropped into the urn is audited under a pseudonym."""
        return (
            Registration(command=Drop, handler=drop, right=bound, private=lambda *_: True),
            Registration(command=ShowResults, handler=self._count.show, right=bound),
        )

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Raises DomainError("answer_in_private") where others read along."""
        if not context.actor.private:
            raise DomainError("answer_in_private", service=service.short)
        return {}

    async def resolve(self, context: Context, form: Form, changed: Iterable[str]) -> None:
        """The further questions. Raises DomainError: dropped_already, survey_counted, no_questions."""
        del changed
        offering = await resolving.chosen(context, form)
        if offering is None or form.rules.questionnaire is None:
            return
        member, rules, spec = context.actor.member, form.rules.questionnaire, spec_of(offering)
        await _refuse_answered(context, offering, field=form.offering_key)
        named = member is not None and await store.own_entry(context, offering.id, member.id) is not None
        asked_now = [offering.id, *(question.title for question in spec.questions)]
        if form.values.get("questions_of") != asked_now:
            # Another survey, or its questions were changed while this one lay aside.
            for key in [key for key in form.values if key.startswith(FIELD)]:
                del form.values[key]
        form.values |= {"questions_of": asked_now, "may_hide": spec.anonymous and not named}
        form.further = fields(spec.questions, rules.texts, hidden=_hides(form))

    async def choices(self, context: Context, form: Form, field: FormField) -> tuple[Choice, ...] | None:
        """The surveys that are still to be answered. Raises DomainError("all_answered")."""
        if field.key != form.offering_key:
            return None
        every = await resolving.offered(context, form)
        query = select(Offering.title).join(Dropped, Dropped.offering_id == Offering.id)
        mine = query.where(Dropped.member_id == context.actor.member_id, Offering.service == form.service.id)
        done = set((await context.session.execute(mine)).scalars())
        left = tuple(choice for choice in every if choice.value.partition("@")[0] not in done)
        if not left:
            raise DomainError("all_answered")
        return left

    def command(self, form: Form) -> Command | None:
        """The answers by title: with the member's entry, or dropped into the urn."""
        asked_of = {item.key: item.label for item in form.service.form if item.key.startswith(FIELD)}
        answers = {title: form.values[key] for key, title in asked_of.items() if form.values.get(key)}
        where = {"service": form.service.id, "offering_id": form.values["activity_id"]}
        if _hides(form):
            return Drop(**where, answers=answers)
        return Register(**where, fields=form.plain, confidential=answers)

    async def check(self, context: Context, offering: Offering, command: Register) -> None:
        """Raises DomainError: survey_counted, dropped_already, answer_yourself, answer_missing."""
        await _refuse_answered(context, offering, field="offering")
        if command.people or not command.confidential:
            raise DomainError("answer_yourself", title=offering.title)
        _refuse_faults(spec_of(offering), command.confidential)

    async def edited(self, context: Context, offering: Offering, before: Mapping[str, Any]) -> None:
        """Raises DomainError("questions_answered") where questions are changed that somebody has answered."""
        if before.get("questions") == offering.spec.get("questions"):
            return
        answered = select(func.count()).where(Entry.offering_id == offering.id, Entry.state.in_(OPEN))
        dropped = select(func.count()).where(Dropped.offering_id == offering.id)
        counts = [(await context.session.execute(query)).scalar_one() for query in (answered, dropped)]
        if any(counts):
            raise DomainError("questions_answered", title=offering.title)

    async def sweep(self, context: Context) -> int:
        """Answers that nobody counted go with the retention of their service, or with a survey that was cancelled."""
        done = 0
        query = select(Urn, Offering).join(Offering, Offering.id == Urn.offering_id)
        for urn, offering in (await context.session.execute(query)).all():
            service = context.catalogue[offering.service]
            ended = urn.counted_at or spec_of(offering).closes_at
            days = service.retention_days
            over = days is not None and ended is not None and ended + timedelta(days=days) <= context.now
            if over or offering.state == "cancelled":
                await context.session.execute(delete(Dropped).where(Dropped.offering_id == offering.id))
                await context.session.delete(urn)
                done += 1
        return done


def _hides(form: Form) -> bool:
    """Whether the member answers without their name."""
    rules: QuestionnaireRules | None = form.rules.questionnaire
    return rules is not None and bool(form.values.get("may_hide")) and form.values.get(rules.way_field) == rules.hidden


async def _refuse_answered(context: Context, offering: Offering, *, field: str) -> None:
    """Nothing comes in after the count, and nobody answers twice."""
    urn = await context.session.get(Urn, offering.id)
    if urn is not None and urn.counted_at is not None:
        raise DomainError("survey_counted", field=field, title=offering.title)
    if await context.session.get(Dropped, (offering.id, context.actor.member_id)) is not None:
        raise DomainError("dropped_already", field=field, title=offering.title)


def _refuse_faults(spec: ActivitySpec, answers: Mapping[str, Any]) -> None:
    wrong = fault(spec.questions, answers)
    if wrong:
        key = next((key for key, question in keyed(spec.questions) if question.title == wrong), "")
        raise DomainError("answer_missing", field=key, question=wrong)


async def drop(command: Drop, context: Context) -> Outcome:
    """Raises DomainError: not_found, the reasons why nobody can answer now, may_not_join, survey_counted, already_in,
    dropped_already, answer_missing.
    """
    service = store.declared(context, command.service)
    offering = await lock_offering(context, command.offering_id)
    rules = rules_of(service).questionnaire
    if offering is None or offering.service != service.id or rules is None or not spec_of(offering).anonymous:
        raise DomainError("not_found")
    await store.alone(context)
    spec, member = spec_of(offering), await context.session.get_one(Member, context.actor.member_id)
    if (refusal := store.signup_refusal(context, offering, spec)) is not None:
        raise refusal
    await people.refuse_ineligible(context, service, offering, spec, [member])
    await _refuse_answered(context, offering, field="offering")
    await people.refuse_taken(context, service, offering, [member])
    if await store.own_entry(context, offering.id, member.id) is not None:
        raise DomainError("already_in", field="offering", title=offering.title, name=member.name, state="registered")
    _refuse_faults(spec, command.answers)
    context.session.add(Dropped(offering_id=offering.id, member_id=member.id))
    await _drop(context, offering, {"unit": await _unit_of(context, service, spec, member), "answers": command.answers})
    closes_at: datetime | None = spec.closes_at
    params = {"title": offering.title, "closes_at": closes_at}
    return Outcome(wording="survey.dropped", params=params, subject=f"offering:{offering.id}")


async def _unit_of(context: Context, service: Declaration, spec: ActivitySpec, member: Member) -> str:
    """The unit that an answer is counted for: none where so few are asked there that it would tell who they are."""
    rules = rules_of(service).questionnaire
    if rules is None or member.unit is None:
        return ""
    beside = select(func.count()).where(Member.id.in_(asked(context, service, spec)), Member.unit_id == member.unit_id)
    return member.unit.name if (await context.session.execute(beside)).scalar_one() >= rules.least else ""


async def _drop(context: Context, offering: Offering, answer: Mapping[str, Any]) -> None:
    """Puts an answer among the others, at no place that could be told, for those who are alone."""
    urn = await context.session.get(Urn, offering.id, populate_existing=True)
    if urn is None:
        urn = Urn(offering_id=offering.id)
        context.session.add(urn)
    lying = context.vault.open(urn.answers, about="activity") if urn.answers else []
    urn.answers = context.vault.seal(shuffled([*lying, dict(answer)]), about="activity")
    await context.session.flush()
