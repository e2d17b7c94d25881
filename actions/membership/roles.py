"""Units, roles, and the first administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from actions.core.commands import ROLES, Context, Outcome
from actions.core.errors import DomainError
from actions.core.tables import Member, RoleGrant, Unit
from actions.membership.passwords import give_temporary
from actions.membership.people import find_member, fold_name, fold_staff_id, member_of, unit_of

if TYPE_CHECKING:
    from actions.membership.commands import CreateAdministrator, CreateUnit, GrantRole, RevokeRole

#: Everybody on the roster is a member: that is no grant.
GRANTED = tuple(role for role in ROLES if role != "member")


async def create_unit(command: CreateUnit, context: Context) -> Outcome:
    """Raises DomainError("unit_exists")."""
    title = command.title.strip()
    if not title or (await context.session.execute(select(Unit.id).where(Unit.name == title))).first() is not None:
        raise DomainError("unit_exists", unit=title)
    unit = Unit(name=title)
    context.session.add(unit)
    await context.session.flush()
    params = {"unit": title}
    return Outcome(
        wording="membership.unit_created", params=params, subject=f"unit:{unit.id}", data={"unit_id": unit.id}
    )


async def grant_role(command: GrantRole, context: Context) -> Outcome:
    """Granting what is held already changes nothing.

    Raises DomainError: unknown_role, unknown_service, no_such_unit, no_such_member, member_left.
    """
    member, unit_id = await _meant(context, command)
    if member.status == "left":
        raise DomainError("member_left", member=member.name)
    await give(context, member, command.role, service=command.service, unit_id=unit_id)
    return Outcome(wording="membership.granted", params=_facts(command, member), subject=f"member:{member.id}")


async def revoke_role(command: RevokeRole, context: Context) -> Outcome:
    """Raises DomainError as `grant_role` does, and not_granted, last_administrator."""
    member, unit_id = await _meant(context, command)
    grant = await _find(context, member.id, command.role, command.service, unit_id)
    if grant is None:
        raise DomainError("not_granted", member=member.name, role=command.role)
    if command.role == "administrator" and not grant.service and unit_id is None:
        await refuse_last_administrator(context, member.id)
    await context.session.execute(delete(RoleGrant).where(RoleGrant.id == grant.id))
    return Outcome(wording="membership.revoked", params=_facts(command, member), subject=f"member:{member.id}")


def _facts(command: GrantRole | RevokeRole, member: Member) -> dict[str, str]:
    return {"member": member.name, "role": command.role, "service": command.service, "unit": command.unit}


async def _meant(context: Context, command: GrantRole | RevokeRole) -> tuple[Member, int | None]:
    if command.role not in GRANTED:
        raise DomainError("unknown_role", role=command.role, known=", ".join(GRANTED))
    if command.service and command.service not in context.catalogue:
        raise DomainError("unknown_service", service=command.service)
    unit_id = (await unit_of(context, command.unit)).id if command.unit else None
    # The member's row is locked: a constraint does not see two grants whose unit is empty as the same.
    return await member_of(context, command.staff_id), unit_id


async def _find(context: Context, member_id: int, role: str, service: str, unit_id: int | None) -> RoleGrant | None:
    query = select(RoleGrant).where(
        RoleGrant.member_id == member_id,
        RoleGrant.role == role,
        RoleGrant.service == service,
        RoleGrant.unit_id == unit_id,
    )
    return (await context.session.execute(query)).scalar_one_or_none()


async def give(context: Context, member: Member, role: str, *, service: str = "", unit_id: int | None = None) -> None:
    """Writes a grant, once."""
    if await _find(context, member.id, role, service, unit_id) is None:
        context.session.add(RoleGrant(member_id=member.id, role=role, service=service, unit_id=unit_id))
        await context.session.flush()


async def refuse_last_administrator(context: Context, member_id: int) -> None:
    """Raises DomainError("last_administrator") where nobody else could grant roles any more."""
    query = (
        select(RoleGrant)
        .join(Member, Member.id == RoleGrant.member_id)
        .where(
            RoleGrant.role == "administrator",
            RoleGrant.service == "",
            RoleGrant.unit_id.is_(None),
            Member.status != "left",
        )
        .order_by(RoleGrant.id)
    )
    if not context.database.is_sqlite:
        query = query.with_for_update(of=RoleGrant)
    holding = {grant.member_id for grant in (await context.session.execute(query)).scalars()}
    if holding == {member_id}:
        raise DomainError("last_administrator")


async def create_administrator(command: CreateAdministrator, context: Context) -> Outcome:
    """Raises DomainError: administrator_name (the 工号 is somebody else's), member_left, bad_staff_id."""
    staff_id = fold_staff_id(command.staff_id)
    if not staff_id:
        raise DomainError("bad_staff_id", staff_id=command.staff_id)
    member = await find_member(context, staff_id)
    if member is None:
        member = Member(staff_id=staff_id, name=command.full_name.strip(), status="active", tags=[])
        context.session.add(member)
        await context.session.flush()
    elif fold_name(member.name) != fold_name(command.full_name):
        raise DomainError("administrator_name", staff_id=staff_id)
    elif member.status == "left":
        raise DomainError("member_left", member=member.name)
    for role in ("administrator", "union_officer"):
        await give(context, member, role)
    password = await give_temporary(context, member.id)
    return Outcome(
        wording="membership.administrator_created",
        params={"member": member.name, "staff_id": staff_id},
        subject=f"member:{member.id}",
        data={"staff_id": staff_id, "password": password},
    )
