"""What is said about a record, to whom. What is pushed about a private service gives nothing away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.blocks.moves import AUTHOR, CLOCK, moves_from
from actions.cases import commands as c
from actions.cases import store
from actions.cases.form import rules_of
from actions.cases.tables import Case
from actions.core.notify import Notice, Option, cancel_notices, notify
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actions.blocks.moves import Move
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

#: Code points of what is said with a move.
_LONGEST = 600
#: Code points of an answer that is shown in a list of a record's fields.
_SHORT = 120


def facts(context: Context, case: Case) -> dict[str, Any]:
    """Parameters of the sentences about a record, in clear."""
    service = context.catalogue[case.service]
    state = rules_of(service).states[case.state]
    return {
        "id": case.id,
        "service": service.short,
        "title": title(context, case),
        "state": case.state,
        "state_title": state.title,
        "ended": state.ends,
        "member": case.member.name,
        "unit": case.unit.name if case.unit else "",
        "call": case.offering.title if case.offering else "",
        "due": local(case.due_at) if case.due_at else "",
        "created_at": local(case.created_at),
        "fields": dict(case.fields),
        "kept": dict(case.kept),
        "example": bool(case.offering and case.offering.example),
    }


def title(context: Context, case: Case) -> str:
    """What a record is called; of a private service what it is, and no more."""
    service = context.catalogue[case.service]
    return service.short if service.private else case.title


def pushed(context: Context, case: Case) -> dict[str, Any]:
    """As `facts`, for a locked screen: of a private service nothing but a number."""
    known = facts(context, case)
    if store.private(context, case):
        known |= {"service": "", "title": "", "member": "", "unit": "", "state_title": "", "call": ""}
        known |= {"fields": {}, "kept": {}}
    return known


def rows(service: Declaration, values: Mapping[str, Any]) -> list[list[str]]:
    """Fields as they are listed to who reads the record: (label, value)."""
    found = []
    for field in service.form:
        value = values.get(field.key)
        if value in (None, "", True) or field.type == "materials":
            continue
        text = str(values.get(f"{field.key}_text") or value)
        found.append([field.label, text if len(text) <= _SHORT else f"{text[:_SHORT]}…"])
    return found


def spoken_by_officer(service: Declaration, values: Mapping[str, Any]) -> bool:
    """Whether an officer, not the assistant, speaks to the person (去世)."""
    spoken = rules_of(service).spoken
    return spoken is not None and values.get(spoken.field) in spoken.values


# --- those who may move it


async def ask(context: Context, case: Case) -> int:
    """Asks those who may move a record on, with the moves as options; returns how many people.

    What was asked before is taken back. Of the officers' moves that lead elsewhere the first in the declaration decides
    who is asked: the first of its `by` that anybody is. They are offered every move that they may make. The author is
    asked too where there is more to do for them than to take it back.
    """
    await cancel_notices(context, case.task)
    moves = {
        name: move
        for name, move in moves_from(rules_of(context.catalogue[case.service]).moves, case.state).items()
        if move.offered
    }
    asked = await movers(context, case, moves.values())
    if any(AUTHOR in move.by and not withdraws(move) for move in moves.values()):
        asked.append(case.member_id)
    for member in asked:
        own = {name: move for name, move in moves.items() if await _meant(context, case, move, member)}
        await _ask(context, case, member, own)
    return len(asked)


async def movers(context: Context, case: Case, moves: Iterable[Move]) -> list[int]:
    """Whom the officers' moves of a state ask: those of the first that leads elsewhere, else of the first at all."""
    leading = sorted((m for m in moves if CLOCK not in m.by), key=lambda move: move.to in ("", case.state))
    for move in leading:
        for who in move.by:
            found = await store.people(context, case, who) if who != AUTHOR else []
            if found:
                return found
    return []


async def _meant(context: Context, case: Case, move: Move, member: int) -> bool:
    return any([member in await store.people(context, case, who) for who in move.by])


def withdraws(move: Move) -> bool:
    """Whether a move is the author's, who takes the record back."""
    return move.by == (AUTHOR,) and move.asks == "nothing" and not move.needs


async def _ask(context: Context, case: Case, member: int, moves: Mapping[str, Move]) -> None:
    service = context.catalogue[case.service]
    own = member == case.member_id
    options = [
        Option(
            label=move.label,
            command=c.Move(case_id=case.id, move=name),
            asks_reason=move.asks != "nothing",
            longest=_LONGEST,
        )
        for name, move in moves.items()
    ]
    if not own:
        options.append(Option(label="查看", command=c.Look(case_id=case.id)))
    spoken = spoken_by_officer(service, store.values(context, case))
    params = {
        **pushed(context, case),
        "rows": [] if store.private(context, case) else rows(service, case.fields),
        "moves": [{"label": move.label, "hint": _hint(move)} for move in moves.values()],
        "speak": spoken and not own,
        "marks": _marks(service),
    }
    wording = "cases.your_turn" if own else "cases.waits_for_you"
    await notify(
        context, Notice(member_id=member, wording=wording, params=params, subject=case.task, options=tuple(options))
    )


def _marks(service: Declaration) -> str:
    """What a full mark looks like, as an example."""
    rule = rules_of(service).satisfaction
    return "，".join(f"{aspect}{rule.levels[0]}" for aspect in rule.aspects) if rule else ""


def _hint(move: Move) -> str:
    """What kind of words a move waits for; its sentence is in data/responses."""
    return "content" if move.asks == "grounds" and move.keeps else move.asks


# --- the author


async def tell_author(context: Context, case: Case, move: Move, words: str) -> None:
    """Tells the author, and those whose records were merged into this one, what became of it.

    Not who did it themselves, not of a quiet state, and not where an officer speaks to the person.
    """
    service = context.catalogue[case.service]
    state = rules_of(service).states[case.state]
    if (state.quiet and not move.tells) or spoken_by_officer(service, store.values(context, case)):
        return
    private = store.private(context, case)
    params = {**pushed(context, case), "words": "" if private else words, "label": "" if private else move.label}
    actor = context.actor.member
    for member in (case.member_id, *await credited(context, case)):
        if actor is None or member != actor.id:
            wording = "cases.moved_private" if private else move.tells or "cases.moved"
            await notify(context, Notice(member_id=member, wording=wording, params=params, subject=case.subject))


async def credited(context: Context, case: Case) -> list[int]:
    """Authors of the records that were merged into one, each once."""
    query = select(Case.member_id).where(Case.merged_id == case.id).order_by(Case.id)
    merged = (await context.session.execute(query)).scalars()
    return [member for member in dict.fromkeys(merged) if member != case.member_id]


async def tell(context: Context, case: Case, member: int, wording: str, **params: Any) -> None:
    """Tells somebody else something about a record."""
    known = {**pushed(context, case), **params}
    await notify(context, Notice(member_id=member, wording=wording, params=known, subject=case.subject))
