"""最近有什么活动: everything that is open, by service, with what to say to sign up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.activities import store
from actions.activities.form import Form
from actions.activities.resolving import choice_of, refusal
from actions.activities.rules import rules_of, spec_of
from actions.core.commands import Outcome
from actions.core.life import Opening

if TYPE_CHECKING:
    from actions.activities.commands import ListOpen
    from actions.activities.rules import ActivitySpec
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context
    from actions.core.tables import Member, Offering

# What fits into one message of a chat, and how many of them are offered to click.
_OF_EACH, _CLICKS = 8, 8


async def list_open(_command: ListOpen, context: Context) -> Outcome:
    """Private services are left out where others read along; what the actor may not use is left out too."""
    groups: list[dict[str, Any]] = []
    options: list[dict[str, str]] = []
    for service in context.catalogue:
        if service.life != "activity" or not _may_see(context, service):
            continue
        rows = await _rows(context, service)
        if rows:
            groups.append({"service": service.short, "rows": rows[:_OF_EACH], "more": len(rows[_OF_EACH:])})
            options += [{"label": row["title"], "value": f"报名{row['title']}"} for row in rows[:2]]
    if not groups:
        return Outcome(wording="activities.none_open")
    return Outcome(wording="activities.open", params={"groups": groups}, options=options[:_CLICKS])


def _may_see(context: Context, service: Declaration) -> bool:
    if rules_of(service).action != "register" or service.elsewhere is not None:
        return False
    roles = service.who.roles
    allowed = not roles or any(context.actor.holds(role, service=service.id) for role in roles)
    return allowed and (context.actor.private or not service.private)


async def _rows(context: Context, service: Declaration) -> list[dict[str, Any]]:
    found = []
    for offering, spec, label in await _open(context, service):
        closes = spec.closes_at.isoformat() if spec.closes_at else ""
        found.append({"title": offering.title, "label": label, "closes_at": closes, "example": offering.example})
    return found


async def _open(context: Context, service: Declaration) -> list[tuple[Offering, ActivitySpec, str]]:
    """Offerings that one can sign up for now, with what they hold and how they are called."""
    offerings = await store.offerings(context, service.id)
    return [
        (offering, spec, choice_of(offering, spec, offerings).label)
        for offering, spec in ((each, spec_of(each)) for each in offerings)
        if store.signup_refusal(context, offering, spec) is None
    ]


async def openings(context: Context, service: Declaration) -> list[Opening]:
    """As structured data: with the places that are left, and why the actor cannot have one."""
    if not _may_see(context, service):
        return []
    return [await _opening(context, service, *each) for each in await _open(context, service)]


async def _opening(
    context: Context, service: Declaration, offering: Offering, spec: ActivitySpec, label: str
) -> Opening:
    member = context.actor.member
    form = Form(service, {})
    return Opening(
        offering_id=offering.id,
        service=service.id,
        title=offering.title,
        label=label,
        campus=offering.campus,
        about=spec.summary,
        starts_at=spec.starts_at,
        closes_at=spec.closes_at,
        left=await _left(context, offering, spec, member),
        example=offering.example,
        refusal=None if member is None else await refusal(context, form, offering, spec, member),
    )


async def _left(context: Context, offering: Offering, spec: ActivitySpec, member: Member | None) -> int | None:
    """Places that are left for somebody: in all, and of their unit."""
    quota, taken = spec.quota, await store.taken(context, offering.id)
    unit = member.unit.name if member is not None and member.unit else ""
    cap = None if member is None else quota.cap(unit)
    bounds = ((quota.total, len(taken.numbers)), (cap, len(taken.by_unit.get(unit, ()))))
    left = [max(0, most - gone) for most, gone in bounds if most is not None]
    return min(left, default=None)
