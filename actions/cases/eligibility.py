"""Who may submit and second: by the roster of the open term, or by a tag of the member record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.cases import store
from actions.cases.form import rules_of
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context
    from actions.core.tables import Member


async def roster(context: Context, service: str) -> dict[str, str] | None:
    """工号 -> group of everybody on the rosters that are in force; None where none is kept."""
    if service not in context.catalogue:
        return None
    terms = [store.spec_of(row) for row in await store.open_calls(context, context.catalogue[service])]
    kept = [spec for spec in terms if spec.people]
    return {one.staff_id: one.group for spec in kept for one in spec.people} if kept else None


async def is_eligible(context: Context, service: Declaration, member: Member) -> bool:
    """Whether a member may submit a record of the service, or second one."""
    rule = rules_of(service).eligible
    if rule is None:
        return True
    if member.status == "left":
        return False
    listed = await roster(context, rule.roster) if rule.roster else None
    return member.staff_id in listed if listed is not None else bool(set(rule.tags) & set(member.tags))


async def group_of(context: Context, service: Declaration, member: Member) -> str:
    """The group that a member belongs to on the roster (代表团); empty where there is none."""
    rule = rules_of(service).eligible
    listed = await roster(context, rule.roster) if rule and rule.roster else None
    return (listed or {}).get(member.staff_id, "")


async def require(context: Context, service: Declaration) -> None:
    """Raises DomainError with the code of the service's own refusal where the actor may not submit."""
    rule = rules_of(service).eligible
    member = context.actor.member
    if rule is None or member is None or await is_eligible(context, service, member):
        return
    raise DomainError(rule.refusal, service=service.short)
