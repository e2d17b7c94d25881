"""Retention: what is over for longer than its service keeps it is deleted, with all that hangs on it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from actions.blocks import materials
from actions.blocks.consent import Consent
from actions.cases import commands as c
from actions.cases import store
from actions.cases.form import rules_of
from actions.cases.tables import Case, CaseHandler, CaseLook, CaseObjection, CaseSecond, CaseStep, CaseSupport
from actions.core.commands import Outcome
from actions.core.notify import forget_prompts
from actions.core.schedules import Schedule, on_days
from actions.core.tables import Outgoing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

#: When it is done by itself.
_AT = time(3)
#: Records that are deleted by one statement: databases limit its parameters.
_AT_ONCE = 500
#: What hangs on a record and says nothing without it.
_PARTS = (CaseStep, CaseHandler, CaseSecond, CaseSupport, CaseLook, CaseObjection)


def schedule() -> Schedule:
    """Once a day, by whichever process comes first."""
    every_day = on_days(_AT, lambda _day: True)
    return Schedule(name="cases.retention", times=every_day, run=_by_clock, useful=timedelta(days=1))


async def _by_clock(context: Context, _moment: datetime) -> None:
    """Nothing to delete is nothing to write down."""
    if any((await _due(context, "")).values()):
        await context.bus.execute(c.Retention(dry=False), context)


async def retention(command: c.Retention, context: Context) -> Outcome:
    """Counts what is due, and deletes it unless `dry`. Raises DomainError("unknown_service")."""
    if command.service:
        store.declared(context, command.service)
    due = await _due(context, command.service)
    if not command.dry:
        for service, ids in due.items():
            await _forget(context, context.catalogue[service], ids)
    rows = [{"service": context.catalogue[name].short, "count": len(ids)} for name, ids in due.items() if ids]
    params = {"rows": rows, "total": sum(len(ids) for ids in due.values()), "dry": command.dry}
    return Outcome(wording="cases.retention", params=params, subject="retention", data=params)


async def _due(context: Context, wanted: str) -> Mapping[str, Sequence[int]]:
    """Ids of the records past their time, by service: so many days after they were over."""
    found = {}
    for service in context.catalogue:
        if service.life != "case" or service.retention_days is None or wanted not in ("", service.id):
            continue
        limit = context.now - timedelta(days=service.retention_days)
        query = select(Case.id).where(Case.service == service.id, Case.ended_at <= limit).order_by(Case.id)
        found[service.id] = (await context.session.execute(query)).scalars().all()
    return found


async def _forget(context: Context, service: Declaration, ids: Sequence[int]) -> None:
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        query = select(Case).where(Case.id.in_(some))
        cases = (await context.session.execute(query)).unique().scalars().all()
        authors = {case.member_id for case in cases}
        await _forget_said(context, cases)
        for part in _PARTS:
            await context.session.execute(delete(part).where(part.case_id.in_(some)))
        for link in (Case.parent_id, Case.merged_id):
            await context.session.execute(update(Case).where(link.in_(some)).values({link: None}))
        await context.session.execute(delete(Case).where(Case.id.in_(some)))
        await _forget_consents(context, service, authors)


async def _forget_said(context: Context, cases: Sequence[Case]) -> None:
    """Files, options, and the ledger of what was said: its rows would still tell who had a matter, and when."""
    seconds = select(CaseSecond.id).where(CaseSecond.case_id.in_([case.id for case in cases]))
    subjects = [f"second:{number}" for number in (await context.session.execute(seconds)).scalars()]
    for case in cases:
        await materials.drop(context, case.subject)
        subjects += [case.subject, case.task, case.on_wall]
    await forget_prompts(context, subjects)
    await context.session.execute(delete(Outgoing).where(Outgoing.subject.in_(subjects)))


async def _forget_consents(context: Context, service: Declaration, members: Collection[int]) -> None:
    """A consent has no purpose any more where no record of its service is left."""
    purpose = rules_of(service).consent
    if not purpose:
        return
    left = select(Case.member_id).where(Case.service == service.id)
    gone = Consent.member_id.in_(members), Consent.purpose == purpose, Consent.member_id.not_in(left)
    await context.session.execute(delete(Consent).where(*gone))
