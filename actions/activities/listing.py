"""最近有什么活动: everything that is open, by service, with what to say to sign up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.activities import store
from actions.activities.resolving import choice_of
from actions.activities.rules import rules_of, spec_of
from actions.core.commands import Outcome

if TYPE_CHECKING:
    from actions.activities.commands import ListOpen
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

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
    offerings = await store.offerings(context, service.id)
    for offering in offerings:
        spec = spec_of(offering)
        if store.signup_refusal(context, offering, spec) is None:
            closes = spec.closes_at.isoformat() if spec.closes_at else ""
            label = choice_of(offering, spec, offerings).label
            found.append({"title": offering.title, "label": label, "closes_at": closes, "example": offering.example})
    return found
