"""The look-log: who saw a confidential record, kept with it and told to the person whom it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.cases import store
from actions.cases.tables import Case, CaseLook
from actions.core.commands import Outcome
from actions.core.tables import Member, RoleGrant
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.cases.commands import Looks
    from actions.core.commands import Context

# What fits into one message of a chat.
_MOST = 12
#: The posts that open a private record, the one that tells most first.
_POSTS = ("reviewer", "unit_officer", "union_officer")


async def note(context: Context, case: Case, what: str) -> None:
    """Notes that the actor sees a record, unless it is open to many or their own."""
    member = context.actor.member
    if not store.private(context, case) or (member is not None and member.id == case.member_id):
        return
    context.session.add(CaseLook(case_id=case.id, member_id=member.id if member else None, at=context.now, what=what))
    await context.session.flush()


async def opened(context: Context, subject: str) -> None:
    """A file of a record was opened."""
    kind, number = subject.split(":")
    case = await context.session.get(Case, int(number)) if kind == "case" else None
    if case is not None:
        await note(context, case, "file")


async def looks(_command: Looks, context: Context) -> Outcome:
    """Looks at the actor's own records, and at those that name them: when, by whom, in which post, at what.

    What somebody saw of a record several times on one day is one line.
    """
    cases = {case.id: case for case in await _concerning(context, context.actor.member_id)}
    query = select(CaseLook).where(CaseLook.case_id.in_(cases)).order_by(CaseLook.at.desc(), CaseLook.id.desc())
    lines: dict[tuple[Any, ...], CaseLook] = {}
    for row in (await context.session.execute(query)).scalars():
        lines.setdefault((row.case_id, row.member_id, row.what, local(row.at).date()), row)
    rows = [await _line(context, cases[row.case_id], row) for row in list(lines.values())[:_MOST]]
    params = {"rows": rows, "total": len(lines), "private": bool(cases)}
    return Outcome(wording="cases.looks", params=params, subject="looks", data=params)


async def _concerning(context: Context, member_id: int) -> Sequence[Case]:
    """Confidential records of a member's own, and those of others that are about them (a colleague reported it)."""
    services = [service.id for service in context.catalogue if service.life == "case" and service.private]
    query = select(Case).where(Case.service.in_(services)).order_by(Case.id)
    found = (await context.session.execute(query)).unique().scalars().all()
    return [case for case in found if member_id == case.member_id or member_id in case.kept.get("concerned", ())]


async def _line(context: Context, case: Case, row: CaseLook) -> dict[str, Any]:
    member = await context.session.get(Member, row.member_id) if row.member_id else None
    return {
        "id": case.id,
        "service": context.catalogue[case.service].short,
        "at": local(row.at),
        "unit": member.unit.name if member and member.unit else "",
        "name": member.name if member else "",
        "post": await _post(context, case, row.member_id),
        "what": row.what,
    }


async def _post(context: Context, case: Case, member_id: int | None) -> str:
    """The role by which somebody sees records of a service; empty where they hold none any more."""
    query = select(RoleGrant.role).where(
        RoleGrant.member_id == member_id, RoleGrant.service.in_(("", case.service)), RoleGrant.role.in_(_POSTS)
    )
    held = set((await context.session.execute(query)).scalars())
    return next((post for post in _POSTS if post in held), "")
