"""Timetables: no team in two places, rest kept, holidays left out, and a game that is put off moves alone."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from actions.blocks.workdays import day_kind
from actions.core.errors import DomainError
from actions.core.zones import SHANGHAI, local
from actions.fixtures.days import Season, Slot, Window, slots
from actions.fixtures.draws import draw
from actions.fixtures.model import Draw, Format
from actions.fixtures.timetable import Rest, arrange, openings, postpone, tasks_of
from tests.fixtures_draws.shapes import FORMATS, SEEDS, entrants, fields

EVENING = Window(day="workday", start=time(17, 30), end=time(20, 30))
MORNING = Window(day="weekend", start=time(9), end=time(12))


def _season(**changed: Any) -> Season:
    given: dict[str, Any] = {
        "first": date(2026, 9, 14),
        "last": date(2026, 10, 18),
        "venues": ("东 1", "东 2"),
        "windows": (EVENING, MORNING),
    }
    return Season(**{**given, **changed})


def _at(day: int, hour: int, minute: int = 0, venue: str = "东 1", minutes: int = 60) -> Slot:
    start = datetime(2026, 9, day, hour, minute, tzinfo=SHANGHAI)
    return Slot(venue=venue, start=start, end=start + timedelta(minutes=minutes))


def _broken(drawn: Draw, table: Mapping[str, Slot], rest: Rest) -> list[str]:
    """What a timetable breaks: an examination of its own, slow and plain."""
    faults = []
    gap = timedelta(minutes=rest.minutes)
    tasks = {task.id: task for task in tasks_of(drawn)}
    for (one, here), (other, there) in combinations(table.items(), 2):
        if here.venue == there.venue and here.start < there.end and there.start < here.end:
            faults.append(f"{one} and {other} are in one place")
        if tasks[one].who & tasks[other].who and here.start < there.end + gap and there.start < here.end + gap:
            faults.append(f"{one} and {other} leave no rest")
    for ref, slot in table.items():
        faults += [f"{ref} before {fed}" for fed in tasks[ref].after if table[fed].end + gap > slot.start]
    days: dict[tuple[str, date], int] = {}
    for ref, slot in table.items():
        for one in tasks[ref].who:
            key = (one, local(slot.start).date())
            days[key] = days.get(key, 0) + 1
    faults += [f"{one} plays {count} times on {day}" for (one, day), count in days.items() if count > rest.per_day]
    return faults


@settings(max_examples=60, deadline=None)
@given(
    fields(4, 14),
    FORMATS,
    SEEDS,
    st.builds(Rest, minutes=st.sampled_from((0, 30, 60, 120)), per_day=st.integers(1, 3)),
    st.integers(1, 4),
)
def test_no_team_is_in_two_places_and_rest_is_kept(there, form, seed, rest, courts) -> None:
    if form.kind == "groups" and len(there) < form.groups * max(2, form.advance):
        return
    drawn = draw(there, form, seed)
    season = _season(venues=tuple(f"{number} 号场" for number in range(courts)))
    found = slots(season, day_kind)
    made = arrange(tasks_of(drawn), found, rest)
    assert set(made.slots.values()) <= set(found)
    assert _broken(drawn, made.slots, rest) == []
    assert set(made.slots) | set(made.left) == {game.id for game in drawn.games}
    assert set(made.slots).isdisjoint(made.left)
    assert arrange(tasks_of(drawn), found, rest) == made


def test_what_finds_no_slot_is_told() -> None:
    drawn = draw(entrants(6), Format(kind="round_robin"), "x")
    few = slots(_season(last=date(2026, 9, 15), venues=("东 1",)), day_kind)
    made = arrange(tasks_of(drawn), few, Rest(minutes=0, per_day=1))
    assert len(few) == 6
    assert len(made.slots) == 6
    assert len(made.left) == 9


def test_nobody_plays_for_two_at_once() -> None:
    """One person is in two pairs that do not meet: their games are never at one time."""
    drawn = draw(entrants(4), Format(kind="round_robin"), "x")
    players = {"t00": ("甲", "乙"), "t01": ("甲", "丙")}
    made = arrange(tasks_of(drawn, players), slots(_season(), day_kind), Rest(minutes=30, per_day=6))
    mine = [made.slots[task.id] for task in tasks_of(drawn, players) if "甲" in task.who]
    assert len(mine) == 5
    assert all(one.end <= other.start or other.end <= one.start for one, other in combinations(mine, 2))


# --- days


def test_holidays_are_left_out_and_make_up_days_are_working_days() -> None:
    """2026: 中秋 25.-27. September, 国庆 1.-7. October; work on Sunday 20 September and Saturday 10 October."""
    days = {
        day: [slot for slot in slots(_season(), day_kind) if local(slot.start).date() == day] for day in _all_days()
    }
    assert not any(days[date(2026, 9, day)] for day in (25, 26, 27))
    assert not any(days[date(2026, 10, day)] for day in range(1, 8))
    for made_up in (date(2026, 9, 20), date(2026, 10, 10)):
        assert {local(slot.start).hour for slot in days[made_up]} == {17, 18, 19}
    assert {local(slot.start).hour for slot in days[date(2026, 9, 19)]} == {9, 10, 11}


def _all_days() -> list[date]:
    return [date(2026, 9, 14) + timedelta(days=number) for number in range(35)]


def test_a_year_whose_holidays_are_not_known_has_none() -> None:
    assert [day_kind(date(2099, 10, day)) for day in (1, 3)] == ["workday", "weekend"]


def test_closed_days_and_venues_of_a_window_are_kept() -> None:
    evening = EVENING.model_copy(update={"venues": ("东 2",)})
    found = slots(_season(windows=(evening, MORNING), closed=(date(2026, 9, 14),)), day_kind)
    assert local(found[0].start).date() == date(2026, 9, 15)
    assert {slot.venue for slot in found if local(slot.start).hour > 12} == {"东 2"}


def test_windows_that_overlap_give_a_venue_one_game_at_a_time() -> None:
    shifted = Window(day="workday", start=time(18), end=time(21))
    found = slots(_season(windows=(EVENING, shifted)), day_kind)
    for one, other in combinations(found[:40], 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize(
    "wrong",
    [
        {"last": date(2026, 9, 1)},
        {"windows": ()},
        {"venues": ()},
        {"minutes": 0},
        {"windows": ({"day": "workday", "start": "20:00", "end": "18:00"},)},
    ],
)
def test_a_season_that_cannot_be_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        _season(**wrong)


def test_a_slot_knows_its_zone() -> None:
    with pytest.raises(ValidationError):
        Slot(venue="东 1", start=datetime(2026, 9, 1, 9), end=datetime(2026, 9, 1, 10))  # noqa: DTZ001 - refused


# --- putting off


@settings(max_examples=60, deadline=None)
@given(st.data(), fields(4, 10), FORMATS, SEEDS)
def test_a_game_that_is_put_off_moves_alone(data, there, form, seed) -> None:
    if form.kind == "groups" and len(there) < form.groups * max(2, form.advance):
        return
    rest = Rest(minutes=30, per_day=2)
    drawn = draw(there, form, seed)
    tasks, found = tasks_of(drawn), slots(_season(), day_kind)
    table = arrange(tasks, found, rest).slots
    ref = data.draw(st.sampled_from(sorted(table)))
    open_ = openings(table, tasks, ref, found, rest)
    slot = data.draw(st.sampled_from(found))
    try:
        moved = postpone(table, tasks, ref, slot, rest)
    except DomainError:
        assert slot not in open_
    else:
        assert {other for other in table if moved[other] != table[other]} <= {ref}
        assert moved[ref] == slot
        assert slot in open_ or slot == table[ref]
        assert _broken(drawn, moved, rest) == []


def test_what_stands_in_the_way_is_named() -> None:
    drawn = draw(entrants(4, seeded=4), Format(kind="knockout"), "x")
    tasks = tasks_of(drawn)
    table = {
        "K4-1": _at(14, 18),
        "K4-2": _at(14, 18, venue="东 2"),
        "K3-1": _at(16, 18, venue="东 2"),
        "K2-1": _at(16, 18),
    }

    rest = Rest(minutes=60, per_day=1)

    def refused(ref: str, slot: Slot) -> str:
        with pytest.raises(DomainError) as error:
            postpone(table, tasks, ref, slot, rest)
        return error.value.code

    assert refused("K4-1", _at(14, 18, 30, venue="东 2")) == "game_slot_taken"
    assert refused("K2-1", _at(14, 19, 30)) == "game_before"
    assert refused("K4-1", _at(16, 16, 30)) == "game_after"
    assert refused("K4-1", _at(16, 9)) == "game_per_day"
    assert refused("K2-1", _at(14, 21)) == "game_per_day"
    assert postpone(table, tasks, "K4-1", _at(15, 18), rest)["K4-1"] == _at(15, 18)
    league = draw(entrants(3), Format(kind="round_robin"), "x")
    first, second, _ = (game.id for game in league.games)
    with pytest.raises(DomainError) as tired:
        postpone({first: _at(14, 18)}, tasks_of(league), second, _at(14, 19, 30), Rest(minutes=60, per_day=2))
    assert (tired.value.code, tired.value.params["minutes"]) == ("game_rest", 60)
