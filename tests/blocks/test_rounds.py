"""Rounds: places, who goes through, and that a tie is left to people."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.rounds import cut, places, settled

SCORES = st.dictionaries(st.integers(1, 40), st.integers(0, 20).map(float), max_size=25)


def test_equal_scores_share_a_place_and_the_next_is_counted_on() -> None:
    assert places({1: 90, 2: 88, 3: 88, 4: 70}) == {1: 1, 2: 2, 3: 2, 4: 4}


def test_a_tie_at_the_cut_is_left_open_and_settled_by_who_is_named() -> None:
    found = cut({1: 90, 2: 88, 3: 88, 4: 70}, 2)
    assert (found.certain, found.tied, found.left) == (frozenset({1}), frozenset({2, 3}), 1)
    assert settled(found, []) is None
    assert settled(found, [2, 3]) is None
    assert settled(found, [4]) is None
    assert settled(found, [3]) == frozenset({1, 3})


@given(SCORES, st.integers(1, 30))
def test_nobody_goes_through_past_somebody_better(scores: dict[int, float], most: int) -> None:
    found = cut(scores, most)
    through = settled(found, sorted(found.tied)[: found.left])
    assert through is not None
    assert len(through) == min(most, len(scores))
    behind = scores.keys() - through
    assert not through or not behind or min(scores[one] for one in through) >= max(scores[one] for one in behind)
    assert all(scores[one] == scores[other] for one in found.tied for other in found.tied)


@given(SCORES)
def test_places_follow_scores(scores: dict[int, float]) -> None:
    found = places(scores)
    assert not scores or min(found.values()) == 1
    for one, other in zip(scores, list(scores)[1:], strict=False):
        assert (scores[one] > scores[other]) == (found[one] < found[other])
