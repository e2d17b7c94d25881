"""Results, withdrawals and tables."""

from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from actions.core.errors import ConfigurationError, DomainError
from actions.fixtures.draws import draw
from actions.fixtures.model import Draw, Format
from actions.fixtures.results import NOBODY, Result, check_result, settle
from actions.fixtures.sports import Points, Sport, load_sports
from actions.fixtures.standings import Row, standings
from bot.settings import ROOT
from tests.fixtures_draws.shapes import FOOTBALL, FORMATS, SEEDS, entrants, fields, pair, some_results

RULES = st.sampled_from(("annul", "forfeit", "annul_before_half"))


def _league(count: int, scores: dict[tuple[str, str], tuple[int, int]]) -> tuple[Draw, dict[str, Result]]:
    """A round robin, with scores by pair of names: {("t00", "t01"): (2, 1)}."""
    drawn = draw(entrants(count), Format(kind="round_robin"), "x")
    results = {}
    for game in drawn.games:
        home, away = pair(game)
        if (home, away) in scores:
            results[game.id] = Result(home=scores[home, away][0], away=scores[home, away][1])
        elif (away, home) in scores:
            results[game.id] = Result(home=scores[away, home][1], away=scores[away, home][0])
    return drawn, results


def _table(
    drawn: Draw, results: dict[str, Result], sport: Sport = FOOTBALL, withdrawn: Collection[str] = ()
) -> tuple[Row, ...]:
    return standings(drawn, "A", settle(drawn, results, withdrawn, sport), sport)


# --- withdrawals


@settings(deadline=None)
@given(st.data(), fields(), FORMATS, SEEDS, RULES)
def test_a_withdrawal_changes_only_the_games_of_its_entrant(data, there, form, seed, rule) -> None:
    """Whose games change: those of who withdraws, and of a knockout those that another comes through to."""
    drawn = draw(there, form, seed)
    sport = FOOTBALL.model_copy(update={"withdrawal": rule})
    results = data.draw(some_results(drawn))
    gone = data.draw(st.sampled_from([entrant.id for entrant in there]))
    before = settle(drawn, results, (), sport)
    after = settle(drawn, results, {gone}, sport)
    own = {ref for ref, game in before.items() if gone in (game.home, game.away)}
    own |= {ref for ref, game in after.items() if gone in (game.home, game.away)}
    fed = own.union(*(drawn.later(ref) for ref in own))
    assert {ref for ref in before if before[ref] != after[ref]} <= fed
    for ref in before:
        if before[ref].game.group and ref not in own:
            assert after[ref] == before[ref]
    assert [outcome.game for outcome in after.values()] == list(drawn.games)


@settings(deadline=None)
@given(st.data(), st.integers(4, 20), SEEDS)
def test_in_a_knockout_the_opponent_goes_on(data, count, seed) -> None:
    drawn = draw(entrants(count), Format(kind="knockout"), seed)
    gone = data.draw(st.sets(st.sampled_from([entrant.id for entrant in drawn.entrants]), max_size=count))
    after = settle(drawn, {}, gone, FOOTBALL)
    for outcome in after.values():
        if outcome.state != "forfeited":
            continue
        here = {outcome.home, outcome.away} - gone - {NOBODY}
        assert outcome.winner == (next(iter(here)) if here else NOBODY)
    if len(gone) == count:
        assert after["K2-1"].winner == NOBODY
    if len(gone) == count - 1:
        (left,) = {entrant.id for entrant in drawn.entrants} - gone
        assert after["K2-1"].winner == left


@pytest.mark.parametrize(
    ("rule", "played", "states"),
    [
        ("annul", 1, {"annulled": 3}),
        ("annul", 2, {"annulled": 3}),
        ("forfeit", 1, {"played": 1, "forfeited": 2}),
        ("annul_before_half", 1, {"annulled": 3}),
        ("annul_before_half", 2, {"played": 2, "forfeited": 1}),
        ("annul", 3, {"played": 3}),
    ],
)
def test_what_becomes_of_the_games_is_the_sports_rule(rule, played, states) -> None:
    drawn, _ = _league(4, {})
    mine = [game.id for game in drawn.games if "t00" in pair(game)]
    results = {ref: Result(home=1, away=1) for ref in mine[:played]}
    sport = FOOTBALL.model_copy(update={"withdrawal": rule})
    after = settle(drawn, results, {"t00"}, sport)
    found = [after[ref].state for ref in mine]
    assert {state: found.count(state) for state in set(found)} == states
    last = _table(drawn, results, sport, {"t00"})[-1]
    assert (last.annulled, last.decided == "annulled") == (("annulled" in states), ("annulled" in states))


