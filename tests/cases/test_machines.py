"""The state machine of every declaration: no state that nothing leads to, none without a way out, no right too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.moves import AUTHOR, CLOCK, HANDLER, HELPER, Move, State, faults, moves_from, reachable
from actions.cases import papers, store
from actions.cases.form import rules_of
from actions.cases.tables import Case, CaseHandler
from actions.core.commands import ROLES, Actor, Grant
from actions.core.errors import DomainError, ForbiddenError
from bot.lives import load_services
from bot.settings import ROOT, Settings
from bot.wording import load_wording

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.core.tables import Member
    from tests.conftest import World

SERVICES = [each for each in load_services(Settings()) if each.life == "case" and rules_of(each).states]
IDS = [each.id for each in SERVICES]


def test_every_row_of_the_catalogue_is_declared() -> None:
    rows = "idea suggestion achievement proposal aid temporary_aid condolence care_list nomination club_review"
    more = "service_order unit_project news election congress cooperation"
    assert {*rows.split(), *more.split()} <= set(IDS)


@pytest.mark.parametrize("service", SERVICES, ids=IDS)
def test_every_state_is_reached_and_left(service) -> None:
    rules = rules_of(service)
    begun = [rules.start, *rules.starts.values(), *(rules.start_when.values.values() if rules.start_when else ())]
    assert list(faults(rules.states, rules.moves, begun)) == []
    for name, state in rules.states.items():
        out = moves_from(rules.moves, name)
        if state.ends:
            assert not any(move.to for move in out.values()), f"{name} is an end and goes on"
        else:
            others = [move for move in out.values() if move.by != (AUTHOR,)]
            assert others or any(AUTHOR in move.by for move in out.values())
            assert state.days or any(AUTHOR in m.by or not m.to or m.by for m in out.values())


@pytest.mark.parametrize("service", SERVICES, ids=IDS)
def test_what_officers_have_to_do_has_a_deadline_or_waits_for_the_author(service) -> None:
    rules = rules_of(service)
    free = {"seeking", "arranged", "waiting"}  # the author gathers seconders, a date is agreed on, a term runs
    for name, state in rules.states.items():
        assert state.ends or state.days or name in free, f"{name} may wait for ever"


@pytest.mark.parametrize("service", SERVICES, ids=IDS)
def test_labels_tell_the_options_of_a_state_apart(service) -> None:
    rules = rules_of(service)
    for state in rules.states:
        labels = [move.label for move in moves_from(rules.moves, state).values()]
        assert len(set(labels)) == len(labels)
        assert "查看" not in labels


@pytest.mark.parametrize("service", SERVICES, ids=IDS)
def test_every_sentence_that_a_declaration_names_is_there(service) -> None:
    rules = rules_of(service)
    wording = load_wording(ROOT / "data" / "responses", {"union": {"name": "", "phone": "", "office": ""}})
    refusals = [*([rules.eligible.refusal] if rules.eligible else []), *(rule.refusal for rule in rules.only)]
    named = [rules.submitted, *(move.tells for move in rules.moves.values()), *(f"errors.{code}" for code in refusals)]
    assert [key for key in named if key and key not in wording] == []


@pytest.mark.parametrize("service", SERVICES, ids=IDS)
def test_columns_are_fields_or_known(service) -> None:
    rules = rules_of(service)
    keys = {field.key for field in service.form} | {move.keeps for move in rules.moves.values()}
    assert set(rules.columns) - keys - set(papers.HEADINGS) == set()


_NAMES = ("a", "b", "c", "d", "e")


@given(
    st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_NAMES)), max_size=8),
    st.sets(st.sampled_from(_NAMES)),
)
def test_faults_are_those_that_a_walk_finds(edges: list[tuple[str, str]], ends: set[str]) -> None:
    states = {name: State(title=name, ends=name in ends) for name in _NAMES}
    moves = {
        str(number): Move(label=str(number), at=(source,), to=target, by=("union_officer",))
        for number, (source, target) in enumerate(edges)
    }
    found = " ".join(faults(states, moves, ["a"]))
    walked, fresh = {"a"}, {"a"}
    while fresh:
        fresh = {target for source, target in edges if source in walked} - walked
        walked |= fresh
    assert reachable(moves, ["a"]) == walked
    for name in _NAMES:
        assert (f"states.{name}: nothing leads to it" in found) == (name not in walked)


# --- rights


async def _case(context: Context, service: str) -> tuple[Case, list[Member]]:
    """A record of somebody of 文学院, given to two others, and concerning a third."""
    people = [await store.member_named(context, name) for name in ("林一帆", "黄海涛", "刘洋", "张建国", "郑凯文")]
    author, handler, helper, subject, _other = people
    rules = rules_of(context.catalogue[service])
    case = Case(
        service=service,
        member_id=author.id,
        unit_id=author.unit_id,
        state=rules.start,
        title="题目",
        kept={"concerned": [subject.id]},
        created_at=context.now,
        entered_at=context.now,
    )
    context.session.add(case)
    await context.session.flush()
    context.session.add(CaseHandler(case_id=case.id, member_id=handler.id, part=HANDLER))
    context.session.add(CaseHandler(case_id=case.id, member_id=helper.id, part=HELPER))
    await context.session.flush()
    return case, people


@pytest.mark.parametrize("service", IDS)
async def test_every_move_and_role(world: World, service: str) -> None:
    """Who may make a move is who its `by` names, and nobody else; nobody whom the record concerns as an officer."""
    async with world.unit_of_work() as context:
        case, (author, handler, helper, subject, other) = await _case(context, service)
        rules = rules_of(context.catalogue[service])
        for name, move in rules.moves.items():
            for role in ROLES:
                grants = frozenset({Grant(role=role)})
                for member in (other, subject, author):
                    acting = context.acting_as(Actor(member=member, grants=grants))
                    expected = (role in move.by and member is other) or (AUTHOR in move.by and member is author)
                    assert await store.may(acting, case, move) == expected, (name, role, member.name)
            for member, who in ((handler, HANDLER), (helper, HELPER)):
                acting = context.acting_as(Actor(member=member))
                assert await store.may(acting, case, move) == (who in move.by), (name, who)
            elsewhere = Grant(role="unit_officer", unit_id=10_000)
            acting = context.acting_as(Actor(member=other, grants=frozenset({elsewhere})))
            assert not await store.may(acting, case, move), f"{name}: another unit's officer"
            assert await store.people(context, case, CLOCK) == []


@pytest.mark.parametrize("service", IDS)
async def test_a_move_out_of_place_changes_nothing(world: World, service: str) -> None:
    async with world.unit_of_work() as context:
        case, _ = await _case(context, service)
        rules = rules_of(context.catalogue[service])
        for state in rules.states:
            case.state = state
            await context.session.flush()
            for name in rules.moves.keys() - moves_from(rules.moves, state).keys():
                command = context.bus.command("cases.move", {"case_id": case.id, "move": name, "reason": "满意"})
                with pytest.raises(DomainError) as refused:
                    await context.bus.execute(command, context)
                assert refused.value.code == "wrong_move"
                assert case.state == state


@pytest.mark.parametrize("service", IDS)
async def test_strangers_read_nothing(world: World, service: str) -> None:
    async with world.unit_of_work() as context:
        case, (_, handler, _, subject, other) = await _case(context, service)
        moves = rules_of(context.catalogue[service]).moves.values()
        for member in (other, subject):
            acting = context.acting_as(Actor(member=member))
            with pytest.raises(ForbiddenError):
                await acting.bus.execute(context.bus.command("cases.look", {"case_id": case.id}), acting)
        assert await store.may_read(context.acting_as(Actor(member=handler)), case) == any(
            HANDLER in move.by for move in moves
        )
