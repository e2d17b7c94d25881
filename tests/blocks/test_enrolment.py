"""Rules of signing up as pure functions: quotas, who stands together, who may come, names in a text, codes."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.composition import Composition, Player, faults
from actions.blocks.eligibility import Eligibility, Traits, age_on, refusal
from actions.blocks.named_people import Named, named_people
from actions.blocks.quota import Quota, Seat, Taken, free_seat
from actions.blocks.tickets import LENGTH, genuine, new_code
from actions.blocks.vault import AesVault
from actions.core.notify import ALPHABET

UNITS = ("文学院", "机电学院", "图书馆", "")
VAULT = AesVault({"test": bytes(32)})

quotas = st.builds(
    Quota,
    total=st.none() | st.integers(1, 8),
    unit=st.none() | st.integers(0, 4),
    units=st.dictionaries(st.sampled_from(UNITS), st.integers(0, 4)),
)
#: Somebody of a unit comes (True), or the n-th of those who are in leaves.
steps = st.lists(st.tuples(st.booleans(), st.sampled_from(UNITS), st.integers(0, 20)), max_size=40)


@given(quotas, steps)
def test_quotas_hold_whoever_comes_and_goes(quota: Quota, steps: list[tuple[bool, str, int]]) -> None:
    inside: list[tuple[str, Seat]] = []
    for comes, unit, which in steps:
        if not comes:
            if inside:
                inside.pop(which % len(inside))
            continue
        by_unit = {
            name: frozenset(seat.unit_number for of, seat in inside if of == name and seat.unit_number is not None)
            for name in UNITS
        }
        taken = Taken(numbers=frozenset(seat.number for _unit, seat in inside), by_unit=by_unit)
        seat = free_seat(quota, taken, unit)
        cap, of_unit = quota.cap(unit), sum(of == unit for of, _seat in inside)
        if isinstance(seat, Seat):
            inside.append((unit, seat))
        elif seat == "total":
            assert quota.total is not None
            assert len(inside) >= quota.total
        else:
            assert cap is not None
            assert of_unit >= cap
        assert len({seat.number for _unit, seat in inside}) == len(inside)
        assert quota.total is None or len(inside) <= quota.total
        assert all(
            quota.cap(name) is None or count <= (quota.cap(name) or 0)
            for name, count in Counter(of for of, _seat in inside).items()
        )


rules = st.integers(1, 4).flatmap(
    lambda low: st.builds(
        Composition,
        minimum=st.just(low),
        maximum=st.integers(low, 6),
        at_least=st.dictionaries(st.just("女"), st.integers(0, 1)),
        at_most=st.dictionaries(st.just("男"), st.integers(0, 4)),
        joint_under=st.none() | st.integers(0, 20),
    )
)
players = st.lists(
    st.builds(
        Player,
        name=st.sampled_from("甲乙丙丁戊己庚辛"),
        sex=st.sampled_from(("男", "女")),
        unit=st.sampled_from(UNITS[:3]),
        unit_size=st.just(10),
        number=st.none() | st.integers(1, 3),
    ),
    max_size=7,
)


@given(rules, players)
def test_a_team_has_a_fault_exactly_where_a_rule_is_broken(rule: Composition, team: list[Player]) -> None:
    found = {one.fault for one in faults(rule, team)}
    sexes, numbers = Counter(p.sex for p in team), [p.number for p in team if p.number is not None]
    units = {player.unit for player in team}
    assert ("too_few" in found) == (len(team) < rule.minimum)
    assert ("too_many" in found) == (len(team) > rule.maximum)
    assert ("sex_too_few" in found) == any(sexes[sex] < least for sex, least in rule.at_least.items())
    assert ("sex_too_many" in found) == any(sexes[sex] > most for sex, most in rule.at_most.items())
    assert ("twice" in found) == (len({player.name for player in team}) < len(team))
    assert ("number_twice" in found) == (len(set(numbers)) < len(numbers))
    assert ("joint" in found) == (len(units) > 1 and rule.joint_under is not None and rule.joint_under <= 10)


def test_a_composition_that_nobody_can_meet_is_refused() -> None:
    with pytest.raises(ValueError, match="more are asked for"):
        Composition(minimum=3, maximum=2)
    with pytest.raises(ValueError, match="more are asked for"):
        Composition(minimum=1, maximum=2, at_least={"女": 2, "男": 1})


@given(st.dates(date(1940, 1, 1), date(2008, 12, 31)), st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_a_birthday_is_a_year(birthday: date, today: date) -> None:
    age = age_on(birthday, today)
    has_been = (today.month, today.day) >= (birthday.month, birthday.day)
    assert age == today.year - birthday.year - (0 if has_been else 1)


@pytest.mark.parametrize(
    ("rule", "person", "why"),
    [
        (Eligibility(), Traits(), None),
        (Eligibility(sexes=("女",)), Traits(sex="男"), "sex"),
        (Eligibility(sexes=("女",)), Traits(sex=""), "sex"),
        (Eligibility(statuses=("active",)), Traits(status="retired"), "status"),
        (Eligibility(units=("图书馆",)), Traits(unit="文学院"), "unit"),
        (Eligibility(tags=("新入职",), roles=("union_officer",)), Traits(), "group"),
        (Eligibility(tags=("新入职",), roles=("union_officer",)), Traits(roles=frozenset({"union_officer"})), None),
        (Eligibility(tags=("新入职",)), Traits(tags=frozenset({"新入职"})), None),
        (Eligibility(max_age=40), Traits(), "age_unknown"),
        (Eligibility(max_age=40), Traits(age=40), None),
        (Eligibility(max_age=40), Traits(age=41), "age"),
        (Eligibility(min_age=45), Traits(age=44), "age"),
    ],
)
def test_who_may_come(rule: Eligibility, person: Traits, why: str | None) -> None:
    assert refusal(rule, person) == why


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("王敏", [Named(name="王敏")]),
        ("我和王敏", [Named(me=True), Named(name="王敏")]),
        ("跟赵磊老师一起", [Named(name="赵磊")]),
        ("队员：张三、7号李四，王五 20150108 和我", ["张三", (7, "李四"), "王五/20150108", "我"]),
        ("1. 张三\n2. 李四\n3、王五", ["张三", "李四", "王五"]),
        ("张三（10号） 李四(7号)", [(10, "张三"), (7, "李四")]),
        ("20150108", [Named(staff_id="20150108")]),
        ("欧阳文静、我、一共五个人", ["欧阳文静", "我"]),
        ("张三 13900000001，李四", ["张三", "李四"]),
        ("？？？", []),
    ],
)
def test_names_in_a_text(text: str, people: list[object]) -> None:
    assert list(named_people(text)) == [_named(person) for person in people]


def _named(person: object) -> Named:
    if isinstance(person, Named):
        return person
    if isinstance(person, tuple):
        return Named(name=person[1], number=person[0])
    name, _, staff_id = str(person).partition("/")
    return Named(me=True) if name == "我" else Named(name=name, staff_id=staff_id)


def test_a_name_with_an_and_in_it_is_kept_where_it_is_known() -> None:
    assert named_people("张和平、李四", ["张和平", "李四"]) == (Named(name="张和平"), Named(name="李四"))


@given(st.text(max_size=30))
def test_no_text_is_too_strange(text: str) -> None:
    assert all(one.me or one.name or one.staff_id for one in named_people(text))


def test_a_slip_makes_no_other_code() -> None:
    code = new_code(VAULT, "check-in")
    assert len(code) == LENGTH
    assert genuine(VAULT, "check-in", f" {code.lower()} ") == code
    assert genuine(VAULT, "pickup", code) == ""
    slips = {code[:at] + char + code[at + 1 :] for at in range(LENGTH) for char in ALPHABET} - {code}
    # Three signed characters: one slip in thirty thousand could pass, and then names no record.
    assert sum(bool(genuine(VAULT, "check-in", slip)) for slip in slips) <= 2


def test_codes_are_not_counted() -> None:
    codes = {new_code(VAULT, "check-in") for _ in range(500)}
    assert len(codes) == 500
    assert all(genuine(VAULT, "check-in", code) for code in codes)
    other = AesVault({"other": bytes(31) + b"x"})
    assert sum(bool(genuine(other, "check-in", code)) for code in codes) <= 2
