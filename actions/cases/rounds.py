"""Decisions by batch: a round of a call, or a quarter's meeting, is laid before the body that decides.

Whoever sits there first declares for every record whether it concerns them (回避); then all, or some, are decided.
What was declared is a step of each record, so that one that comes later is asked about anew.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.blocks.moves import reachable
from actions.cases import commands as c
from actions.cases import looks, notices, store
from actions.cases.form import rules_of
from actions.cases.tables import Case, CaseStep
from actions.core.commands import Outcome, holders
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, Option, cancel_notices, close_prompts, notify, offer
from actions.core.schedules import Schedule, on_days
from actions.core.tables import Offering
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from actions.cases.rules import Meeting
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

#: What a step is called by which somebody declared that a record does not concern them.
_FREE = "declare"
#: When a body is called.
_MORNING = time(9)
#: Records that are listed in one message; the others come when these are decided.
_MOST = 20
#: Code points of what is said with a decision.
_LONGEST = 600
_NUMBER = re.compile(r"[\s、，,；;和]*(\d+)")


async def show(command: c.Round, context: Context) -> Outcome:
    """What waits for the decision of a body that the actor sits in; the list is noted as a look at each record.

    Raises DomainError("unknown_service"), ForbiddenError.
    """
    if not command.service:
        return await _choose(context)
    service, rule, mine, recused = await _batch(context, command)
    undeclared = await _undeclared(context, mine)
    for case in mine[:_MOST]:
        await looks.note(context, case, "list")
    params = {
        "service": service.short,
        "body": rule.body,
        "rows": [_row(context, service, case) for case in mine[:_MOST]],
        "total": len(mine),
        "recused": recused,
        "declare": bool(undeclared),
        "moves": [rules_of(service).moves[name].label for name in rule.moves],
    }
    options = _options(command, service, rule, declared=not undeclared) if mine else ()
    return await _offered(context, command, params, options)


async def declare(command: c.Declare, context: Context) -> Outcome:
    """The actor declares which records of a batch concern them: the numbers in `reason`, or none of them.

    Raises DomainError: unknown_service, no_such_numbers; ForbiddenError.
    """
    _service, _rule, mine, _recused = await _batch(context, command)
    numbers = () if command.none else _numbers(command.reason, mine)[0]
    if not command.none and not numbers:
        raise DomainError("no_such_numbers", known=[case.id for case in mine])
    undeclared = {case.id for case in await _undeclared(context, mine)}
    for case in mine:
        if case.id in numbers:
            await context.bus.execute(c.Recuse(case_id=case.id), context)
        elif case.id in undeclared:
            await store.note(context, case, _FREE, shown=False)
    return await show(c.Round(service=command.service, offering=command.offering), context)


async def decide(command: c.Decide, context: Context) -> Outcome:
    """Makes a move of the batch for all of its records, or for those whose numbers are in `reason`; or for none.

    Raises DomainError: unknown_service, no_such_move, nothing_to_decide, declare_first, no_such_numbers, and whatever
    refuses one of the moves; ForbiddenError.
    """
    service, rule, mine, _recused = await _batch(context, command)
    moves = rules_of(service).moves
    if command.move not in rule.moves:
        raise DomainError("no_such_move", known="、".join(moves[name].label for name in rule.moves))
    if not mine:
        raise DomainError("nothing_to_decide", service=service.short)
    if await _undeclared(context, mine):
        raise DomainError("declare_first", service=service.short)
    numbers, words = (tuple(case.id for case in mine), command.reason)
    if not command.every:
        numbers, words = _numbers(command.reason, mine)
    if not numbers:
        raise DomainError("no_such_numbers", known=[case.id for case in mine])
    for number in numbers:
        await context.bus.execute(c.Move(case_id=number, move=command.move, reason=words), context)
    left = len(mine) - len(numbers)
    if not left:
        await close_prompts(context, _called(service))
    params = {
        "service": service.short,
        "label": moves[command.move].label,
        "numbers": list(numbers),
        "left": left,
    }
    return Outcome(wording="cases.round_decided", params=params, subject=f"service:{service.id}", data=params)


# --- the body is called


def schedule() -> Schedule:
    """Every morning: rounds whose time is over, and on the first of a meeting's months what came in since."""
    return Schedule(
        name="cases.meetings", times=on_days(_MORNING, lambda _day: True), run=_call, useful=timedelta(days=7)
    )


async def _call(context: Context, moment: datetime) -> None:
    for service in context.catalogue:
        rule = rules_of(service).meeting if service.life == "case" else None
        if rule is None:
            continue
        if rules_of(service).call:
            for call in await _closed(context, service, moment):
                await _call_body(context, service, rule, call.title, moment)
        elif local(moment).day == 1 and local(moment).month in rule.months:
            await _call_body(context, service, rule, "", moment)


async def _closed(context: Context, service: Declaration, moment: datetime) -> Sequence[Offering]:
    """Rounds whose time was over in the day before a moment."""
    query = select(Offering).where(Offering.service == service.id).order_by(Offering.id)
    calls = (await context.session.execute(query)).scalars().all()
    ends = [(call, store.spec_of(call).closes_at) for call in calls if call.state != "cancelled"]
    return [call for call, end in ends if end is not None and moment - timedelta(days=1) < end <= moment]


