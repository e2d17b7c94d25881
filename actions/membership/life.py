"""Membership as the dialogue sees it, and all of its commands with their rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.core.catalogue import NoRules
from actions.core.commands import Registration, anyone, bound
from actions.core.errors import DomainError
from actions.membership import (
    accounts,
    binding,
    importing,
    invites,
    passwords,
    preferring,
    proof,
    requests,
    roles,
    sso,
    tries,
)
from actions.membership import commands as c
from actions.membership.rules import OFFICERS, Form, MembershipRules, rules_of, service_of
from actions.membership.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from actions.core.catalogue import Declaration
    from actions.core.commands import Command, Context
    from actions.core.life import Choice, Resolved
    from actions.core.tables import Offering


class Membership:
    """Who an account belongs to."""

    name = "membership"
    rules = MembershipRules
    spec = NoRules

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of membership. Rights that depend on the member concerned are checked in the handler."""
        officer, administrator = _one_of(*OFFICERS), _one_of("administrator")
        return (
            Registration(command=c.Bind, handler=binding.bind, right=anyone, private=_always),
            Registration(command=sso.BindBySso, handler=sso.bind_by_sso, right=sso.proved, private=_always),
            Registration(command=c.PreferChannel, handler=preferring.prefer, right=bound, private=_always),
            Registration(command=c.ApproveBinding, handler=binding.approve, right=bound, private=_always),
            Registration(command=c.RefuseBinding, handler=binding.refuse, right=bound, private=_always),
            Registration(command=c.Unbind, handler=accounts.unbind, right=bound, private=_always),
            Registration(command=c.Leave, handler=accounts.leave, right=officer),
            Registration(command=c.GrantRole, handler=roles.grant_role, right=administrator),
            Registration(command=c.RevokeRole, handler=roles.revoke_role, right=administrator),
            Registration(command=c.CreateUnit, handler=roles.create_unit, right=officer),
            Registration(command=c.IssueInvites, handler=invites.issue, right=officer),
            Registration(command=c.ImportRoster, handler=importing.import_roster, right=officer),
            Registration(command=c.CreateAdministrator, handler=roles.create_administrator, right=administrator),
            Registration(command=c.SetPassword, handler=passwords.set_password, right=bound),
        )

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Fact `verification`. Raises DomainError: already_bound, binding_locked, binding_waiting."""
        if context.actor.member is not None:
            raise DomainError("already_bound", member=context.actor.member.name)
        rules = rules_of(service)
        counted = await tries.take(context, rules, tries.account_key(context))
        if counted.left == 0:
            raise counted.locked()
        request = await requests.current(context)
        if request is not None and request.state == "pending" and not request.quiet:
            raise DomainError("binding_waiting")
        return {"verification": rules.verification}

    async def resolve(
        self, context: Context, service: Declaration, values: Mapping[str, Any], changed: Iterable[str]
    ) -> Resolved:
        """Takes the proof, and counts what is wrong."""
        del changed
        return await proof.take_proof(context, Form(service, values))

    async def choices(
        self, context: Context, service: Declaration, values: Mapping[str, Any], key: str
    ) -> tuple[Choice, ...]:
        """None: every question is open."""
        del context, service, values, key
        return ()

    async def hold(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Nothing is scarce here."""
        del context, service, values
        return {}

    async def release(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
        """Nothing was held; a code that was sent ends with its time."""
        del context, service, values

    def commit(self, service: Declaration, values: Mapping[str, Any]) -> Command:
        """Bind."""
        return c.Bind(staff_id=Form(service, values).staff_id)

    async def offering_cancelled(self, context: Context, offering: Offering) -> int:
        """There are no offerings of membership."""
        del context, offering
        return 0

    async def sweep(self, context: Context) -> int:
        """What falls due by itself."""
        return await sweep(context)


def _always(_command: Any, _context: Context) -> bool:
    return True


def _one_of(*names: str) -> Callable[[Any, Context], Awaitable[bool]]:
    """Right: one of the roles, for membership or for all services, and for all units."""

    async def check(_command: Command, context: Context) -> bool:
        service = service_of(context.catalogue)
        return any(context.actor.holds(name, service=service) for name in names)

    return check
