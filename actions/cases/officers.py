"""What officers do beside moving: look, comment, tick off, withdraw from a record, see what waits and what is late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.blocks import materials
from actions.blocks.moves import AUTHOR, CLOCK, moves_from
from actions.cases import looks, moving, notices, store
from actions.cases.form import rules_of
from actions.cases.tables import Case
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.cases.commands import Board, Comment, ListLate, ListTasks, Look, Recuse, Tick
    from actions.core.commands import Context
    from actions.core.tables import Offering

# What fits into one message of a chat.
_MOST = 12


async def look(command: Look, context: Context) -> Outcome:
    """Everything of a record that the actor may read; of a confidential one the look is noted.

    Raises DomainError("case_gone"), ForbiddenError.
    """
    case = await store.find(context, command.case_id)
    if not await store.may_read(context, case):
        raise ForbiddenError
    service = context.catalogue[case.service]
    own = context.actor.member is not None and context.actor.member.id == case.member_id
    values = store.values(context, case)
    await looks.note(context, case, "look")
    history = [
        {
            "at": local(step.at),
            "label": _label(context, case, step.move),
            "words": store.words_of(context, case, step),
        }
        for step in await store.steps(context, case)
        if step.shown or not own
    ]
    params = {
        **notices.facts(context, case),
        "title": case.title or service.short,
        "rows": notices.rows(service, values),
        "files": [file.name for file in await materials.attached(context, case.subject)],
        "history": history,
        "own": own,
        "credited": len(await notices.credited(context, case)),
    }
    return Outcome(wording="cases.look", params=params, subject=case.subject)


def _label(context: Context, case: Case, name: str) -> str:
    move = rules_of(context.catalogue[case.service]).moves.get(name)
    return (
        move.label if move else {"submit": "提交", "opened": "转来", "comment": "备注", "merge": "并案"}.get(name, name)
    )


async def comment(command: Comment, context: Context) -> Outcome:
    """Raises DomainError("case_gone"), ForbiddenError for anyone but its author and those who have a move of it."""
    case = await store.find(context, command.case_id)
    own = context.actor.member is not None and context.actor.member.id == case.member_id
    if not own:
        await store.require_officer(context, case)
    await store.note(context, case, "comment", command.reason, shown=command.shown or own)
    if (
        command.shown
        and not own
        and not notices.spoken_by_officer(context.catalogue[case.service], store.values(context, case))
    ):
        words = "" if store.private(context, case) else command.reason
        await notices.tell(context, case, case.member_id, "cases.commented", words=words)
    return Outcome(wording="cases.comment_kept", params={"shown": command.shown}, subject=case.subject)


async def tick(command: Tick, context: Context) -> Outcome:
    """Raises DomainError: case_gone, no_such_step; ForbiddenError."""
    case = await store.find(context, command.case_id)
    await store.require_officer(context, case)
    rule = rules_of(context.catalogue[case.service]).checklist
    steps = {step.key: step.title for step in (rule.steps if rule else ())}
    if command.step not in steps:
        raise DomainError("no_such_step", known="、".join(steps))
    ticked = {key: at for key, at in case.kept.get("ticked", {}).items() if key != command.step}
    if command.done:
        ticked[command.step] = context.now.isoformat()
    case.kept = {**case.kept, "ticked": ticked}
    left = [title for key, title in steps.items() if key not in ticked]
    await store.note(context, case, "tick", steps[command.step], shown=True)
    return Outcome(wording="cases.ticked", params={"step": steps[command.step], "left": left}, subject=case.subject)


async def recuse(command: Recuse, context: Context) -> Outcome:
    """The actor withdraws; or an officer of the record keeps somebody else from it. The others are asked anew.

    Raises DomainError: case_gone, no_such_person; ForbiddenError.
    """
    case = await store.find(context, command.case_id)
    await store.require_officer(context, case)
    member = context.actor.member_id
    if command.staff_id:
        member = (await store.member_named(context, command.staff_id)).id
    recused = sorted({*case.kept.get("recused", ()), member})
    case.kept = {**case.kept, "recused": recused}
    await store.note(context, case, "recuse", shown=False)
    await context.session.flush()
    await notices.ask(context, case)
    return Outcome(wording="cases.recused", params=notices.pushed(context, case), subject=case.subject)


# --- what waits, and what is late


async def tasks(_command: ListTasks, context: Context) -> Outcome:
    """The actor's own to move, those with a deadline first."""
    mine = [case for case in await _open(context) if await _mine(context, case)]
    rows = [_row(context, case) for case in mine[:_MOST]]
    return Outcome(wording="cases.tasks", params={"rows": rows, "total": len(mine)}, data={"rows": rows})