def test_two_who_withdraw_leave_a_game_that_nobody_wins() -> None:
    drawn, _ = _league(3, {})
    sport = FOOTBALL.model_copy(update={"withdrawal": "forfeit"})
    rows = {row.entrant: row for row in _table(drawn, {}, sport, {"t00", "t01"})}
    assert (rows["t02"].won, rows["t02"].points, rows["t02"].scored) == (2, 6, 6)
    assert (rows["t00"].lost, rows["t00"].points, rows["t01"].lost) == (2, 0, 2)


def test_one_no_show_costs_one_game() -> None:
    drawn, _ = _league(3, {})
    first = drawn.games[0]
    after = settle(drawn, {first.id: Result(absent="home")}, (), FOOTBALL)
    assert (after[first.id].state, after[first.id].winner) == ("forfeited", pair(first)[1])
    assert after[first.id].score == (0, 3)
    assert [game.state for ref, game in after.items() if ref != first.id] == ["open", "open"]


# --- from groups to the knockout


def test_places_are_known_once_a_group_has_been_played() -> None:
    drawn = draw(entrants(8, seeded=8), Format(kind="groups", groups=2, advance=2), "x")
    ahead = {entrant.id: entrant.seed or 0 for entrant in drawn.entrants}
    results = {
        game.id: Result(home=ahead[pair(game)[1]], away=ahead[pair(game)[0]])
        for game in drawn.games
        if game.group == "A"
    }
    half = settle(drawn, results, (), FOOTBALL)
    assert (half["K4-1"].home, half["K4-1"].away, half["K4-1"].state) == ("t00", None, "waiting")
    results |= {game.id: Result(home=0, away=0) for game in drawn.games if game.group == "B"}
    full = settle(drawn, results, (), FOOTBALL)
    assert {full["K4-1"].state, full["K4-2"].state} == {"open"}
    assert full["K4-2"].away == "t03"
    decided = settle(drawn, {**results, "K4-1": Result(home=1, away=1, decided="away")}, (), FOOTBALL)
    assert decided["K4-1"].winner == full["K4-1"].away
    assert (decided["K2-1"].home, decided["K3-1"].home) == (full["K4-1"].away, "t00")


def test_a_place_that_nobody_is_left_for_stays_empty() -> None:
    drawn = draw(entrants(4), Format(kind="groups", groups=2, advance=2), "x")
    sport = FOOTBALL.model_copy(update={"withdrawal": "annul"})
    gone = drawn.groups[0].entrants[0]
    results = {game.id: Result(home=1, away=0) for game in drawn.games if game.group == "B"}
    after = settle(drawn, results, {gone}, sport)
    assert after["K4-2"].away == NOBODY
    assert after["K4-2"].winner == drawn.groups[1].entrants[0]


# --- tables


@settings(deadline=None)
@given(st.data(), st.integers(2, 8), SEEDS)
def test_a_table_is_in_order_and_has_everybody_once(data, count, seed) -> None:
    drawn = draw(entrants(count), Format(kind="round_robin"), seed)
    results = data.draw(some_results(drawn))
    gone = data.draw(st.sets(st.sampled_from([entrant.id for entrant in drawn.entrants])))
    rows = _table(drawn, results, FOOTBALL, gone)
    assert sorted(row.entrant for row in rows) == sorted(entrant.id for entrant in drawn.entrants)
    assert [row.place for row in rows] == list(range(1, count + 1))
    placed = [row for row in rows if not row.annulled]
    assert [row.points for row in placed] == sorted((row.points for row in placed), reverse=True)
    assert sum(row.scored for row in rows) == sum(row.conceded for row in rows)
    assert all(row.played == row.won + row.drawn + row.lost for row in rows)
    assert rows == _table(drawn, results, FOOTBALL, gone)


def test_equal_points_are_parted_by_the_game_between_them() -> None:
    scores = {("t00", "t01"): (1, 0), ("t01", "t02"): (9, 0), ("t00", "t02"): (0, 1), ("t00", "t03"): (1, 0)}
    scores |= {("t01", "t03"): (1, 0), ("t02", "t03"): (0, 3)}
    rows = _table(*_league(4, scores))
    assert [(row.entrant, row.points, row.decided) for row in rows] == [
        ("t00", 6, ""),
        ("t01", 6, "mutual_points"),
        ("t03", 3, "points"),
        ("t02", 3, "mutual_points"),
    ]


