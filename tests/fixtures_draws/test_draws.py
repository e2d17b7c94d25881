"""Draws: who meets whom. Each pair once, seeds apart, colleagues apart, and the same again from the same seed."""

import hashlib
from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.core.errors import DomainError
from actions.fixtures.brackets import ranks
from actions.fixtures.draws import deal, draw
from actions.fixtures.lots import drawn as in_order
from actions.fixtures.lots import lot
from actions.fixtures.model import Draw, Format, Known, LoserOf, Placed, WinnerOf
from tests.fixtures_draws.shapes import FORMATS, SEEDS, entrants, fields, pair, sides


@settings(deadline=None)
@given(fields(2, 15), SEEDS, st.sampled_from((1, 2)))
def test_in_a_round_robin_each_pair_meets_once_a_leg_and_nobody_twice_in_a_round(there, seed, legs) -> None:
    made = draw(there, Format(kind="round_robin", legs=legs), seed)
    met = Counter(frozenset(sides(made, game.id)) for game in made.games)
    assert met == {frozenset(two): legs for two in combinations([entrant.id for entrant in there], 2)}
    for number in {game.round for game in made.games}:
        playing = [one for game in made.games if game.round == number for one in sides(made, game.id)]
        assert len(playing) == len(set(playing))


@settings(deadline=None)
@given(fields(2, 14), SEEDS)
def test_the_second_leg_swaps_the_sides(there, seed) -> None:
    made = draw(there, Format(kind="round_robin", legs=2), seed)
    ways = Counter(pair(game) for game in made.games)
    assert set(ways.values()) == {1}


@settings(deadline=None)
@given(fields(), FORMATS, SEEDS, st.randoms())
def test_the_same_seed_gives_the_same_draw_in_whatever_order_they_entered(there, form, seed, chance) -> None:
    made = draw(there, form, seed)
    shuffled = list(there)
    chance.shuffle(shuffled)
    assert draw(shuffled, form, seed) == made
    assert Draw.model_validate_json(made.model_dump_json()) == made
    assert draw(made.entrants, made.format, made.seed) == made


def test_the_lot_is_what_anybody_can_compute() -> None:
    assert lot("8f3a", "order", "机电") == hashlib.sha256("8f3a\x1forder\x1f机电".encode()).hexdigest()


def test_a_draw_of_today_is_the_draw_of_tomorrow() -> None:
    """Recorded once: a change here would make old draws impossible to repeat."""
    made = draw(entrants(7, units=3, seeded=2), Format(kind="knockout"), "2026-11-22")
    assert in_order(["甲", "乙", "丙", "丁", "戊"], "2026-11-22", "order") == ["戊", "丁", "丙", "乙", "甲"]
    assert [(game.id, *sorted(sides(made, game.id))) for game in made.games if sides(made, game.id)] == [
        ("K8-2", "t02", "t04"),
        ("K8-3", "t01", "t06"),
        ("K8-4", "t03", "t05"),
        ("K4-1", "t00"),
    ]


@settings(deadline=None)
@given(fields(2, 20), SEEDS)
def test_a_knockout_has_one_winner_and_everybody_starts_once(there, seed) -> None:
    made = draw(there, Format(kind="knockout", third_place=False), seed)
    assert len(made.games) == len(there) - 1
    starts = [one for game in made.games for one in sides(made, game.id)]
    assert sorted(starts) == sorted(entrant.id for entrant in there)
    fed = [side.game for game in made.games for side in (game.home, game.away) if isinstance(side, WinnerOf)]
    assert sorted(fed) == sorted(game.id for game in made.games[:-1])


@settings(deadline=None)
@given(st.integers(2, 40), SEEDS)
def test_byes_are_the_best_seeds(count, seed) -> None:
    made = draw(entrants(count, seeded=count), Format(kind="knockout"), seed)
    size = max(game.left for game in made.games)
    first = {one for game in made.games if game.left == size and not game.third for one in sides(made, game.id)}
    byes = sorted({entrant.id for entrant in made.entrants} - first)
    assert byes == [f"t{number:02}" for number in range(size - count)]


def test_one_and_two_meet_in_the_final_one_and_four_before() -> None:
    assert ranks(8) == [1, 8, 4, 5, 2, 7, 3, 6]
    assert all(high + low == 33 for high, low in list(pairwise(ranks(32)))[::2])


@settings(deadline=None)
@given(SEEDS, st.integers(2, 8))
def test_colleagues_do_not_meet_in_the_first_round_where_that_can_be(seed, units) -> None:
    """Sixteen entrants, of `units` units that are equally strong or nearly so: none of them is half of all."""
    made = draw(entrants(16, units=units), Format(kind="knockout"), seed)
    unit = {entrant.id: entrant.unit for entrant in made.entrants}
    first = [sorted(unit[one] for one in sides(made, game.id)) for game in made.games if game.left == 16]
    assert all(home != away for home, away in first)


