"""Offerings: what officers create, edit, open, close and cancel; checked against the service's life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, ValidationError
from sqlalchemy import select

from actions.core.commands import Command, Context, Outcome, Registration
from actions.core.errors import DomainError
from actions.core.life import TellsOfEdits
from actions.core.tables import Member, Offering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.life import Life

_OFFICERS = ("union_officer", "administrator")


class CreateOffering(Command):
    """A new offering; `owner` is the 工号 of who answers for it."""

    name: ClassVar[str] = "offerings.create"
    service: str
    title: str = Field(min_length=1, max_length=120)
    campus: str = Field("", max_length=20)
    owner: str = ""
    spec: dict[str, Any]
    open: bool = True
    example: bool = False


class EditOffering(Command):
    """Replaces parts of an offering's spec; keys not named stay."""

    name: ClassVar[str] = "offerings.edit"
    offering_id: int
    spec: dict[str, Any]


class OpenOffering(Command):
    """Opens a draft or closed offering, or a cancelled one anew; who was told of the cancellation is not told again."""

    name: ClassVar[str] = "offerings.open"
    offering_id: int


class CloseOffering(Command):
    """Takes no more; what is there stays."""

    name: ClassVar[str] = "offerings.close"
    offering_id: int


class CancelOffering(Command):
    """Cancels an offering and everything in it; those concerned are told."""

    name: ClassVar[str] = "offerings.cancel"
    offering_id: int


def registrations() -> Sequence[Registration[Any]]:
    """The commands of this module."""
    return (
        Registration(command=CreateOffering, handler=create, right=_may_create),
        Registration(command=EditOffering, handler=edit, right=_may_change),
        Registration(command=OpenOffering, handler=open_, right=_may_change),
        Registration(command=CloseOffering, handler=close, right=_may_change),
        Registration(command=CancelOffering, handler=cancel, right=_may_change),
    )


async def _may_create(command: CreateOffering, context: Context) -> bool:
    return any(context.actor.holds(role, service=command.service) for role in _OFFICERS)


async def _may_change(command: EditOffering | OpenOffering | CloseOffering | CancelOffering, context: Context) -> bool:
    offering = await context.session.get(Offering, command.offering_id)
    if offering is None:
        raise DomainError("not_found")
    return any(context.actor.holds(role, service=offering.service) for role in _OFFICERS)


def _life(context: Context, service: str) -> Life:
    if service not in context.catalogue:
        raise DomainError("unknown_service", service=service)
    return context.lives[context.catalogue[service].life]


def _checked(context: Context, service: str, spec: dict[str, Any]) -> dict[str, Any]:
    try:
        return _life(context, service).spec.model_validate(spec).model_dump(mode="json")
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, ('spec', *e['loc'])))}: {e['msg']}" for e in error.errors())
        raise DomainError("bad_arguments", command="offerings", faults=faults) from error


async def create(command: CreateOffering, context: Context) -> Outcome:
    """Raises DomainError: unknown_service, bad_arguments, no_such_member, title_taken."""
    spec = _checked(context, command.service, command.spec)
    query = select(Offering.id).where(
        Offering.service == command.service, Offering.title == command.title, Offering.campus == command.campus
    )
    if (await context.session.execute(query)).first() is not None:
        raise DomainError("title_taken", title=command.title)
    offering = Offering(
        service=command.service,
        title=command.title,
        campus=command.campus,
        state="open" if command.open else "draft",
        owner_id=await _owner(context, command.owner),
        spec=spec,
        example=command.example,
    )
    context.session.add(offering)
    await context.session.flush()
    return _outcome(offering, "offerings.created")


async def _owner(context: Context, staff_id: str) -> int | None:
    if not staff_id:
        return None
    owner = (await context.session.execute(select(Member.id).where(Member.staff_id == staff_id))).scalar_one_or_none()
    if owner is None:
        raise DomainError("no_such_member", staff_id=staff_id)
    return owner


async def edit(command: EditOffering, context: Context) -> Outcome:
    """Raises DomainError: not_found, offering_cancelled, bad_arguments."""
    offering = await _locked(context, command.offering_id)
    before, life = offering.spec, _life(context, offering.service)
    offering.spec = _checked(context, offering.service, {**before, **command.spec})
    await context.session.flush()
    told = await life.offering_edited(context, offering, before) if isinstance(life, TellsOfEdits) else 0
    return _outcome(offering, "offerings.edited", told=told)


async def open_(command: OpenOffering, context: Context) -> Outcome:
    """Raises DomainError("not_found")."""
    offering = await lock_offering(context, command.offering_id)
    if offering is None:
        raise DomainError("not_found")
    offering.state = "open"
    return _outcome(offering, "offerings.opened")


async def close(command: CloseOffering, context: Context) -> Outcome:
    """Raises DomainError: not_found, offering_cancelled."""
    offering = await _locked(context, command.offering_id)
    offering.state = "closed"
    return _outcome(offering, "offerings.closed")


async def cancel(command: CancelOffering, context: Context) -> Outcome:
    """Raises DomainError: not_found, offering_cancelled."""
    offering = await _locked(context, command.offering_id)
    offering.state = "cancelled"
    await context.session.flush()
    told = await _life(context, offering.service).offering_cancelled(context, offering)
    return _outcome(offering, "offerings.cancelled", told=told)


async def lock_offering(context: Context, offering_id: int) -> Offering | None:
    """The offering, freshly read; nobody else changes it until the transaction ends.

    Its key is not locked: what belongs to an offering can be written meanwhile, and nobody waits in a ring.
    """
    return await context.session.get(
        Offering, offering_id, populate_existing=True, with_for_update={"key_share": True, "of": Offering}
    )


async def _locked(context: Context, offering_id: int) -> Offering:
    offering = await lock_offering(context, offering_id)
    if offering is None:
        raise DomainError("not_found")
    if offering.state == "cancelled":
        raise DomainError("offering_cancelled", title=offering.title)
    return offering


def _outcome(offering: Offering, wording: str, **params: Any) -> Outcome:
    return Outcome(
        wording=wording,
        params={"title": offering.title, **params},
        subject=f"offering:{offering.id}",
        data={"offering_id": offering.id, "state": offering.state},
    )