async def _call_body(context: Context, service: Declaration, rule: Meeting, call: str, moment: datetime) -> None:
    """Tells everybody in the body, unless nothing waits for it nor is on its way."""
    moves = rules_of(service).moves
    states = [case.state for case in await _open(context, service, call)]
    waiting = states.count(rule.at)
    coming = sum(rule.at in reachable(moves, [state]) for state in states) - waiting
    if not waiting and not coming:
        return
    await cancel_notices(context, _called(service))
    for member in await holders(context.session, rule.by, service=service.id):
        ask = c.Round(service=service.id, offering=call)
        notice = Notice(
            member_id=member.id,
            wording="cases.round_called",
            params={"waiting": waiting, "coming": coming},
            subject=_called(service),
            options=(Option(label="上会名单", command=ask),),
            unique_key=f"meeting:{service.id}:{call}:{int(moment.timestamp())}:{member.id}"[:120],
            kind="reminder",
        )
        await notify(context, notice)


def _called(service: Declaration) -> str:
    return f"meeting:{service.id}"


# --- what waits, and for whom


async def _batch(
    context: Context, command: c.Round | c.Declare | c.Decide
) -> tuple[Declaration, Meeting, list[Case], int]:
    """What waits for a body that the actor sits in: with its service and rule, and how many concern the actor.

    Raises DomainError("unknown_service"), ForbiddenError.
    """
    service, rule = _meeting(context, command.service)
    _require(context, service, rule)
    waiting = await _waiting(context, service, rule, command.offering)
    mine = [case for case in waiting if context.actor.member_id not in store.concerned(case)]
    return service, rule, mine, len(waiting) - len(mine)


def _meeting(context: Context, service: str) -> tuple[Declaration, Meeting]:
    """Raises DomainError("unknown_service") where nothing of a service is decided by batch."""
    declared = store.declared(context, service)
    rule = rules_of(declared).meeting
    if rule is None:
        raise DomainError("unknown_service", service=service)
    return declared, rule


def _require(context: Context, service: Declaration, rule: Meeting) -> None:
    """Whoever sits in the body; nobody at the machine, who could declare nothing."""
    if context.actor.member is None or not context.actor.holds(rule.by, service=service.id):
        raise ForbiddenError


async def _waiting(context: Context, service: Declaration, rule: Meeting, call: str) -> list[Case]:
    """Records that can be decided, of one round where it is named."""
    return [case for case in await _open(context, service, call) if case.state == rule.at]


async def _open(context: Context, service: Declaration, call: str) -> Sequence[Case]:
    query = select(Case).where(Case.service == service.id, Case.ended_at.is_(None)).order_by(Case.id)
    if call:
        named = select(Offering.id).where(Offering.service == service.id, Offering.title == call)
        query = query.where(Case.offering_id.in_(named))
    return (await context.session.execute(query)).unique().scalars().all()


async def _undeclared(context: Context, cases: Sequence[Case]) -> list[Case]:
    """Those of which the actor has not said yet whether they concern them."""
    query = select(CaseStep.case_id).where(
        CaseStep.case_id.in_([case.id for case in cases]),
        CaseStep.actor_id == context.actor.member_id,
        CaseStep.move == _FREE,
    )
    declared = set((await context.session.execute(query)).scalars())
    return [case for case in cases if case.id not in declared]


def _numbers(words: str, cases: Sequence[Case]) -> tuple[tuple[int, ...], str]:
    """Numbers of the batch at the beginning of a text, and the words behind them."""
    known, found, rest = {case.id for case in cases}, [], words
    while (said := _NUMBER.match(rest)) and int(said[1]) in known:
        found.append(int(said[1]))
        rest = rest[said.end() :]
    return tuple(dict.fromkeys(found)), rest.strip(" 、，,：:；;\n")


# --- what is said


async def _choose(context: Context) -> Outcome:
    """The batches of all bodies that the actor sits in."""
    found, options = [], []
    for service in context.catalogue:
        rule = rules_of(service).meeting if service.life == "case" else None
        if rule is None or not context.actor.holds(rule.by, service=service.id):
            continue
        count = len(await _waiting(context, service, rule, ""))
        found.append({"service": service.short, "count": count})
        if count:
            options.append(Option(label=f"{service.short}名单", command=c.Round(service=service.id)))
    if not found:
        raise ForbiddenError
    return await _offered(context, c.Round(), {"services": found}, options)


async def _offered(context: Context, command: c.Round, params: dict[str, Any], options: Sequence[Option]) -> Outcome:
    """The list with its answers; those of an earlier one are over."""
    member_id = context.actor.member_id
    wording = "cases.round" if command.service else "cases.rounds"
    subject = f"round:{command.service}:{member_id}"
    await cancel_notices(context, subject)
    notice = Notice(member_id=member_id, wording=wording, params=params, subject=subject, options=tuple(options))
    said = await offer(context, notice) if options else []
    return Outcome(wording=wording, params=params, subject=f"service:{command.service}", options=said, data=params)


def _options(command: c.Round, service: Declaration, rule: Meeting, *, declared: bool) -> Sequence[Option]:
    of = {"service": command.service, "offering": command.offering}
    if not declared:
        none = Option(label="无需回避", command=c.Declare(**of, none=True))
        return none, Option(label="回避", command=c.Declare(**of), asks_reason=True, longest=_LONGEST)
    labels = [(name, rules_of(service).moves[name].label) for name in rule.moves]
    first, label = labels[0]
    every = Option(
        label=f"全部{label}", command=c.Decide(**of, move=first, every=True), asks_reason=True, longest=_LONGEST
    )
    some = [
        Option(label=f"这几件{label}", command=c.Decide(**of, move=name), asks_reason=True, longest=_LONGEST)
        for name, label in labels
    ]
    return every, *some


def _row(context: Context, service: Declaration, case: Case) -> dict[str, Any]:
    """A line of the list: who decides has to know of whom and of what."""
    known, values = notices.facts(context, case), store.values(context, case)
    kind = str(values.get(rules_of(service).kind_field, ""))
    return {"id": case.id, "unit": known["unit"], "member": known["member"], "kind": kind, "call": known["call"]}
