"""Timetables: our filling of slots against an exact solver (HiGHS, by scipy): can anything end a day earlier?

The solver is asked for any timetable that is over before the last day of ours. "none" proves that ours could not be
shorter. Where a team may play twice a day its model leaves out who comes through a knockout, so that it has it easier.
It is given a minute.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.optimize
import scipy.sparse

from actions.blocks.workdays import day_kind
from actions.core.zones import local
from actions.fixtures.days import Season, Slot, Window, slots
from actions.fixtures.draws import draw
from actions.fixtures.model import Entrant, Format
from actions.fixtures.timetable import Rest, arrange, tasks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from actions.fixtures.timetable import Task

SECONDS = 60
EVENINGS = (Window(day="workday", start=time(17, 30), end=time(20, 30)),)
WEEKENDS = (*EVENINGS, Window(day="weekend", start=time(9), end=time(12)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A competition to be laid out; `courts` venues, from 2026-09-14 on."""

    title: str
    count: int
    form: Format
    rest: Rest
    courts: int = 2
    windows: tuple[Window, ...] = EVENINGS
    last: date = date(2026, 12, 20)


_ROUND = Format(kind="round_robin")
_CUP = Format(kind="knockout")
QUESTIONS = (
    Question(title="6 teams, round robin", count=6, form=_ROUND, rest=Rest(minutes=60, per_day=1)),
    Question(title="8 teams, round robin", count=8, form=_ROUND, rest=Rest(minutes=60, per_day=1)),
    Question(title="12 teams, round robin", count=12, form=_ROUND, rest=Rest(minutes=60, per_day=1)),
    Question(title="8 teams, every second day", count=8, form=_ROUND, rest=Rest(minutes=24 * 60, per_day=1)),
    Question(title="16 teams, knockout", count=16, form=_CUP, rest=Rest(minutes=60, per_day=2)),
    Question(
        title="16 teams, 4 groups, cup",
        count=16,
        form=Format(kind="groups", groups=4, advance=2),
        rest=Rest(minutes=60, per_day=1),
    ),
    Question(
        title="20 teams, 4 groups, cup",
        count=20,
        form=Format(kind="groups", groups=4, advance=2),
        rest=Rest(minutes=20 * 60, per_day=1),
        courts=3,
        windows=WEEKENDS,
    ),
)


def run(say: Callable[[str], None]) -> None:
    """Prints a line for each competition."""
    say(f"{'':<28}{'games':>6}{'slots':>6}{'ours, ms':>10}{'days':>6}{'left':>6}   a day earlier, by the solver")
    for question in QUESTIONS:
        say(_line(question))


def _line(question: Question) -> str:
    there = [Entrant(id=f"t{number:02}", name="", unit=str(number)) for number in range(question.count)]
    tasks = tasks_of(draw(there, question.form, "bench"))
    venues = tuple(f"{number + 1} 号场" for number in range(question.courts))
    season = Season(first=date(2026, 9, 14), last=question.last, venues=venues, windows=question.windows)
    found = slots(season, day_kind)
    began = clock.perf_counter()
    made = arrange(tasks, found, question.rest)
    ours = (clock.perf_counter() - began) * 1000
    days = {local(slot.start).date() for slot in found}
    last = max(local(slot.start).date() for slot in made.slots.values())
    used = sum(1 for day in days if day <= last)
    began = clock.perf_counter()
    earlier = [slot for slot in found if local(slot.start).date() < last]
    answer = solve(tasks, earlier, question.rest)
    told = f"{answer}, {clock.perf_counter() - began:.1f} s"
    return f"{question.title:<28}{len(tasks):>6}{len(found):>6}{ours:>10.1f}{used:>6}{len(made.left):>6}   {told}"


def solve(tasks: Sequence[Task], found: Sequence[Slot], rest: Rest) -> str:
    """Whether all tasks fit on the slots: none, found, or unknown after a minute."""
    if len(found) < len(tasks):
        return "none (fewer slots than games)"
    rows = list(_rows(tasks, found, rest))
    width = len(tasks) * len(found)
    where = [(number, column) for number, (columns, _, _) in enumerate(rows) for column in columns]
    # scipy has no types of its own.
    exact: Any = scipy.optimize
    sparse: Any = scipy.sparse
    data = sparse.csr_array((np.ones(len(where)), tuple(zip(*where, strict=True))), shape=(len(rows), width))
    low, high = (np.array([row[side] for row in rows], dtype=float) for side in (1, 2))
    result = exact.milp(
        np.zeros(width),
        constraints=exact.LinearConstraint(data, low, high),
        bounds=exact.Bounds(0, 1),
        integrality=np.ones(width),
        options={"time_limit": SECONDS},
    )
    told: dict[int, str] = {0: "found", 1: "unknown", 2: "none"}
    return told.get(result.status, str(result.message))


Row = tuple[list[int], int, int]


def _rows(tasks: Sequence[Task], found: Sequence[Slot], rest: Rest) -> Iterator[Row]:
    """Sums of choices (a game on a slot each) between two bounds."""
    spans = [(int(slot.start.timestamp()) // 60, int(slot.end.timestamp()) // 60) for slot in found]
    days = [local(slot.start).date() for slot in found]
    number = {task.id: at * len(found) for at, task in enumerate(tasks)}
    for task in tasks:
        yield [number[task.id] + at for at in range(len(found))], 1, 1
    for at in range(len(found)):
        yield [first + at for first in number.values()], 0, 1
    for one in {one for task in tasks for one in task.who}:
        mine = [number[task.id] for task in tasks if one in task.who]
        for start in sorted({start for start, _ in spans}):
            until = start + (spans[0][1] - spans[0][0]) + rest.minutes
            close = [at for at, (begin, _) in enumerate(spans) if start <= begin < until]
            yield [first + at for first in mine for at in close], 0, 1
        for day in set(days):
            yield [first + at for first in mine for at, other in enumerate(days) if other == day], 0, rest.per_day
    for task in tasks:
        for fed in task.after:
            for start in sorted({start for start, _ in spans}):
                before = [number[task.id] + at for at, (begin, _) in enumerate(spans) if begin <= start]
                late = [number[fed] + at for at, (_, end) in enumerate(spans) if end + rest.minutes > start]
                yield [*before, *late], 0, 1
            for day in set(days) if rest.per_day == 1 else ():
                yield (
                    [number[ref] + at for ref in (task.id, fed) for at, other in enumerate(days) if other == day],
                    0,
                    1,
                )
