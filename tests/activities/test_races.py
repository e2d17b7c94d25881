"""Many at once for what is scarce: the database holds no more than there is, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from actions.activities import commands as c
from actions.activities.doors import CheckIn
from actions.activities.tables import Attendance, Entry, Person
from actions.core.errors import DomainError
from actions.core.tables import Member, Unit
from tests.activities.world import LECTURE_AT, OFFICER, OWNER

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