def test_of_three_in_a_ring_those_still_equal_are_asked_anew() -> None:
    """t00 > t01 > t02 > t00: t00 leads by the difference among the three; the other two by the game between them."""
    scores = {("t00", "t01"): (3, 0), ("t01", "t02"): (1, 0), ("t02", "t00"): (2, 1)}
    drawn, results = _league(3, scores)
    rows = _table(drawn, results)
    assert [(row.entrant, row.decided) for row in rows] == [
        ("t00", ""),
        ("t02", "mutual_difference"),
        ("t01", "mutual_difference"),
    ]
    anew = {("t00", "t01"): (3, 0), ("t01", "t02"): (2, 0), ("t02", "t00"): (1, 0)}
    rows = _table(*_league(3, anew))
    assert [(row.entrant, row.decided) for row in rows] == [
        ("t00", ""),
        ("t01", "mutual_difference"),
        ("t02", "mutual_points"),
    ]


def test_who_is_equal_in_everything_is_drawn_by_the_recorded_seed() -> None:
    drawn, _ = _league(4, {})
    rows = _table(drawn, {game.id: Result(home=1, away=1) for game in drawn.games})
    assert [row.decided for row in rows] == ["", "lots", "lots", "lots"]
    other = drawn.model_copy(update={"seed": "another"})
    results = {game.id: Result(home=1, away=1) for game in drawn.games}
    assert [row.entrant for row in _table(other, results)] != [row.entrant for row in rows]


def test_ratios_and_what_was_scored_within_sets() -> None:
    volleyball = load_sports(ROOT / "data")["air_volleyball"]
    drawn, _ = _league(3, {})
    periods = {
        ("t00", "t01"): ((21, 10), (21, 10)),
        ("t01", "t02"): ((21, 19), (21, 19)),
        ("t02", "t00"): ((21, 5),) * 2,
    }
    results = {}
    for game in drawn.games:
        home, away = pair(game)
        if (home, away) in periods:
            results[game.id] = Result(home=2, away=0, periods=periods[home, away])
        else:
            results[game.id] = Result(home=0, away=2, periods=tuple((low, high) for high, low in periods[away, home]))
    rows = standings(drawn, "A", settle(drawn, results, (), volleyball), volleyball)
    assert [(row.entrant, row.period_scored, row.period_conceded, row.decided) for row in rows] == [
        ("t02", 80, 52, ""),
        ("t00", 52, 62, "period_ratio"),
        ("t01", 62, 80, "period_ratio"),
    ]
    assert [row.points for row in rows] == [3, 3, 3]


# --- what may be entered


def test_somebody_has_to_win_where_there_is_no_draw() -> None:
    league, _ = _league(3, {})
    cup = draw(entrants(4), Format(kind="knockout"), "x")
    check_result(league.games[0], Result(home=1, away=1), FOOTBALL)
    check_result(cup.games[0], Result(home=1, away=1, decided="home"), FOOTBALL)
    check_result(cup.games[0], Result(absent="both"), FOOTBALL)
    no_draws = FOOTBALL.model_copy(update={"points": Points(win=2, loss=1)})
    for game, sport in ((league.games[0], no_draws), (cup.games[0], FOOTBALL)):
        with pytest.raises(DomainError) as refused:
            check_result(game, Result(home=1, away=1), sport)
        assert refused.value.code == "result_level"


@pytest.mark.parametrize(
    "wrong", [{"home": 1, "absent": "home"}, {"home": 2, "away": 1, "decided": "away"}, {"home": -1}]
)
def test_a_result_that_contradicts_itself_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        Result(**wrong)


def test_the_rules_of_sports_are_data_that_is_checked(tmp_path) -> None:
    sports = load_sports(ROOT / "data")
    assert {"basketball", "football", "air_volleyball"} <= set(sports)
    assert all("示例" in sport.source for sport in sports.values())
    entry = "- {id: a, title: 甲, points: {win: 1}, source: 示例, tie_breaks: [luck]}"
    (tmp_path / "sports.yml").write_text(f"sports:\n  {entry}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"sports\.yml:2"):
        load_sports(tmp_path)
    good = "- {id: a, title: 甲, points: {win: 1}, source: 示例}"
    (tmp_path / "sports.yml").write_text(f"sports:\n  {good}\n  {good}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="twice"):
        load_sports(tmp_path)
