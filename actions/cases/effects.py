"""What a move leaves behind, by what it asks for: people it is given to, seconders, marks, words that are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from actions.blocks.moves import HANDLER, HELPER
from actions.blocks.named_people import named_people
from actions.blocks.satisfaction import marks
from actions.cases import merging, seconding, store
from actions.cases.form import rules_of
from actions.cases.tables import CaseHandler
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from actions.blocks.moves import Move
    from actions.cases.tables import Case
    from actions.core.commands import Context
    from actions.core.tables import Member


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What came of the words of a move.

    `keeps` is laid over what the record keeps; `said` is told to the author; `to` is another state than the declared
    one; `others` are told too (member id, sentence). `told`: the author hears of it though the state stays.
    """

    keeps: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    to: str = ""
    others: Sequence[tuple[int, str]] = ()
    told: bool = False


async def of(context: Context, case: Case, move: Move, words: str) -> Effect:
    """The effect of a move's words. Raises DomainError where they do not say what the move asks for."""
    return await _EFFECTS[move.asks](context, case, move, words)


async def _nothing(_context: Context, _case: Case, _move: Move, _words: str) -> Effect:
    return Effect()


async def _words(_context: Context, _case: Case, move: Move, words: str) -> Effect:
    keeps = {move.keeps: words} if move.keeps and words else {}
    return Effect(keeps=keeps, said=words, told=bool(words) and bool(move.keeps))


async def _choice(_context: Context, _case: Case, move: Move, words: str) -> Effect:
    chosen = next((choice for choice in move.choices if words.startswith(choice)), None)
    if chosen is None:
        raise DomainError("words_needed", label=move.label, asks=move.asks, choices=list(move.choices))
    return Effect(keeps={move.keeps: chosen} if move.keeps else {}, said=words, told=True)


async def listed(context: Context, words: str) -> list[Member]:
    """Members whom a text names, in its order, each once. Raises DomainError: no_such_person, which_person."""
    found = [await store.member_named(context, one.staff_id or one.name) for one in named_people(words) if not one.me]
    if not found:
        raise DomainError("no_such_person", name=words)
    return list({member.id: member for member in found}.values())


async def _people(context: Context, case: Case, _move: Move, words: str) -> Effect:
    members = await listed(context, words)
    if case.member_id in {member.id for member in members}:
        raise DomainError("recused")
    await context.session.execute(delete(CaseHandler).where(CaseHandler.case_id == case.id))
    parts = (HANDLER, *(HELPER for _ in members[1:]))
    rows = [CaseHandler(case_id=case.id, member_id=m.id, part=p) for m, p in zip(members, parts, strict=True)]
    context.session.add_all(rows)
    await context.session.flush()
    names = "、".join(_called(member) for member in members)
    helpers = [(member.id, "cases.given_to_helper") for member in members[1:]]
    return Effect(keeps={"handled_by": names}, said=names, others=helpers)


def _called(member: Member) -> str:
    return f"{member.unit.name} {member.name}" if member.unit else member.name


async def _seconders(context: Context, case: Case, _move: Move, words: str) -> Effect:
    names = await seconding.invite(context, case, await listed(context, words))
    return Effect(said="、".join(names))


async def _scores(context: Context, case: Case, move: Move, words: str) -> Effect:
    rule = rules_of(context.catalogue[case.service]).satisfaction
    if rule is None:
        raise DomainError("no_such_move", known="")
    found = marks(words, rule.aspects, rule.levels)
    if found is None:
        raise DomainError("words_needed", label=move.label, asks=move.asks, choices=list(rule.levels))
    redone = int(case.kept.get("redone", 0))
    redo = rule.levels[-1] in found.values() and redone < rule.redo_most
    keeps: dict[str, Any] = {"satisfaction": found, "rated": words}
    said = "，".join(f"{aspect}：{level}" for aspect, level in found.items())
    if redo:
        return Effect(keeps={**keeps, "redone": redone + 1}, said=said, to=rule.redo)
    return Effect(keeps=keeps, said=said)


async def _record(context: Context, case: Case, _move: Move, words: str) -> Effect:
    return Effect(said=(await merging.merge(context, case, words)).title)


_EFFECTS: Mapping[str, Callable[[Context, Case, Move, str], Awaitable[Effect]]] = {
    "nothing": _nothing,
    "reason": _words,
    "grounds": _words,
    "choice": _choice,
    "people": _people,
    "seconders": _seconders,
    "scores": _scores,
    "record": _record,
}