@settings(deadline=None)
@given(fields(), SEEDS, st.integers(2, 4), st.integers(1, 3))
def test_groups_are_even_and_the_seeded_are_spread(there, seed, groups, advance) -> None:
    made = draw(there, Format(kind="groups", groups=groups, advance=advance), seed)
    sizes = [len(group.entrants) for group in made.groups]
    assert max(sizes) - min(sizes) <= 1
    assert sorted(one for group in made.groups for one in group.entrants) == sorted(entrant.id for entrant in there)
    seeded = {entrant.id for entrant in there if entrant.seed is not None}
    strong = [len(seeded & set(group.entrants)) for group in made.groups]
    assert max(strong) - min(strong) <= 1
    for group in made.groups:
        met = Counter(frozenset(sides(made, game.id)) for game in made.games if game.group == group.name)
        assert met == dict.fromkeys((frozenset(two) for two in combinations(group.entrants, 2)), 1)


@settings(deadline=None)
@given(SEEDS, st.integers(2, 6), st.integers(1, 4))
def test_everybody_who_goes_on_has_one_place_and_meets_another_group_first(seed, groups, advance) -> None:
    made = draw(entrants(groups * max(advance, 2)), Format(kind="groups", groups=groups, advance=advance), seed)
    places = [side for game in made.games for side in (game.home, game.away) if isinstance(side, Placed)]
    wanted = {(name, place) for name in "ABCDEF"[:groups] for place in range(1, advance + 1)}
    assert {(side.group, side.place) for side in places} == wanted
    assert len(places) == len(wanted)
    for game in made.games:
        if isinstance(game.home, Placed) and isinstance(game.away, Placed):
            assert game.home.group != game.away.group


def test_two_and_four_groups_cross_as_people_expect() -> None:
    for groups, pairs in ((2, {"A1B2", "B1A2"}), (4, {"A1B2", "B1A2", "C1D2", "D1C2"})):
        made = draw(entrants(16), Format(kind="groups", groups=groups, advance=2), "x")
        sides_of = [(game.home, game.away) for game in made.games]
        first = [(one, other) for one, other in sides_of if isinstance(one, Placed) and isinstance(other, Placed)]
        met = {f"{one.group}{one.place}{other.group}{other.place}" for one, other in first}
        assert met == pairs


def test_the_third_place_is_played_between_those_who_lost_the_semi_finals() -> None:
    made = draw(entrants(8), Format(kind="knockout"), "x")
    third = made.game("K3-1")
    assert (third.home, third.away) == (LoserOf(game="K4-1"), LoserOf(game="K4-2"))
    assert [game.id for game in made.games][-2:] == ["K3-1", "K2-1"]
    assert made.later("K8-1") == {"K4-1", "K3-1", "K2-1"}
    small = draw(entrants(3), Format(kind="knockout"), "x")
    assert not any(game.third for game in small.games)


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 9), SEEDS)
def test_heats_are_even_and_have_everybody_once(count, heats, seed) -> None:
    there = entrants(count)
    dealt = deal(there, [str(number) for number in range(1, heats + 1)], seed)
    sizes = [len(heat.entrants) for heat in dealt]
    assert max(sizes) - min(sizes) <= 1
    assert sorted(one for heat in dealt for one in heat.entrants) == sorted(entrant.id for entrant in there)


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 10), SEEDS)
def test_a_race_has_as_few_heats_as_its_lanes_allow(count, lanes, seed) -> None:
    made = draw(entrants(count), Format(kind="heats", lanes=lanes), seed)
    assert len(made.groups) == -(-count // lanes)
    assert all(len(heat.entrants) <= lanes for heat in made.groups)
    assert sorted(one for heat in made.groups for one in heat.entrants) == sorted(one.id for one in made.entrants)
    assert made.games == ()
    assert draw(made.entrants, made.format, seed) == made


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(DomainError) as twice:
        draw([*entrants(3), *entrants(1)], Format(kind="knockout"), "x")
    assert twice.value.code == "draw_twice"
    with pytest.raises(DomainError) as few:
        draw(entrants(5), Format(kind="groups", groups=2, advance=3), "x")
    assert (few.value.code, few.value.params) == ("draw_too_few", {"least": 6, "count": 5})


@settings(deadline=None)
@given(fields(), FORMATS, SEEDS)
def test_a_game_comes_after_those_that_decide_its_sides(there, form, seed) -> None:
    made = draw(there, form, seed)
    seen: set[str] = set()
    for game in made.games:
        for side in (game.home, game.away):
            if isinstance(side, WinnerOf | LoserOf):
                assert side.game in seen
            elif isinstance(side, Placed):
                assert {other.id for other in made.games if other.group == side.group} <= seen
            else:
                assert isinstance(side, Known)
        assert game.id not in seen
        seen.add(game.id)
