"""Typed commands and the bus: right, handler, audit, in the unit of work that the caller opened.

Whatever changes the union's records is a command. Chat, HTTP, the command line, the console and the clock all send
the same ones, so a right is checked in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import select

from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Audit, Member, RoleGrant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.catalogue import Catalogue, Declaration
    from actions.core.database import Database
    from actions.core.life import Life, Records
    from actions.core.vault import Vault

ROLES = (
    "member",
    "unit_officer",
    "union_officer",
    "counsellor",
    "club_leader",
    "reviewer",
    "administrator",
)


class Command(BaseModel):
    """A change that somebody asks for. Subclasses name themselves ("appointments.book") and list their arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A role held, for one service and unit or (empty, None) for all."""

    role: str
    service: str = ""
    unit_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts. `member` is None for somebody not bound; `system` is the clock and the operator at the machine."""

    member: Member | None = None
    grants: frozenset[Grant] = frozenset()
    system: bool = False
    channel: str = ""
    account: str = ""
    sender: str = ""
    private: bool = True

    @property
    def member_id(self) -> int:
        """Id of the bound member. Raises DomainError("not_bound") for others."""
        if self.member is None:
            raise DomainError("not_bound")
        return self.member.id

    def holds(self, role: str, *, service: str = "", unit_id: int | None = None) -> bool:
        """True where a grant of `role` covers the service and the unit. Nobody who left holds a role."""
        if self.system:
            return True
        if self.member is None or self.member.status == "left":
            return False
        return any(
            grant.role == role and grant.service in ("", service) and grant.unit_id in (None, unit_id)
            for grant in self.grants
        )


SYSTEM = Actor(system=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a handler works with: the open transaction, who acts, when, and the house's fixed parts."""

    session: AsyncSession
    actor: Actor
    now: datetime
    database: Database
    catalogue: Catalogue
    vault: Vault
    bus: Bus
    lives: Mapping[str, Life]
    records: tuple[Records, ...]

    def acting_as(self, actor: Actor) -> Context:
        """The same unit of work on behalf of somebody else (the clock, a follow-up step)."""
        return replace(self, actor=actor)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a command did: the sentence that tells it, its parameters, and the record it is about.

    `more` are further sentences (key, parameters), `options` answers to click ({"label", "value"}).
    """

    wording: str
    params: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    more: Sequence[tuple[str, Mapping[str, Any]]] = ()
    options: Sequence[Mapping[str, str]] = ()


C_contra = TypeVar("C_contra", bound=Command, contravariant=True)
C = TypeVar("C", bound=Command)


class Handler(Protocol[C_contra]):
    """Runs a command in the caller's unit of work."""

    async def __call__(self, command: C_contra, context: Context, /) -> Outcome:
        """Raises DomainError where a rule refuses."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration(Generic[C]):
    """A command with its handler and the right it asks for. `private` ones are audited under a pseudonym."""

    command: type[C]
    handler: Handler[C]
    right: Callable[[C, Context], Awaitable[bool]]
    private: Callable[[C, Context], bool] = lambda _command, _context: False


def not_for(actor: Actor, service: Declaration) -> DomainError | None:
    """Why a service is not for somebody; None where it is."""
    who, member = service.who, actor.member
    if who.bound and (member is None or member.status not in who.status):
        return ForbiddenError("not_for_you", service=service.short) if member else DomainError("not_bound")
    unit = member.unit_id if member else None
    if who.roles and not any(actor.holds(role, service=service.id, unit_id=unit) for role in who.roles):
        return ForbiddenError("not_for_you", service=service.short)
    return None


class Bus:
    """All commands by name."""

    def __init__(self, registrations: Iterable[Registration[Any]]) -> None:
        """Raises ValueError where two commands share a name."""
        self._registrations: dict[str, Registration[Any]] = {}
        for registration in registrations:
            name = registration.command.name
            if name in self._registrations:
                message = f"two commands are named {name}"
                raise ValueError(message)
            self._registrations[name] = registration

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all commands, sorted."""
        return tuple(sorted(self._registrations))

    def command(self, name: str, arguments: Mapping[str, Any]) -> Command:
        """Builds a command from JSON arguments. Raises DomainError for an unknown name or a wrong argument."""
        registration = self._registrations.get(name)
        if registration is None:
            raise DomainError("unknown_command", command=name, known=", ".join(self.names))
        try:
            command: Command = registration.command.model_validate(dict(arguments))
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise DomainError("bad_arguments", command=name, faults=faults) from error
        return command

    async def allows(self, command: Command, context: Context) -> bool:
        """Whether the actor holds the right that a command asks for. Raises DomainError("not_bound") as rights do."""
        return context.actor.system or await self._registrations[command.name].right(command, context)

    async def execute(self, command: Command, context: Context) -> Outcome:
        """Checks the right, runs the handler, writes the audit entry. Raises DomainError; the caller commits."""
        registration = self._registrations[command.name]
        if not await self.allows(command, context):
            raise ForbiddenError(command=command.name)
        outcome = await registration.handler(command, context)
        private = registration.private(command, context)
        context.session.add(
            Audit(
                at=context.now,
                actor=actor_name(context, private=private),
                command=command.name,
                subject=outcome.subject,
                result=outcome.wording,
            )
        )
        return outcome


def actor_name(context: Context, *, private: bool) -> str:
    """How the audit names the actor: the staff id, or a pseudonym where the matter is private."""
    actor = context.actor
    if actor.system:
        return "system"
    if actor.member is None:
        return context.vault.pseudonym(f"{actor.channel}:{actor.sender}")
    return context.vault.pseudonym(f"member:{actor.member.id}") if private else actor.member.staff_id


async def anyone(_command: Command, _context: Context) -> bool:
    """Right: whoever writes, bound or not."""
    return True


async def bound(_command: Command, context: Context) -> bool:
    """Right: a bound member who has not left. Raises DomainError("not_bound") so that the way in can be told."""
    if context.actor.member is None:
        raise DomainError("not_bound")
    return context.actor.member.status != "left"


def role(*roles: str) -> Callable[[Any, Context], Awaitable[bool]]:
    """Right: one of the roles, for the command's service (`command.service`, where it has one)."""

    async def check(command: Command, context: Context) -> bool:
        service = getattr(command, "service", "")
        return any(context.actor.holds(name, service=service) for name in roles)

    return check


async def actor_for(session: AsyncSession, member: Member, **origin: Any) -> Actor:
    """The actor of a member, with the roles granted."""
    rows = (await session.execute(select(RoleGrant).where(RoleGrant.member_id == member.id))).scalars()
    grants = frozenset(Grant(role=row.role, service=row.service, unit_id=row.unit_id) for row in rows)
    return Actor(member=member, grants=grants, **origin)


async def holders(session: AsyncSession, name: str, *, service: str = "") -> list[Member]:
    """Members who hold a role for a service, in the order of the grants."""
    query = (
        select(Member)
        .join(RoleGrant, RoleGrant.member_id == Member.id)
        .where(RoleGrant.role == name, RoleGrant.service.in_(("", service)), Member.status != "left")
        .order_by(RoleGrant.id)
    )
    return list((await session.execute(query)).scalars().unique())
