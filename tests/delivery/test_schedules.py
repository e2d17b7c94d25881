"""Schedules: once each, however many processes; late ones by their own rule; a year by moving the clock."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.blocks.workdays import is_working_day
from actions.core.notify import Notice, notify
from actions.core.schedules import Schedule, Schedules, on_days
from actions.core.tables import Firing
from actions.core.zones import SHANGHAI, local

if TYPE_CHECKING:
    from actions.core.commands import Context
    from tests.delivery.conftest import Office

NINE = time(9)


def greeting(office: Office, *, useful: timedelta = timedelta(hours=6), wanted=lambda _day: True) -> Schedule:
    async def run(context: Context, due: datetime) -> None:
        text = f"{local(due):%Y-%m-%d}"
        await notify(context, Notice(member_id=office.people[0], wording="say", params={"text": text}))

    return Schedule(name="greeting", times=on_days(NINE, wanted), run=run, useful=useful)


async def sweep(office: Office, schedules: Schedules) -> int:
    async with office.database.write() as session:
        return await schedules.sweep(office.context(session))


async def firings(office: Office) -> dict[str, str]:
    async with office.database.read() as session:
        rows = (await session.execute(select(Firing).order_by(Firing.due_at))).scalars()
        return {f"{local(row.due_at):%m-%d %H:%M}": row.result for row in rows}


async def test_two_processes_that_fire_the_same_schedule_send_once(office: Office):
    first, second = (Schedules([greeting(office)]) for _ in range(2))
    counts = await asyncio.gather(*(sweep(office, each) for each in (first, second, first, second)))
    assert sum(counts) == 1
    await office.delivery().flush()
    assert office.platform.texts == ["2026-11-22"]


async def test_a_late_start_makes_good_what_is_still_useful(office: Office):
    schedules = Schedules([greeting(office, useful=timedelta(hours=6))])
    await sweep(office, schedules)
    office.clock.now = datetime(2026, 11, 25, 14, 0, tzinfo=SHANGHAI)
    assert await sweep(office, schedules) == 1
    assert await sweep(office, schedules) == 0
    assert await firings(office) == {
        "11-22 09:00": "done",
        "11-23 09:00": "late",
        "11-24 09:00": "late",
        "11-25 09:00": "done",
    }


async def test_a_new_schedule_has_missed_nothing(office: Office):
    office.clock.now = datetime(2026, 11, 25, 16, 0, tzinfo=SHANGHAI)
    assert await sweep(office, Schedules([greeting(office, useful=timedelta(hours=6))])) == 0
    assert await firings(office) == {}


async def test_one_that_fails_is_tried_again_and_holds_up_no_other(office: Office):
    failing = True

    async def run(context: Context, due: datetime) -> None:
        await notify(context, Notice(member_id=office.people[1], wording="say", params={"text": "一半"}))
        if failing:
            raise ZeroDivisionError

    broken = Schedule(name="broken", times=on_days(NINE, lambda _day: True), run=run, useful=timedelta(hours=6))
    schedules = Schedules([broken, greeting(office)])
    assert await sweep(office, schedules) == 1
    await office.delivery().flush()
    assert office.platform.texts == ["2026-11-22"]
    failing = False
    assert await sweep(office, schedules) == 1
    await office.delivery().flush()
    assert office.platform.texts == ["2026-11-22", "一半"]


async def test_a_year_has_each_of_its_days_once(office: Office):
    schedules = Schedules([greeting(office, wanted=is_working_day)])
    office.clock.now = datetime(2026, 11, 1, 8, 0, tzinfo=SHANGHAI)
    delivery = office.delivery()
    while office.clock() < datetime(2027, 12, 31, 23, 0, tzinfo=SHANGHAI):
        if await sweep(office, schedules):
            await delivery.flush()
        office.clock.move(hours=5)
    days = [date(2026, 11, 1) + timedelta(days=number) for number in range(426)]
    assert office.platform.texts == [day.isoformat() for day in days if is_working_day(day)]


def test_two_schedules_of_one_name_are_refused():
    async def run(_context: Context, _due: datetime) -> None: ...

    one = Schedule(name="same", times=on_days(NINE, lambda _day: True), run=run, useful=timedelta())
    with pytest.raises(ValueError, match="same"):
        Schedules([one, one])
