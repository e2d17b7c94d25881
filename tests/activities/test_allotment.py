"""Allotting by wishes: fair, within what there is, however it is handed in; nobody loses by a withdrawal."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.allotment import (
    Applicant,
    Companions,
    Plan,
    Room,
    allot,
    companions_fault,
    may_again,
    moved_up,
    ordered,
)
from actions.blocks.identity import genuine, said

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUTES, UNITS = ("山", "海", "湖"), ("甲", "乙", "丙")


@st.composite
def fields(draw: st.DrawFn) -> tuple[list[Applicant], Room]:
    """Applicants with wishes and ranks of their own within each unit, and the room there is."""
    people: list[Applicant] = []
    for unit in UNITS:
        for rank in range(1, draw(st.integers(0, 5)) + 1):
            wishes = draw(st.lists(st.sampled_from(ROUTES), min_size=1, max_size=3, unique=True))
            year = draw(st.one_of(st.none(), st.integers(2015, 2022)))
            key = f"{unit}{rank}"
            people.append(Applicant(key=key, unit=unit, rank=rank, wishes=tuple(wishes), last_year=year))
    capacity = {route: draw(st.integers(0, 4)) for route in ROUTES}
    units = {unit: draw(st.one_of(st.none(), st.integers(0, 4))) for unit in UNITS}
    return people, Room(capacity=capacity, units=units)


def _within(plan: Plan, room: Room) -> None:
    options, units = Counter(option for option, _unit in plan.seats), Counter(unit for _option, unit in plan.seats)
    assert all(count <= room.capacity[option] for option, count in options.items())
    for unit, count in units.items():
        most = room.units[unit]
        assert most is None or count <= most


def _better(one: Applicant, given: Mapping[str, str]) -> tuple[str, ...]:
    """What somebody wished for more than for what they have."""
    own = given.get(one.key)
    return one.wishes[: one.wishes.index(own)] if own is not None else one.wishes


def _envied(plan: Plan, room: Room) -> list[tuple[str, str]]:
    """Who sees somebody further back with what they wished for more, and had room in their unit's share for it."""
    of_unit = Counter(unit for _option, unit in plan.seats)
    found = []
    for place, one in enumerate(plan.order):
        most = room.units[one.unit]
        has = one.key in plan.given
        for other in plan.order[place + 1 :]:
            shared = has or other.unit == one.unit or most is None or of_unit[one.unit] < most
            if shared and plan.given.get(other.key) in _better(one, plan.given):
                found.append((one.key, other.key))
    return found


def _idle(plan: Plan, room: Room) -> list[str]:
    """Who could have more within the room that is left."""
    found = []
    for one in plan.order:
        beside = [(plan.given[o.key], o.unit) for o in plan.order if o.key in plan.given and o != one]
        left = room.without(beside)
        found += [one.key for wish in _better(one, plan.given) if left.takes(wish, one.unit)]
    return found


@given(fields())
def test_a_plan_is_fair_and_keeps_to_what_there_is(field: tuple[list[Applicant], Room]) -> None:
    people, room = field
    plan = allot(people, room)
    _within(plan, room)
    assert all(option in one.wishes for one in plan.order if (option := plan.given.get(one.key)))
    assert _envied(plan, room) == []
    assert _idle(plan, room) == [], "no place is left that somebody in the line wished for"
    assert [one.key for one in plan.standby] == [one.key for one in plan.order if one.key not in plan.given]
    assert moved_up(plan, room) == ()


@given(fields(), st.integers(0, 10))
def test_it_does_not_depend_on_who_is_told_first(field: tuple[list[Applicant], Room], seed: int) -> None:
    people, room = field
    shuffled = list(people)
    random.Random(seed).shuffle(shuffled)
    assert allot(shuffled, room) == allot(people, room)


@given(fields(), st.data())
def test_a_withdrawal_takes_nothing_from_anybody(field: tuple[list[Applicant], Room], data: st.DataObject) -> None:
    people, room = field
    plan = allot(people, room)
    if not plan.given:
        return
    gone = data.draw(st.sampled_from(sorted(plan.given)))
    order = tuple(one for one in plan.order if one.key != gone)
    left = Plan(order=order, given={key: option for key, option in plan.given.items() if key != gone})
    moves = moved_up(left, room)
    given = {**left.given, **{move.key: move.option for move in moves}}
    after = replace(left, given=given)
    _within(after, room)
    assert _idle(after, room) == []
    by_key = {one.key: one for one in order}
    for move in moves:
        one, before = by_key[move.key], left.given.get(move.key, "")
        assert move.before == before
        assert not before or one.wishes.index(move.option) < one.wishes.index(before)
    assert all(given[key] == option for key, option in left.given.items() if key not in {m.key for m in moves})
    assert len(moves) <= len(ROUTES), "one place goes on as long as each leaves one that is liked better"


