"""Everybody who may answer is asked to, who has not is reminded, and who called sees how it stands."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import func, select

from actions.activities import notices, store
from actions.activities.asked import answered as answered_ids
from actions.activities.asked import asking_offerings, called_as, roster_of, silent, was_called
from actions.activities.blocks import Block
from actions.activities.competition import answered
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import OPEN, Entry
from actions.blocks.answers import reminder_due
from actions.core.batches import Mailing, add_members, open_batch
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.notify import Notice, notify
from actions.core.schedules import claim
from actions.core.tables import Member, Offering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select

    from actions.activities.commands import Register
    from actions.blocks.answers import AskRules
    from actions.core.commands import Context

#: Names in one sentence of a chat.
_NAMED = 20


class Call(Command):
    """Asks everybody who has not answered, at most once a day; returns how many are told."""

    name: ClassVar[str] = "activities.call"
    offering_id: int


class Answers(Command):
    """How the answers stand: how many gave which, who is on leave and why, who has not answered."""

    name: ClassVar[str] = "activities.answers"
    offering_id: int


class Asking(Block):
    """Asks, reminds, and counts; nobody changes an answer after the end."""

    rule = "asks"

    def registrations(self) -> Sequence[Registration[Any]]:
        """Commands of who answers for the offering."""
        return (
            Registration(command=Call, handler=call, right=bound),
            Registration(command=Answers, handler=answers, right=bound),
        )

    async def check(self, context: Context, offering: Offering, command: Register) -> None:
        """Raises DomainError("answers_closed") for a change after the end."""
        del command
        closes_at = spec_of(offering).closes_at
        if closes_at is None or context.now < closes_at or store.answers_for(context, offering):
            return
        raise DomainError("answers_closed", field="offering", title=offering.title, closed_at=closes_at)

    async def sweep(self, context: Context) -> int:
        """Reminds who has not answered, once before each end, where they were asked."""
        done = 0
        for offering in await asking_offerings(context):
            rules, closes_at = rules_of(context.catalogue[offering.service]).asks, spec_of(offering).closes_at
            if rules is None or closes_at is None or offering.state != "open":
                continue
            due = reminder_due(closes_at, rules.remind_hours, context.now)
            if due and await was_called(context, offering):
                done += await claim(context, f"remind:{offering.id}", closes_at) and bool(
                    await _tell_silent(context, offering, rules.reminder, rules, expires=closes_at)
                )
        return done


async def _tell_silent(
    context: Context, offering: Offering, wording: str, rules: AskRules, *, expires: datetime | None
) -> int:
    """Tells everybody who has not answered; of a private service nothing that gives it away."""
    service = context.catalogue[offering.service]
    facts = notices.offering_facts(context, offering)
    if service.private:
        facts |= {"service": "", "title": "", "place": "", "note": "", "sessions": []}
    said = () if service.private else rules.answers
    choices = [{"label": one.label, "value": one.says.format(**facts)} for one in said]
    mailing = Mailing(
        title=offering.title,
        wording=wording,
        params=facts,
        options=choices,
        kind="service",
        subject=f"offering:{offering.id}",
        expires=expires,
    )
    batch = await open_batch(context, mailing)
    return await add_members(context, batch, silent(context, service, offering))


async def _asking(context: Context, offering_id: int) -> tuple[Offering, AskRules]:
    """An offering whose people are asked, of who answers for it. Raises DomainError("not_found"), ForbiddenError."""
    offering = await answered(context, offering_id)
    rules = rules_of(context.catalogue[offering.service]).asks
    if rules is None or roster_of(context, offering) is None:
        raise DomainError("not_found")
    return offering, rules


async def call(command: Call, context: Context) -> Outcome:
    """Raises DomainError: not_found, the reasons why nobody can answer now, called_today; ForbiddenError."""
    offering, rules = await _asking(context, command.offering_id)
    spec = spec_of(offering)
    if (refusal := store.signup_refusal(context, offering, spec)) is not None:
        raise refusal
    today = context.now.replace(hour=0, minute=0, second=0, microsecond=0)
    if not await claim(context, called_as(offering), today):
        raise DomainError("called_today", title=offering.title)
    told = await _tell_silent(context, offering, rules.invitation, rules, expires=spec.closes_at or spec.starts_at)
    params = {"title": offering.title, "told": told}
    return Outcome(wording="asking.called", params=params, subject=f"offering:{offering.id}", data=params)


async def answers(command: Answers, context: Context) -> Outcome:
    """Raises DomainError("not_found"), ForbiddenError."""
    offering, _rules = await _asking(context, command.offering_id)
    service = context.catalogue[offering.service]
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state.in_(OPEN)).order_by(Entry.id)
    entries = await store.rows(context, query)
    missing = silent(context, service, offering)
    count = await _count(context, missing)
    named = select(Member.name).where(Member.id.in_(missing)).order_by(Member.staff_id).limit(_NAMED)
    names = list((await context.session.execute(named)).scalars())
    params = {
        "id": offering.id,
        "title": offering.title,
        "answered": await _count(context, answered_ids(offering)),
        "counts": _counts(service.form, entries),
        "excused": [_excused(context, entry) for entry in entries if entry.state == "excused"],
        "missing": count,
        "names": names,
    }
    options = [{"label": "催办表", "value": f"催办 offering:{offering.id}"}] if count else []
    return Outcome(
        wording="asking.answers", params=params, subject=f"offering:{offering.id}", data=params, options=options
    )


async def _count(context: Context, members: Select[int]) -> int:
    return (await context.session.execute(select(func.count()).select_from(members.subquery()))).scalar_one()


def _counts(form: Sequence[Any], entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """How often each answer was given, by question; only questions with given answers are counted."""
    rows = []
    for field in form:
        if field.type not in ("choice", "option") or field.confidential:
            continue
        given = Counter(str(entry.fields[field.key]) for entry in entries if entry.fields.get(field.key))
        rows.append({"label": field.label, "values": [list(pair) for pair in given.most_common()]})
    return [row for row in rows if row["values"]]


def _excused(context: Context, entry: Entry) -> dict[str, str]:
    return {"name": entry.member.name, "reason": reason_of(context, entry)}


def reason_of(context: Context, entry: Entry) -> str:
    """Why somebody is on leave, for who called."""
    leave = rules_of(context.catalogue[entry.service]).leave
    if leave is None or not leave.reason_field:
        return ""
    sealed: Mapping[str, Any] = context.vault.open(entry.confidential, about="activity") if entry.confidential else {}
    return str(sealed.get(leave.reason_field) or entry.fields.get(leave.reason_field) or "")


class Leave(Block):
    """An answer that takes no place; who called is told of it, with the reason."""

    rule = "leave"

    async def check(self, context: Context, offering: Offering, command: Register) -> None:
        """Raises DomainError("leave_reason") for leave without a reason, where one is asked for."""
        leave = rules_of(context.catalogue[offering.service]).leave
        if leave is None or command.fields.get(leave.field) != leave.value or not leave.reason_field:
            return
        given = {**command.fields, **command.confidential}
        if not str(given.get(leave.reason_field) or "").strip():
            raise DomainError("leave_reason", field=leave.reason_field, title=offering.title, answer=leave.value)

    async def aside(self, context: Context, entry: Entry) -> str:
        """`excused` for the answer that the rule names."""
        leave = rules_of(context.catalogue[entry.service]).leave
        if leave is None or entry.fields.get(leave.field) != leave.value:
            return ""
        await self._tell_owner(context, entry)
        return "excused"

    async def _tell_owner(self, context: Context, entry: Entry) -> None:
        owner, actor = entry.offering.owner_id, context.actor.member
        if owner is None or (actor is not None and actor.id == owner):
            return
        params = {**notices.facts(context, entry), "reason": reason_of(context, entry)}
        await notify(context, Notice(member_id=owner, wording="asking.on_leave", params=params, subject=entry.subject))
