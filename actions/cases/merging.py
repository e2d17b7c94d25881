"""Merging (并案): one record goes on for both; the author of the other is credited, and hears of every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from actions.cases import moving, notices, store
from actions.cases.form import rules_of
from actions.cases.tables import Case
from actions.core.commands import Outcome
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from actions.cases.commands import Merge
    from actions.core.commands import Context


async def merge(command: Merge, context: Context) -> Outcome:
    """Raises DomainError: case_gone, cannot_merge (another service, over, itself); ForbiddenError."""
    first, second = sorted((command.case_id, command.into))
    rows = {number: await store.find(context, number) for number in (first, second)}
    case, into = rows[command.case_id], rows[command.into]
    for row in (case, into):
        await store.require_officer(context, row)
    rules = rules_of(context.catalogue[case.service])
    possible = rules.merge and case.service == into.service and case is not into
    if not possible or moving.ended(context, case) or moving.ended(context, into) or case.merged_id:
        raise DomainError("cannot_merge")
    case.merged_id = into.id
    await context.session.execute(update(Case).where(Case.merged_id == case.id).values(merged_id=into.id))
    names = [*into.kept.get("credited", ()), case.member.name]
    into.kept = {**into.kept, "credited": list(dict.fromkeys(names))}
    await store.note(context, case, "merge", into.title, before=case.state, after=rules.merge)
    await store.note(context, into, "merge", case.title)
    await moving.enter(context, case, rules.merge)
    await notices.ask(context, case)
    await notices.tell(context, case, case.member_id, "cases.merged_into", into=into.title)
    await notices.tell(context, into, into.member_id, "cases.merged_here", other=case.title, name=case.member.name)
    params = {**notices.facts(context, case), "into": into.title}
    return Outcome(wording="cases.merged", params=params, subject=case.subject)