@given(fields(), st.data())
def test_who_is_fixed_is_not_moved(field: tuple[list[Applicant], Room], data: st.DataObject) -> None:
    people, room = field
    plan = allot(people, room)
    fixed = frozenset(data.draw(st.sets(st.sampled_from([one.key for one in people])))) if people else frozenset()
    roomier = Room(capacity={route: count + 1 for route, count in room.capacity.items()}, units=room.units)
    assert not {move.key for move in moved_up(plan, roomier, fixed=fixed)} & fixed


def test_ranks_order_and_those_who_waited_longest_come_first() -> None:
    people = [
        Applicant(key="3", unit="乙", rank=1, wishes=("山",), last_year=2019),
        Applicant(key="1", unit="甲", rank=1, wishes=("山",), last_year=2020),
        Applicant(key="2", unit="甲", rank=2, wishes=("山",)),
        Applicant(key="4", unit="丙", rank=1, wishes=("山", "海")),
    ]
    assert [one.key for one in ordered(people)] == ["4", "3", "1", "2"]
    plan = allot(people, Room(capacity={"山": 2, "海": 1}, units={"甲": 1}))
    assert plan.given == {"4": "山", "3": "山"}
    assert [one.key for one in plan.standby] == ["1", "2"]


def test_a_place_goes_on_along_the_wishes() -> None:
    """甲1 withdraws from the mountain: 乙1, who is at the sea, comes there, and the sea goes to the line."""
    people = [
        Applicant(key="甲1", unit="甲", rank=1, wishes=("山",)),
        Applicant(key="乙1", unit="乙", rank=1, wishes=("山", "海")),
        Applicant(key="丙1", unit="丙", rank=1, wishes=("海",)),
    ]
    room = Room(capacity={"山": 1, "海": 1})
    plan = allot(sorted(people, key=lambda one: one.key != "甲1"), room)
    taker = next(key for key, option in plan.given.items() if option == "山")
    left = Plan(
        order=tuple(one for one in plan.order if one.key != taker),
        given={key: option for key, option in plan.given.items() if key != taker},
    )
    moves = moved_up(left, room)
    assert all(move.option for move in moves)
    assert _idle(replace(left, given={**left.given, **{move.key: move.option for move in moves}}), room) == []


@pytest.mark.parametrize(
    ("last", "years", "may"), [(None, 3, True), (2022, 3, True), (2023, 3, False), (2026, 0, False), (2025, 0, True)]
)
def test_years_between(last: int | None, years: int, *, may: bool) -> None:
    assert may_again(last, 2026, years) is may


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("王芳（配偶）", ""),
        ("爱人王芳", ""),
        ("王芳（配偶）、王小明（儿子）", "too_many"),
        ("王芳", "no_relation"),
        ("王芳（同事）", "no_relation"),
    ],
)
def test_companions_are_few_and_near(text: str, fault: str) -> None:
    rules = Companions(field="companions", most=1, relations=("配偶", "爱人", "儿"))
    assert companions_fault(text, rules) == fault


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("11010519491231002X", True),
        ("440524188001010014", False),
        ("110105194912310021", False),
        ("11010519491331002X", False),
        ("11010520991231002X", False),
        ("1101051949123100", False),
        ("X1010519491231002X", False),
    ],
)
def test_a_number_has_a_day_and_a_check_digit(number: str, *, good: bool) -> None:
    """The first is the example of GB 11643; the second is its other one, of somebody born before 1900."""
    assert genuine(number, date(2026, 11, 22)) is good


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(place: int, by: int) -> None:
    number = "11010519491231002X"
    wrong = f"{number[:place]}{(int(number[place]) + by) % 10}{number[place + 1 :]}"
    assert not genuine(wrong, date(2026, 11, 22))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("我的身份证号是11010519491231002x", "11010519491231002X"),
        ("110105 1949 1231 002X", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        ("11010519491231002X 和 110105194912310021", None),
        ("电话 13800000001", None),
        ("6222021234567890123", None),
    ],
)
def test_a_number_is_read_from_what_is_said(text: str, number: str | None) -> None:
    assert said(text) == number
