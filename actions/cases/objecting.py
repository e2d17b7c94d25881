"""Publicity (公示): objections in the period, each to one body; who objects is told to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.cases import notices, store
from actions.cases.form import rules_of
from actions.cases.tables import Case, CaseObjection
from actions.core.commands import Outcome, holders
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, notify

if TYPE_CHECKING:
    from actions.cases.commands import Object, Settle
    from actions.cases.rules import Publicity
    from actions.core.commands import Context

_ABOUT = "objection"


def _rule(context: Context, case: Case) -> Publicity:
    rule = rules_of(context.catalogue[case.service]).publicity
    if rule is None:
        raise DomainError("not_publicised")
    return rule


async def object_(command: Object, context: Context) -> Outcome:
    """Raises DomainError: case_gone, not_publicised, no_such_body."""
    case = await store.find(context, command.case_id)
    rule = _rule(context, case)
    if case.state != rule.state:
        raise DomainError("not_publicised")
    role = rule.bodies.get(command.body)
    if role is None:
        raise DomainError("no_such_body", known="、".join(rule.bodies))
    said = {"words": command.reason, "member_id": context.actor.member.id if context.actor.member else None}
    row = CaseObjection(case_id=case.id, body=command.body, said=context.vault.seal(said, about=_ABOUT), at=context.now)
    context.session.add(row)
    await context.session.flush()
    for member in await holders(context.session, role, service=case.service):
        if member.id not in store.concerned(case):
            params = {**notices.pushed(context, case), "body": command.body, "number": row.id}
            wording = "cases.objection_came"
            await notify(context, Notice(member_id=member.id, wording=wording, params=params, subject=case.task))
    return Outcome(
        wording="cases.objection_kept", params={"body": command.body, "number": row.id}, subject=case.subject
    )


async def settle(command: Settle, context: Context) -> Outcome:
    """What was found; the words that were said stay with the body. Raises DomainError: case_gone; ForbiddenError."""
    row = await context.session.get(CaseObjection, command.objection_id)
    if row is None or row.state != "open":
        raise DomainError("case_gone")
    case = await store.find(context, row.case_id)
    role = _rule(context, case).bodies.get(row.body, "administrator")
    actor = context.actor
    withdrawn = actor.member is not None and actor.member.id in store.concerned(case)
    if withdrawn or not actor.holds(role, service=case.service):
        raise ForbiddenError
    said = context.vault.open(row.said, about=_ABOUT)
    row.state, row.finding = "settled", context.vault.seal(command.reason, about=_ABOUT)
    if said["member_id"] is not None:
        await notices.tell(context, case, said["member_id"], "cases.objection_settled", words=command.reason)
    return Outcome(wording="cases.settled", params={"number": row.id, "said": said["words"]}, subject=case.subject)
