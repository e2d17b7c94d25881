"""Moving a record: the right, the state, what the move asks for, what it leaves behind, and who hears of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actions.blocks.deadlines import deadline
from actions.blocks.moves import AUTHOR
from actions.cases import conditions, effects, notices, seconding, store, walls
from actions.cases.form import rules_of
from actions.core.commands import Outcome, actor_for
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Member

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.blocks.moves import Move
    from actions.cases.commands import Move as MoveCommand
    from actions.cases.rules import CaseRules
    from actions.cases.tables import Case
    from actions.core.commands import Context


async def move(command: MoveCommand, context: Context) -> Outcome:
    """Raises DomainError: case_gone, no_such_move, wrong_move, recused, words_needed, and what the move needs."""
    case = await store.find(context, command.case_id)
    rules = rules_of(context.catalogue[case.service])
    made = rules.moves.get(command.move)
    if made is None:
        raise DomainError("no_such_move", known="、".join(each.label for each in rules.moves.values()))
    if not await store.may(context, case, made):
        recused = context.actor.member is not None and context.actor.member.id in store.concerned(case)
        raise DomainError("recused") if recused and made.by != (AUTHOR,) else ForbiddenError
    if case.state not in made.at:
        raise DomainError("wrong_move", label=made.label, state_title=rules.states[case.state].title)
    words = command.reason.strip()
    if made.must_say and not words:
        raise DomainError("words_needed", label=made.label, asks=made.asks, choices=list(made.choices))
    for need in made.needs:
        await conditions.NEEDS[need](context, case)
    return await _made(context, case, command.move, made, words)


async def _made(context: Context, case: Case, name: str, made: Move, words: str) -> Outcome:
    effect = await effects.of(context, case, made, words)
    after = effect.to or made.to
    before, late = case.state, case.due_at is not None and context.now > case.due_at
    _keep(context, case, made, effect.keeps)
    await store.note(context, case, name, words, before=before, after=after, late=bool(after) and late)
    if after:
        _by_author_ended(context, case, made, after)
        await enter(context, case, after)
    if made.status:
        await _set_status(context, case, made)
    if made.opens:
        await _open_another(context, case, made)
    if after or effect.told:
        await notices.tell_author(context, case, made, effect.said)
    if after:
        await notices.ask(context, case)
    for member, wording in effect.others:
        await notices.tell(context, case, member, wording, words=words)
    params = {**notices.facts(context, case), "label": made.label, "words": effect.said, "stays": not after}
    return Outcome(
        wording="cases.done",
        params=params,
        subject=case.subject,
        data={"case_id": case.id, "state": case.state},
    )


def _keep(context: Context, case: Case, made: Move, keeps: Mapping[str, Any]) -> None:
    """What a move keeps; words about a private record are sealed with its answers, as officers speak of the person."""
    if made.keeps in keeps and store.private(context, case):
        case.confidential = store.seal(context, {**store.sealed(context, case), made.keeps: keeps[made.keeps]})
        keeps = {key: value for key, value in keeps.items() if key != made.keeps}
    case.kept = {**case.kept, **keeps}


def _by_author_ended(context: Context, case: Case, made: Move, after: str) -> None:
    """What the author takes back gives its place and its turn back."""
    rules = rules_of(context.catalogue[case.service])
    if not rules.states[after].ends:
        return
    if notices.withdraws(made):
        case.counted = False
    if notices.withdraws(made) or not rules.call:
        case.limit_key = None


async def enter(context: Context, case: Case, state: str) -> None:
    """A record comes to a state: its deadline begins. Who may move it on is asked by the caller, in the end."""
    rules = rules_of(context.catalogue[case.service])
    declared = rules.states[state]
    case.state, case.entered_at = state, context.now
    case.due_at = deadline(context.now, declared.days) if declared.days else None
    case.ended_at = context.now if declared.ends else None
    await context.session.flush()
    await walls.wanted(context, case)
    if rules.seconding and state not in rules.seconding.at:
        await seconding.close(context, case)
    await notices.ask(context, case)


def _on_wall(rules: CaseRules, case: Case) -> None:
    wall = rules.wall
    if wall and case.state in wall.at and not case.wall and case.fields.get(wall.field) != (wall.refused or None):
        case.wall = "asked"


async def _set_status(context: Context, case: Case, made: Move) -> None:
    """The membership follows the record: benefits and segments are the new status's from now on."""
    kind = case.fields.get(rules_of(context.catalogue[case.service]).kind_field)
    author = await context.session.get(Member, case.member_id)
    if author is not None and kind in made.status:
        author.status = made.status[str(kind)]
        await context.session.flush()


async def _open_another(context: Context, case: Case, made: Move) -> None:
    """Opens a record of another service for the author, with what both forms have in common."""
    from actions.cases.submitting import open_from  # noqa: PLC0415 - the two call each other

    author = await context.session.get(Member, case.member_id)
    if author is None:
        raise DomainError("case_gone")
    opened = await open_from(replace(context, actor=await actor_for(context.session, author)), case, made.opens)
    case.kept = {**case.kept, "opened": opened.id}


async def by_clock(context: Context, case: Case, name: str, made: Move) -> bool:
    """A move that the clock makes when its state's time is over; False where a condition keeps it back."""
    try:
        for need in made.needs:
            await conditions.NEEDS[need](context, case)
    except DomainError:
        return False
    await _made(context, case, name, made, "")
    return True


def ended(context: Context, case: Case) -> bool:
    """Whether the matter is over."""
    return rules_of(context.catalogue[case.service]).states[case.state].ends
