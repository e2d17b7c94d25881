"""Small counts stay hidden: from everything that is shown together nobody computes a count of one to four."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.small_counts import by_unit, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST = 5


def _every(answers: int, total: int) -> Iterator[tuple[int, ...]]:
    """All rows of so many answers with a total."""
    if answers == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in _every(answers - 1, total - first))


@pytest.mark.parametrize(("answers", "most"), [(2, 40), (3, 24), (4, 22), (5, 23)])
def test_a_row_gives_no_small_count_away_even_to_who_knows_the_rule(answers: int, most: int) -> None:
    """All rows that are shown alike are held against one another: no hidden small count is the same in all of them."""
    for total in range(max(1, most - 6), most):
        alike = defaultdict(list)
        for counts in _every(answers, total):
            alike[shown(counts, LEAST).counts].append(counts)
        for row, rows in alike.items():
            for place, told in enumerate(row):
                possible = {counts[place] for counts in rows}
                assert told is not None or len(possible) > 1 or not 0 < min(possible) < LEAST
                assert told is None or told >= LEAST


@pytest.mark.parametrize(
    ("least", "answers", "sizes"),
    [(2, 2, (1, 3, 5)), (3, 2, (3, 7, 9)), (2, 3, (6, 6)), (2, 2, (4, 4, 4))],
)
def test_units_and_their_sum_give_no_small_count_away(least: int, answers: int, sizes: tuple[int, ...]) -> None:
    """As above, for a row of all together with the rows of the units; how many answered in each unit is known."""
    alike = defaultdict(list)
    for table in itertools.product(*(list(_every(answers, size)) for size in sizes)):
        units = {chr(ord("A") + place): row for place, row in enumerate(table)}
        together = tuple(map(sum, zip(*table, strict=True)))
        alike[shown(together, least).counts, by_unit(units, least)].append(table)
    for tables in alike.values():
        for unit, place in itertools.product(range(len(sizes)), range(answers)):
            possible = {table[unit][place] for table in tables}
            assert len(possible) > 1 or not 0 < min(possible) < least


counts = st.lists(st.integers(0, 40), min_size=2, max_size=6).map(tuple)


@given(counts)
def test_what_is_hidden_could_be_the_other_way_round(row: tuple[int, ...]) -> None:
    made = shown(row, LEAST)
    hidden = [place for place, told in enumerate(made.counts) if told is None]
    assert all(told is None or told == count >= LEAST for told, count in zip(made.counts, row, strict=True))
    assert len(hidden) != 1
    if not hidden or made.total < LEAST * len(row):
        assert bool(hidden) == (made.total < LEAST * len(row))
        return
    assert len({row[place] for place in hidden}) > 1
    for one, other in itertools.combinations(hidden, 2):
        swapped = list(row)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert shown(swapped, LEAST) == made


@given(st.dictionaries(st.text("ABCDEFGH", min_size=1, max_size=2), st.tuples(*[st.integers(0, 30)] * 3), max_size=6))
def test_units_that_are_shown_have_no_small_count_and_nobody_is_lost(table: dict[str, tuple[int, int, int]]) -> None:
    groups = by_unit(table, LEAST)
    assert all(count >= LEAST for group in groups for count in group.counts)
    if groups:
        assert len(groups) > 1
        assert sum(sum(group.counts) for group in groups) == sum(map(sum, table.values()))
        named = [unit for group in groups for unit in group.units]
        assert sorted(named) == sorted(unit for unit, row in table.items() if sum(row))


def test_a_large_survey_shows_what_can_be_shown() -> None:
    assert shown((120, 30, 50), LEAST).whole
    assert shown((2, 12, 40, 200, 257), LEAST).counts == (None, None, 40, 200, 257)
    assert shown((2, 3, 40, 200), LEAST).counts == (None, None, 40, 200)
    assert shown((0, 30), LEAST).counts == (None, None)
    units = {"大院": (30, 40), "中院": (20, 20), "小院": (1, 2), "小处": (9, 8)}
    assert [group.units for group in by_unit(units, LEAST)] == [("大院",), ("中院",), ("小处", "小院")]
