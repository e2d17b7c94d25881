"""Greetings: the days they fall on, and whom they reach."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from actions.announcements import load_calendar, load_topics
from actions.announcements.greetings import days
from actions.core.errors import ConfigurationError
from actions.core.tables import Account, Member
from actions.core.zones import at, local
from bot.settings import ROOT
from tests.announcements.conftest import CHEN, LIN, WANG, ZHOU, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import World

_DAY = timedelta(days=1)


def _first(wanted, year: int) -> date:
    day = date(year, 1, 1)
    while not wanted(day):
        day += _DAY
    return day


@pytest.mark.parametrize(
    ("name", "wanted", "falls"),
    [
        # As the Purple Mountain Observatory's calendars have them; 2025 has a leap sixth month.
        ("春节", lambda d: days.is_lunar(d, 1, 1), {2025: (1, 29), 2026: (2, 17), 2027: (2, 6)}),
        ("除夕", days.is_new_years_eve, {2025: (1, 28), 2026: (2, 16), 2027: (2, 5)}),
        ("元宵", lambda d: days.is_lunar(d, 1, 15), {2025: (2, 12), 2026: (3, 3), 2027: (2, 20)}),
        ("端午", lambda d: days.is_lunar(d, 5, 5), {2025: (5, 31), 2026: (6, 19), 2027: (6, 9)}),
        ("中秋", lambda d: days.is_lunar(d, 8, 15), {2025: (10, 6), 2026: (9, 25), 2027: (9, 15)}),
        ("重阳", lambda d: days.is_lunar(d, 9, 9), {2025: (10, 29), 2026: (10, 18), 2027: (10, 8)}),
        ("清明", lambda d: days.is_term(d, "清明"), {2025: (4, 4), 2026: (4, 5), 2027: (4, 5)}),
        ("冬至", lambda d: days.is_term(d, "冬至"), {2025: (12, 21), 2026: (12, 22), 2027: (12, 22)}),
    ],
)
def test_festivals_fall_on_their_days(name: str, wanted, falls: dict[int, tuple[int, int]]) -> None:
    for year, (month, day) in falls.items():
        assert _first(wanted, year) == date(year, month, day), name


def test_each_solar_term_comes_once_a_year_in_its_order() -> None:
    year = [date(2027, 1, 1) + timedelta(days=number) for number in range(365)]
    assert [days.lunar(day).term for day in year if days.lunar(day).term] == list(days.TERMS)


def test_working_days_follow_the_notice_of_the_state_council() -> None:
    # 2026-09-30 is the day before the holidays, 2026-02-28 a Saturday that is worked.
    assert [day for day in range(1, 31) if days.is_last_working_day(date(2026, 9, day))] == [30]
    assert [day for day in range(1, 29) if days.is_last_working_day(date(2026, 2, day))] == [28]
    assert days.is_first_working_day(date(2026, 10, 8))
    assert days.add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_a_month_has_one_last_working_day(day: date) -> None:
    month = [day.replace(day=number) for number in range(1, 29)]
    month += [month[-1] + _DAY * number for number in (1, 2, 3) if (month[-1] + _DAY * number).month == day.month]
    assert sum(days.is_last_working_day(each) for each in month) == 1
    assert sum(days.is_first_working_day(each) for each in month) == 1


def test_somebody_born_on_29_february_has_a_birthday_every_year() -> None:
    for year in range(2024, 2032):
        first = date(year, 1, 1)
        found = [first + timedelta(days=n) for n in range(366) if days.is_birthday(first + timedelta(days=n), 2, 29)]
        assert len([day for day in found if day.year == year]) == 1


def test_cron_is_in_shanghai_and_names_weekdays() -> None:
    after = datetime(2026, 11, 22, tzinfo=UTC)
    found = list(days.cron_times("30 8 * * mon", after, after + timedelta(days=15)))
    assert [local(moment).strftime("%m-%d %H:%M") for moment in found] == ["11-23 08:30", "11-30 08:30"]
    with pytest.raises(ValueError, match="by name"):
        list(days.cron_times("30 8 * * 1", after, after))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{id: aa, title: 甲, day: {solar: "02-30"}, text: 乙}', "greetings.yml:3"),
        ('{id: aa, title: 甲, day: {solar: "02-03", term: 立春}, text: 乙}', "exactly one"),
        ("{id: aa, title: 甲, day: {term: 立伏}, text: 乙}", "no solar term"),
        ('{id: aa, title: 甲, day: {lunar: "12-30"}, text: 乙}', "除夕"),
        ('{id: aa, title: 甲, day: {cron: "每天"}, text: 乙}', "greetings.yml:3"),
        ('{id: aa, title: 甲, day: {solar: "02-03"}, to: 文学院, text: 乙}', "not a segment"),
        ('{id: aa, title: 甲, day: {solar: "02-03"}, topic: weather, text: 乙}', "no topic"),
    ],
)
def test_a_wrong_line_of_the_calendar_is_named(tmp_path: Path, line: str, fault: str) -> None:
    (tmp_path / "greetings.yml").write_text(f"most_new_colleagues: 50\ngreetings:\n  - {line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=fault):
        load_calendar(tmp_path, load_topics(ROOT / "data"))


def test_the_calendar_keeps_the_tone() -> None:
    for greeting in load_calendar(ROOT / "data", load_topics(ROOT / "data")).greetings:
        assert "亲" not in greeting.text.replace("亲人", "").replace("母亲", "").replace("父亲", "")
        assert "！" not in greeting.text
        assert "快乐" not in greeting.text or greeting.id != "term_qingming"


# --- whom they reach


async def _set(world: World, staff_id: str, **values) -> None:
    async with world.unit_of_work() as context:
        query = select(Member).where(Member.staff_id == staff_id)
        member = (await context.session.execute(query)).unique().scalar_one()
        for name, value in values.items():
            setattr(member, name, value)


async def _to(world: World, day: date, clock: time = time(9, 35)) -> list[str]:
    """Goes on to a moment, and does what is due there; who was told what."""
    world.clock.now = at(day, clock)
    return [f"{message.address.conversation} {message.text}" for message in await world.sent()]


async def test_birthdays_are_told_on_the_day_and_nobodys_age_is(world: World) -> None:
    for who, born in ((LIN, date(1985, 11, 23)), (WANG, date(1990, 11, 23)), (CHEN, date(1988, 2, 29))):
        await _set(world, who, birthday=born)
    await world.say("生日祝福不用发了", who=WANG)
    said = await _to(world, date(2026, 11, 23))
    assert [line for line in said if "生日" in line] == [f"{LIN} 今天是您的生日，工会祝您生日快乐，平安喜乐。"]
    assert not any(sign in line for line in said for sign in ("1985", "41", "岁"))
    assert not [line for line in await _to(world, date(2026, 11, 23), time(12)) if "生日" in line]
    assert [line.split()[0] for line in await _to(world, date(2027, 2, 28)) if "生日" in line] == [CHEN]


async def test_who_retires_and_who_is_new_is_greeted_once(world: World) -> None:
    await _to(world, date(2026, 11, 23))
    await _set(world, LIN, status="retired")
    async with world.unit_of_work() as context:
        context.session.add(Member(staff_id="20260901", name="新老师", status="active", tags=[]))
    said = await _to(world, date(2026, 11, 24))
    assert [line.split()[0] for line in said if "退休" in line] == [LIN]
    assert not [line for line in said if "欢迎您来" in line]  # not bound yet
    await _bind(world, "20260901")
    said = await _to(world, date(2026, 11, 25))
    assert [line.split()[0] for line in said if "欢迎您来" in line] == ["20260901"]
    assert not [line for line in await _to(world, date(2026, 11, 26)) if "欢迎" in line or "退休" in line]


async def _bind(world: World, staff_id: str) -> None:
    async with world.unit_of_work() as context:
        query = select(Member.id).where(Member.staff_id == staff_id)
        member_id = (await context.session.execute(query)).scalar_one()
        account = {"channel": "web", "sender": staff_id, "conversation": staff_id}
        context.session.add(Account(**account, member_id=member_id, heard_at=context.now))


async def test_a_roster_that_is_read_in_is_no_crowd_of_new_colleagues(world: World) -> None:
    await _to(world, date(2026, 11, 23))
    async with world.unit_of_work() as context:
        names = [f"n{number}" for number in range(51)]
        context.session.add_all(Member(staff_id=name, name=name, status="active", tags=[]) for name in names)
    await _bind(world, "n7")
    said = await _to(world, date(2026, 11, 24))
    assert not [line for line in said if "欢迎您来" in line]
    assert [line.split()[0] for line in said if "51 位" in line] == [ZHOU]


async def test_a_late_start_greets_on_the_same_day_and_not_the_next(world: World) -> None:
    said = await _to(world, date(2026, 12, 22), time(18))
    assert len([line for line in said if "冬至" in line]) == 38
    assert not [line for line in await _to(world, date(2027, 1, 1), time(20, 30)) if "新年" in line]


async def test_it_warns_that_next_years_holidays_are_not_known(world: World) -> None:
    said = [line for line in await _to(world, date(2026, 12, 1)) if "放假安排" in line]
    assert len(said) == 1
    assert said[0].startswith(f"{ZHOU} 2027 年的放假安排还没有收进来")
    assert not [line for line in await _to(world, date(2026, 12, 2)) if "放假安排" in line]
    assert len(await told(world, ZHOU)) == 1
