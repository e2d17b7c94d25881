"""Entrants, formats and scores for the tests of draws, by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from actions.fixtures.model import Draw, Entrant, Format, Game, Known
from actions.fixtures.results import Result
from actions.fixtures.sports import Points, Sport

FOOTBALL = Sport(
    id="football",
    title="足球",
    points=Points(win=3, draw=1, loss=0, forfeit=0),
    forfeit_score=(3, 0),
    tie_breaks=("mutual_points", "mutual_difference", "difference", "scored"),
    source="示例",
)
SEEDS = st.text("0123456789abcdef", min_size=1, max_size=8)
FORMATS = st.one_of(
    st.builds(Format, kind=st.just("round_robin"), legs=st.sampled_from((1, 2))),
    st.builds(Format, kind=st.just("knockout"), third_place=st.booleans(), apart=st.booleans()),
    st.builds(
        Format,
        kind=st.just("groups"),
        groups=st.integers(2, 4),
        advance=st.integers(1, 3),
        third_place=st.booleans(),
        apart=st.booleans(),
    ),
)


def entrants(count: int, *, units: int = 5, seeded: int = 0) -> list[Entrant]:
    """So many entrants of so many units, the first of them seeded."""
    return [
        Entrant(
            id=f"t{number:02}",
            name=f"{number} 队",
            unit=f"u{number % units}",
            seed=number + 1 if number < seeded else None,
        )
        for number in range(count)
    ]


@st.composite
def fields(draw: st.DrawFn, least: int = 12, most: int = 20) -> list[Entrant]:
    """Between `least` and `most` entrants; enough for every format."""
    count = draw(st.integers(least, most))
    return entrants(count, units=draw(st.integers(1, 6)), seeded=draw(st.integers(0, count)))


@st.composite
def some_results(draw: st.DrawFn, drawn: Draw) -> dict[str, Result]:
    """Scores of some of a draw's games, never level in a knockout."""
    played = draw(st.lists(st.sampled_from([game.id for game in drawn.games]), unique=True))
    results = {}
    for ref in played:
        home, away = draw(st.integers(0, 5)), draw(st.integers(0, 5))
        level = home == away and not drawn.game(ref).group
        results[ref] = Result(home=home, away=away, decided="home" if level else None)
    return results


def pair(game: Game) -> tuple[str, str]:
    """The two of a game that is known from the draw."""
    assert isinstance(game.home, Known)
    assert isinstance(game.away, Known)
    return game.home.entrant, game.away.entrant


def sides(drawn: Draw, ref: str) -> set[str]:
    """The entrants of a game who are known from the draw."""
    game = drawn.game(ref)
    return {side.entrant for side in (game.home, game.away) if isinstance(side, Known)}
