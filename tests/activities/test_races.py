"""Many at once for what is scarce: the database holds no more than there is, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from actions.activities import commands as c
from actions.activities.contest_tables import ClosedRound
from actions.activities.contests import CloseRound, SetMarks
from actions.activities.doors import CheckIn, ShowRoom
from actions.activities.report_tables import MeetingReport
from actions.activities.reporting import ConfirmReport, Report, SendBackReport
from actions.activities.rules import spec_of
from actions.activities.tables import Attendance, Entry, Person
from actions.core.errors import DomainError
from actions.core.tables import Member, Offering, Unit
from tests.activities.world import LEADER, LECTURE_AT, OFFICER, OWNER

if TYPE_CHECKING:
    from actions.core.commands import Command
    from tests.activities.world import Field

CROWD = 16


async def crowd(field: Field) -> list[str]:
    """Sixteen more members, four of each of four units."""
    async with field.database.write() as session:
        units = [Unit(name=f"单位{number}") for number in range(4)]
        session.add_all(units)
        await session.flush()
        people = [
            Member(staff_id=f"2020{n:04}", name=f"同事{n}", sex="女", unit_id=units[n % 4].id) for n in range(CROWD)
        ]
        session.add_all(people)
        await session.flush()
        field.people |= {person.name: person.id for person in people}
        field.staff |= {person.name: person.staff_id for person in people}
    return [person.name for person in people]


async def race(field: Field, *attempts: tuple[str, Command]) -> Counter[str]:
    """All at once; how many were done ("") or refused, by code. Anything but a refusal is a fault."""

    async def attempt(who: str, command: Command) -> str:
        try:
            await field.run(command, who)
        except DomainError as error:
            return error.code
        return ""

    return Counter(await asyncio.gather(*(attempt(who, command) for who, command in attempts)))


async def test_no_more_than_there_are(racing: Field) -> None:
    names = await crowd(racing)
    assert await race(racing, *((who, racing.enrolment("讲座")) for who in names)) == {"": CROWD}
    entries = await racing.all(Entry)
    inside = [entry for entry in entries if entry.state == "registered"]
    assert len(inside) == await racing.places("讲座") == 3
    assert max(Counter(entry.unit_id for entry in inside).values()) <= 2
    assert {entry.state for entry in entries if entry not in inside} == {"waiting"}


async def test_one_player_is_wanted_by_all(racing: Field) -> None:
    names = await crowd(racing)
    teams = ((who, racing.enrolment("接力", who, "林一帆")) for who in names)
    told = await race(racing, *teams)
    assert told == {"": 1, "in_another": CROWD - 1}
    keys = [person.open_key for person in await racing.all(Person)]
    assert len(keys) == len(set(keys)) == 2


async def test_one_code_at_two_doors(racing: Field) -> None:
    await racing.enrol("林一帆", "讲座")
    (person,) = await racing.all(Person)
    racing.now = LECTURE_AT
    code = CheckIn(code=person.ticket or "")
    assert await race(racing, *([(OFFICER, code), (OWNER, code)] * 4)) == {"": 1, "ticket_used": 7}
    assert len(await racing.all(Attendance)) == 1


async def test_the_same_place_is_offered_to_one(racing: Field) -> None:
    first = await racing.enrol("王敏", "团辅")
    names = await crowd(racing)
    waits = [await racing.enrol(who, "团辅") for who in names[:6]]
    leaving: list[tuple[str, Command]] = [("王敏", c.Withdraw(entry_id=first))]
    sweeping = [racing.sweep() for _ in range(4)]
    await asyncio.gather(race(racing, *leaving), *sweeping)
    states = [await racing.state(number) for number in waits]
    assert states == ["offered", *["waiting"] * 5]


async def test_a_round_is_closed_once(racing: Field) -> None:
    """Two officers tell the result in the same moment: everybody in it hears it once."""
    for who in ("林一帆", "王敏", "张建国"):
        await racing.enrol(OFFICER, "辅导员赛", who)
    number = racing.things["辅导员赛"]
    await racing.run(SetMarks(offering_id=number, words="林一帆 90，王敏 80，张建国 70"), OWNER)
    close = CloseRound(offering_id=number, sure=True)
    told = await race(racing, *([(OFFICER, close), (OWNER, close)] * 3))
    assert told == {"": 1, "unmarked": 5}, "who comes later finds the next round, of which nothing is known"
    assert len(await racing.all(ClosedRound)) == 1
    assert len(await racing.texts("林一帆", "contests.through")) == 1


async def test_a_meeting_is_decided_once(racing: Field) -> None:
    start = racing.now + timedelta(days=3)
    given = {
        "title": "练习",
        "place": "体育馆",
        "people": 10,
        "starts_at": start,
        "ends_at": start + timedelta(hours=2),
    }
    await racing.run(Report(offering_id=racing.things["羽毛球协会"], **given), LEADER)
    (row,) = await racing.all(MeetingReport)
    answers: list[Command] = [ConfirmReport(report_id=row.id), SendBackReport(report_id=row.id, reason="检修")]
    told = await race(racing, *((OFFICER, answer) for answer in answers * 3))
    assert told == {"": 1, "already_decided": 5}
    (club,) = await racing.all(Offering, Offering.id == row.offering_id)
    (decided,) = await racing.all(MeetingReport)
    assert len(spec_of(club).sessions) == (decided.state == "confirmed")


async def test_one_comes_in_once_with_the_code_of_the_room(racing: Field) -> None:
    await racing.enrol("林一帆", "讲座")
    racing.now = LECTURE_AT
    code = str((await racing.run(ShowRoom(offering_id=racing.things["讲座"]), OWNER)).data["code"])
    assert await race(racing, *([("林一帆", CheckIn(code=code))] * 6)) == {"": 1, "ticket_used": 5}
    assert len(await racing.all(Attendance)) == 1
