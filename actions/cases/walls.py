"""The public wall: reviewed before it shows, without its authors; support is counted, and never enters the review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from actions.cases import commands as c
from actions.cases import notices, store
from actions.cases.form import rules_of
from actions.cases.tables import Case, CaseSupport
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, Option, cancel_notices, notify, offer

if TYPE_CHECKING:
    from actions.core.commands import Context

_MOST = 8


async def wanted(context: Context, case: Case) -> None:
    """A record has come as far as the wall: who reviews it is asked, unless its author would rather not."""
    rule = rules_of(context.catalogue[case.service]).wall
    if rule is None or case.state not in rule.at or case.wall:
        return
    if rule.refused and case.fields.get(rule.field) == rule.refused:
        return
    case.wall = "asked"
    options = (
        Option(label="上墙", command=c.ShowOnWall(case_id=case.id)),
        Option(label="不上墙", command=c.ShowOnWall(case_id=case.id, shown=False)),
    )
    for role in rule.by:
        for member in await store.people(context, case, role):
            params = {**notices.facts(context, case), "text": _text(context, case)}
            notice = Notice(
                member_id=member, wording="cases.wall_wanted", params=params, subject=case.on_wall, options=options
            )
            await notify(context, notice)


async def review(command: c.ShowOnWall, context: Context) -> Outcome:
    """Raises DomainError: case_gone, no_wall (the service has none, or the author rather not); ForbiddenError."""
    case = await store.find(context, command.case_id)
    rule = rules_of(context.catalogue[case.service]).wall
    if rule is None or case.wall == "":
        raise DomainError("no_wall")
    if not any(context.actor.holds(role, service=case.service) for role in rule.by):
        raise ForbiddenError
    case.wall = "shown" if command.shown else "hidden"
    await cancel_notices(context, case.on_wall)
    await store.note(context, case, "wall", case.wall, shown=False)
    wording = "cases.wall_shown" if command.shown else "cases.wall_hidden"
    return Outcome(wording=wording, params=notices.facts(context, case), subject=case.subject)


async def show(_command: c.ShowWall, context: Context) -> Outcome:
    """The latest, with how many support each, and an option to."""
    query = (
        select(Case, func.count(CaseSupport.member_id))
        .outerjoin(CaseSupport, CaseSupport.case_id == Case.id)
        .where(Case.wall == "shown", Case.counted)
        .group_by(Case.id)
        .order_by(Case.id.desc())
        .limit(_MOST)
    )
    found = (await context.session.execute(query)).unique().all()
    rows = [{"title": case.title, "text": _text(context, case), "count": count} for case, count in found]
    options = tuple(
        Option(label=f"支持{number}", command=c.Support(case_id=case.id)) for number, (case, _) in enumerate(found, 1)
    )
    buttons = []
    if options:
        notice = Notice(
            member_id=context.actor.member_id, wording="cases.wall", params={"rows": rows}, subject="wall",
            options=options, again=True,
        )  # fmt: skip
        buttons = await offer(context, notice)
    return Outcome(wording="cases.wall", params={"rows": rows}, subject="wall", options=buttons)


def _text(context: Context, case: Case) -> str:
    text = str(case.fields.get(rules_of(context.catalogue[case.service]).content_field, ""))
    return text if len(text) <= 80 else f"{text[:79]}…"


async def support(command: c.Support, context: Context) -> Outcome:
    """Raises DomainError: case_gone, no_wall, own_record, already_supported."""
    case = await context.session.get(Case, command.case_id)
    if case is None or case.wall != "shown":
        raise DomainError("no_wall")
    member = context.actor.member_id
    if case.member_id == member:
        raise DomainError("own_record")
    try:
        async with context.session.begin_nested():
            context.session.add(CaseSupport(case_id=case.id, member_id=member, at=context.now))
    except IntegrityError as error:
        raise DomainError("already_supported", title=case.title) from error
    count = select(func.count()).where(CaseSupport.case_id == case.id)
    params = {"title": case.title, "count": (await context.session.execute(count)).scalar_one()}
    return Outcome(wording="cases.supported", params=params, subject=case.subject)
