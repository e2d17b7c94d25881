"""What falls due by itself: reminders of deadlines, what the clock moves, what is late for the first time."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.blocks.deadlines import working_days_before
from actions.blocks.moves import CLOCK, moves_from
from actions.cases import moving, notices
from actions.cases.form import rules_of
from actions.cases.tables import Case
from actions.core.notify import Notice, notify
from actions.core.tables import Outgoing
from actions.core.zones import at, local

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actions.cases.rules import Checklist
    from actions.core.commands import Context

#: When a day's reminders are said.
_MORNING = time(9)
#: No reminder is set longer before a deadline, in days.
_FARTHEST = timedelta(days=60)


async def sweep(context: Context) -> int:
    """One query where nothing is near its deadline. Returns how much was done."""
    near = select(Case.id).where(Case.ended_at.is_(None), Case.due_at <= context.now + _FARTHEST)
    done = 0
    for number in (await context.session.execute(near.order_by(Case.id))).scalars().all():
        case = await context.session.get(Case, number)
        if case is not None:
            done += await _moved(context, case) or await _remind(context, case)
    return done + await _remind_of_lists(context)


async def _remind_of_lists(context: Context) -> int:
    """What of a checklist is still to be done, so many months before the record's date."""
    dated = {
        service.id: rule
        for service in context.catalogue
        if service.life == "case" and (rule := rules_of(service).checklist) and rule.reminders
    }
    if not dated:
        return 0
    query = select(Case).where(Case.service.in_(dated), Case.ended_at.is_(None)).order_by(Case.id)
    told = 0
    for case in (await context.session.execute(query)).unique().scalars().all():
        told += await _remind_of_list(context, case, dated[case.service])
    return told


async def _remind_of_list(context: Context, case: Case, rule: Checklist) -> int:
    date = datetime.fromisoformat(str(case.fields[rule.date_field])) if rule.date_field in case.fields else None
    reached = [months for months in rule.reminders if date and date - context.now <= timedelta(days=30.5 * months)]
    left = [step.title for step in rule.steps if step.key not in case.kept.get("ticked", {})]
    if date is None or not reached or not left:
        return 0
    told = 0
    for member in {case.member_id, *await _people(context, case)}:
        key = f"case:{case.id}:list:{min(reached)}:{member}"
        params = {**notices.pushed(context, case), "ends": local(date), "months": min(reached), "left": left}
        told += await _once(context, case, key, member, "cases.checklist_reminder", params)
    return told


async def _moved(context: Context, case: Case) -> bool:
    """The move that the clock makes once the state's time is over."""
    if case.due_at is None or context.now < case.due_at:
        return False
    for name, move in moves_from(rules_of(context.catalogue[case.service]).moves, case.state).items():
        if CLOCK in move.by and await moving.by_clock(context, case, name, move):
            return True
    return False


async def _remind(context: Context, case: Case) -> int:
    """Reminds whoever may move a record: before its deadline, and once when it is over."""
    moves = moves_from(rules_of(context.catalogue[case.service]).moves, case.state)
    if case.due_at is None or any(CLOCK in move.by for move in moves.values()):
        return 0
    reached = [key for key, moment in _moments(context, case) if moment <= context.now]
    if not reached:
        return 0
    told = 0
    for member in await _people(context, case):
        told += await _remind_one(context, case, member, reached[-1])
    return told


def _moments(context: Context, case: Case) -> Iterator[tuple[str, datetime]]:
    """What is reminded of, soonest first: so many working days before, and the deadline itself."""
    due = case.due_at
    if due is None:
        return
    days = rules_of(context.catalogue[case.service]).states[case.state].remind
    for count in sorted(set(days), reverse=True):
        moment = at(working_days_before(local(due).date(), count), _MORNING)
        if moment > case.entered_at and moment < due:
            yield f"{count}", moment
    yield "late", due


async def _people(context: Context, case: Case) -> list[int]:
    """Whom the moves of the state ask: officers, or the author whose turn it is."""
    moves = [m for m in moves_from(rules_of(context.catalogue[case.service]).moves, case.state).values() if m.offered]
    found = await notices.movers(context, case, moves)
    return found or [case.member_id]


async def _remind_one(context: Context, case: Case, member: int, when: str) -> bool:
    key = f"case:{case.id}:{int(case.entered_at.timestamp())}:{when}:{member}"
    params = {**notices.pushed(context, case), "late": when == "late"}
    return await _once(context, case, key, member, "cases.reminder", params)


async def _once(context: Context, case: Case, key: str, member: int, wording: str, params: Mapping[str, Any]) -> bool:
    """Says it unless it has been said; True where it is new."""
    if (await context.session.execute(select(Outgoing.id).where(Outgoing.unique_key == key))).first() is not None:
        return False
    notice = Notice(
        member_id=member, wording=wording, params=params, subject=case.task, kind="reminder", unique_key=key
    )
    await notify(context, notice)
    return True
