"""Sets to choose of: none is given twice, nothing is bought too few or too many of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.answers import reminder_due
from actions.blocks.choice import Option, available, free_number, option_faults, purchase
from tests.activities.world import NOW

SETS = (Option(title="粮油", default=True), Option(title="坚果", stock=2), Option(title="牛奶"))
PLACES = ("南湖", "文昌")
CHOSEN = st.lists(
    st.tuples(st.sampled_from(["粮油", "坚果", "牛奶", "去年的"]), st.sampled_from(PLACES), st.booleans())
)


@given(chosen=CHOSEN, silent=st.integers(0, 50))
def test_everybody_is_counted_once(chosen: list[tuple[str, str, bool]], silent: int) -> None:
    rows = purchase(SETS, chosen, silent=silent, silent_at="南湖")
    assert sum(row.count for row in rows) == len(chosen) + silent
    assert sum(row.defaulted for row in rows) == sum(default for *_, default in chosen) + silent
    assert len({(row.option, row.split) for row in rows}) == len(rows)
    for row in rows:
        extra = silent if (row.option, row.split) == ("粮油", "南湖") else 0
        assert row.count == sum((title, place) == (row.option, row.split) for title, place, _ in chosen) + extra > 0


def test_without_a_default_nothing_is_bought_for_who_is_silent() -> None:
    assert purchase((Option(title="牛奶"),), [("牛奶", "", False)], silent=9)[0].count == 1


@given(taken=st.integers(0, 12), stock=st.integers(1, 10))
def test_a_stock_is_given_out_to_the_last_and_no_further(taken: int, stock: int) -> None:
    gone: set[int] = set()
    for _ in range(taken):
        number = free_number(stock, gone)
        assert (number is None) == (len(gone) == stock)
        if number is not None:
            assert number not in gone
            assert 1 <= number <= stock
            gone.add(number)


@given(gone=st.dictionaries(st.sampled_from(["粮油", "坚果", "牛奶"]), st.integers(0, 5)))
def test_what_is_gone_is_not_offered_but_to_who_has_it(gone: dict[str, int]) -> None:
    left = {option.title for option in available(SETS, gone)}
    assert left == {"粮油", "牛奶"} | ({"坚果"} if gone.get("坚果", 0) < 2 else set())
    assert "坚果" in {option.title for option in available(SETS, gone, own="坚果")}


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (SETS, ""),
        ((*SETS, Option(title="牛奶")), "twice"),
        ((*SETS, Option(title="鸡蛋", default=True)), "only one"),
        ((Option(title="粮油", default=True, stock=3),), "no stock"),
    ],
)
def test_what_an_officer_may_write(options: tuple[Option, ...], fault: str) -> None:
    found = option_faults(options)
    assert fault in found
    assert bool(found) == bool(fault)


@given(hours=st.integers(0, 72), before=st.integers(-5, 100))
def test_a_reminder_is_due_between_its_hour_and_the_end(hours: int, before: int) -> None:
    due = reminder_due(NOW + timedelta(hours=before), hours, NOW)
    assert due == (hours > 0 and 0 < before <= hours)
