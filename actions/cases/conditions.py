"""Conditions that a move may need (`needs:` in a declaration). Each raises DomainError where it does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.cases.form import rules_of
from actions.cases.tables import CaseObjection, CaseSecond
from actions.core.errors import DomainError
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from actions.cases.tables import Case
    from actions.core.commands import Context


async def seconds(context: Context, case: Case) -> None:
    """Enough members second it. Raises DomainError("too_few_seconds")."""
    rule = rules_of(context.catalogue[case.service]).seconding
    query = select(func.count()).where(CaseSecond.case_id == case.id, CaseSecond.state == "seconded")
    found = (await context.session.execute(query)).scalar_one()
    if rule is not None and found < rule.least:
        raise DomainError("too_few_seconds", found=found, least=rule.least)


async def no_objections(context: Context, case: Case) -> None:
    """Every objection is settled. Raises DomainError("objections_open")."""
    query = select(func.count()).where(CaseObjection.case_id == case.id, CaseObjection.state == "open")
    found = (await context.session.execute(query)).scalar_one()
    if found:
        raise DomainError("objections_open", count=found)


async def period_over(context: Context, case: Case) -> None:
    """The period of the state is over. Raises DomainError("period_not_over")."""
    if case.due_at is not None and context.now < case.due_at:
        raise DomainError("period_not_over", until=local(case.due_at))


async def checklist(context: Context, case: Case) -> None:
    """Every line of the checklist is there. Raises DomainError("checklist_open")."""
    rule = rules_of(context.catalogue[case.service]).checklist
    done = case.kept.get("ticked", {})
    missing = [step.title for step in (rule.steps if rule else ()) if step.key not in done]
    if missing:
        raise DomainError("checklist_open", missing=missing)


NEEDS: Mapping[str, Callable[[Context, Case], Awaitable[None]]] = {
    "seconds": seconds,
    "no_objections": no_objections,
    "period_over": period_over,
    "checklist": checklist,
}
