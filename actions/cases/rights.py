"""Rights that a command's arguments decide, and whose audit hides who acted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.cases.store import PRIVATE

if TYPE_CHECKING:
    from actions.core.commands import Context

_OFFICERS = ("union_officer", "administrator")


async def answers_for(command: Any, context: Context) -> bool:
    """An officer of the union; of a private service a named reviewer."""
    if command.service not in context.catalogue:
        return context.actor.member is not None
    service = context.catalogue[command.service]
    roles = ("reviewer",) if service.private else _OFFICERS
    return any(context.actor.holds(role, service=service.id) for role in roles)


def of_service(command: Any, context: Context) -> bool:
    """Whether the command's service is private."""
    return command.service in context.catalogue and context.catalogue[command.service].private


def always(_command: Any, _context: Context) -> bool:
    """Who asks is nobody else's to know: that they have a private record would be told by it."""
    return True


def is_private(_command: Any, context: Context) -> bool:
    """Whether a private record was at hand in this unit of work (see `store.find`)."""
    return bool(context.session.info.get(PRIVATE))
