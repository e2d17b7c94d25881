"""Seconding (附议): the author invites, whoever was invited says yes or no, and may take a yes back in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.cases import commands as c
from actions.cases import eligibility, notices, store
from actions.cases.form import rules_of
from actions.cases.tables import Case, CaseSecond
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, Option, cancel_notices, notify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.cases.rules import Seconding
    from actions.core.commands import Context
    from actions.core.tables import Member


_SAID = {
    "seconded": "cases.second_seconded",
    "declined": "cases.second_declined",
    "withdrawn": "cases.second_withdrawn",
}


def rule_of(context: Context, case: Case) -> Seconding:
    """The rule of a record's service. Raises DomainError("no_such_move") where it knows no seconding."""
    rule = rules_of(context.catalogue[case.service]).seconding
    if rule is None:
        raise DomainError("no_such_move", known="")
    return rule


async def invite(context: Context, case: Case, members: Sequence[Member]) -> list[str]:
    """Invites members, each once; who declined before may be asked again. Returns the names of who is asked.

    Raises DomainError: own_record, not_eligible_other (somebody who may not second), too_many_invited.
    """
    rule, service = rule_of(context, case), context.catalogue[case.service]
    known = {row.member_id: row for row in await of(context, case)}
    asked = []
    for member in members:
        if member.id == case.member_id:
            raise DomainError("own_record")
        if not await eligibility.is_eligible(context, service, member):
            raise DomainError("not_eligible_other", name=member.name, service=service.short)
        row = known.get(member.id)
        if row is not None and row.state in ("invited", "seconded"):
            continue
        asked.append(member)
    if len(known) + len(asked) > rule.most:
        raise DomainError("too_many_invited", most=rule.most)
    for member in asked:
        await _invite_one(context, case, member, known.get(member.id))
    return [member.name for member in members]


async def _invite_one(context: Context, case: Case, member: Member, row: CaseSecond | None) -> None:
    if row is None:
        row = CaseSecond(case_id=case.id, member_id=member.id, invited_at=context.now)
        context.session.add(row)
    row.state, row.invited_at, row.answered_at = "invited", context.now, None
    await context.session.flush()
    options = (
        Option(label="附议这一件", command=c.Second(second_id=row.id)),
        Option(label="不附议", command=c.Second(second_id=row.id, agreed=False)),
    )
    service = context.catalogue[case.service]
    params = {**notices.facts(context, case), "rows": notices.rows(service, case.fields)}
    notice = Notice(
        member_id=member.id, wording="cases.second_wanted", params=params, subject=row.subject, options=options
    )
    await notify(context, notice)


async def of(context: Context, case: Case) -> Sequence[CaseSecond]:
    """All invitations of a record, in order."""
    query = select(CaseSecond).where(CaseSecond.case_id == case.id).order_by(CaseSecond.id)
    return (await context.session.execute(query)).unique().scalars().all()


async def second(command: c.Second, context: Context) -> Outcome:
    """Raises DomainError: case_gone, own_record, seconding_over, already_seconded; ForbiddenError for the uninvited."""
    row = await context.session.get(CaseSecond, command.second_id)
    if row is None:
        raise DomainError("case_gone")
    if row.member_id != context.actor.member_id:
        raise ForbiddenError
    case = await store.find(context, row.case_id)
    await context.session.refresh(row)
    rule = rule_of(context, case)
    if case.state not in rule.at:
        raise DomainError("seconding_over", title=case.title)
    await eligibility.require(context, context.catalogue[case.service])
    wanted = "withdrawn" if command.withdrawn else "seconded" if command.agreed else "declined"
    if row.state == wanted or (wanted == "withdrawn" and row.state != "seconded"):
        raise DomainError("already_seconded", title=case.title, state=row.state)
    row.state, row.answered_at = wanted, context.now
    await context.session.flush()
    await cancel_notices(context, row.subject)
    seconded = sum(each.state == "seconded" for each in await of(context, case))
    await _tell_proposer(context, case, row, seconded, rule.least)
    params = {**notices.facts(context, case), "seconded": seconded, "least": rule.least}
    return Outcome(wording=_SAID[wanted], params=params, subject=row.subject)


async def _tell_proposer(context: Context, case: Case, row: CaseSecond, seconded: int, least: int) -> None:
    params: dict[str, Any] = {"name": row.member.name, "answer": row.state, "seconded": seconded, "least": least}
    await notices.tell(context, case, case.member_id, "cases.second_answered", **params)


async def close(context: Context, case: Case) -> None:
    """The record has gone up or is over: invitations that nobody answered are taken back."""
    for row in await of(context, case):
        if row.state == "invited":
            await cancel_notices(context, row.subject)


async def open_to(context: Context, member_id: int, service: str) -> list[CaseSecond]:
    """Invitations of a service that wait for a member's answer."""
    query = (
        select(CaseSecond)
        .join(Case, Case.id == CaseSecond.case_id)
        .where(CaseSecond.member_id == member_id, CaseSecond.state == "invited", Case.service == service)
        .order_by(CaseSecond.id)
    )
    rows = (await context.session.execute(query)).unique().scalars()
    return [row for row in rows if row.case.state in rule_of(context, row.case).at]