async def late(command: ListLate, context: Context) -> Outcome:
    """Late ones that the actor may move, or of a service that they answer for."""
    found = []
    for case in await _open(context):
        if case.due_at is None or case.due_at >= context.now or _clocked(context, case):
            continue
        if command.service in ("", case.service) and (await _mine(context, case) or _oversees(context, case)):
            found.append(case)
    rows = [_row(context, case) for case in found[:_MOST]]
    return Outcome(wording="cases.late", params={"rows": rows, "total": len(found)}, data={"rows": rows})


async def board(command: Board, context: Context) -> Outcome:
    """Marked ones that are open, with who handles them: of a service they answer for, or their own to move."""
    rows = []
    for case in await _open(context):
        mark = rules_of(context.catalogue[case.service]).board
        if not mark or mark not in case.kept or command.service not in ("", case.service):
            continue
        if _oversees(context, case) or await _mine(context, case):
            marked = {"why": case.kept[mark], "handled_by": case.kept.get("handled_by", "")}
            rows.append({**_row(context, case), **marked})
    return Outcome(wording="cases.board", params={"rows": rows[:_MOST], "total": len(rows)}, data={"rows": rows})


async def _open(context: Context) -> Sequence[Case]:
    query = select(Case).where(Case.ended_at.is_(None)).order_by(Case.due_at.is_(None), Case.due_at, Case.id)
    return (await context.session.execute(query)).unique().scalars().all()


async def _mine(context: Context, case: Case) -> bool:
    moves = moves_from(rules_of(context.catalogue[case.service]).moves, case.state)
    officers = [
        move.model_copy(update={"by": tuple(who for who in move.by if who not in (AUTHOR, CLOCK))})
        for move in moves.values()
    ]
    return any([await store.may(context, case, move) for move in officers if move.by])


def _oversees(context: Context, case: Case) -> bool:
    if context.catalogue[case.service].private:
        return False
    return any(context.actor.holds(role, service=case.service) for role in ("union_officer", "administrator"))


def _clocked(context: Context, case: Case) -> bool:
    """Whether the clock moves it on: then its deadline is a period, and nobody is late."""
    moves = moves_from(rules_of(context.catalogue[case.service]).moves, case.state)
    return any(CLOCK in move.by for move in moves.values())


def _row(context: Context, case: Case) -> dict[str, Any]:
    known = notices.facts(context, case)
    private = store.private(context, case)
    late_ = case.due_at is not None and case.due_at < context.now and not _clocked(context, case)
    return {
        "id": case.id,
        "service": known["service"],
        "title": known["title"],
        "state_title": known["state_title"],
        "unit": "" if private else known["unit"],
        "member": "" if private else known["member"],
        "due": known["due"],
        "late": late_,
    }


async def cancelled_offering(context: Context, offering: Offering) -> int:
    """A call or an item of the menu is no more: what it holds is called off, where the service has such a move."""
    told = 0
    query = select(Case).where(Case.offering_id == offering.id, Case.ended_at.is_(None)).order_by(Case.id)
    for case in (await context.session.execute(query)).unique().scalars().all():
        moves = moves_from(rules_of(context.catalogue[case.service]).moves, case.state)
        if "call_off" in moves:
            await moving.by_clock(context, case, "call_off", moves["call_off"])
        else:
            await notices.tell(context, case, case.member_id, "cases.call_cancelled")
        told += 1
    return told
