"""The code of a room: who is registered and there says it, once for each session, while it is the last one shown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from actions.activities.doors import CheckIn, ShowRoom
from actions.activities.room_tables import RoomCode
from actions.activities.tables import Attendance
from actions.blocks.tickets import new_code
from tests.activities.world import LECTURE_AT, OFFICER, OWNER, UNIT_OFFICER

if TYPE_CHECKING:
    from tests.activities.world import Field


async def code_of(field: Field, title: str = "讲座") -> str:
    """What the room shows now."""
    return str((await field.run(ShowRoom(offering_id=field.things[title]), OWNER)).data["code"])


async def test_who_is_registered_and_there_checks_in_once(field: Field) -> None:
    await field.enrol("林一帆", "讲座")
    await field.enrol("王敏", "讲座")
    field.now = LECTURE_AT - timedelta(minutes=20)
    code = await code_of(field)
    await field.run(CheckIn(code=code), "林一帆")
    assert "林一帆老师签到了" in field.reply
    assert await field.refused(CheckIn(code=code), "林一帆") == "ticket_used"
    await field.run(CheckIn(code=code.lower()), "王敏")
    assert len(await field.all(Attendance)) == 2
    assert await field.refused(CheckIn(code=code), "李秀芳") == "not_in_here"
    assert "先报名再签到" in field.reply


async def test_an_older_code_and_a_guess_count_no_more(field: Field) -> None:
    await field.enrol("林一帆", "讲座")
    field.now = LECTURE_AT
    old, new = await code_of(field), await code_of(field)
    assert await field.refused(CheckIn(code=old), "林一帆") == "ticket_unknown"
    assert await field.refused(CheckIn(code=new_code(field.vault, "room")), "林一帆") == "ticket_unknown"
    await field.run(CheckIn(code=new), "林一帆")
    assert [row.code for row in await field.all(RoomCode)] == [new]


async def test_a_room_shows_a_code_while_its_doors_are_open(field: Field) -> None:
    await field.enrol("林一帆", "讲座")
    assert await field.refused(ShowRoom(offering_id=field.things["讲座"]), OWNER) == "no_session_now"
    field.now = LECTURE_AT
    code = await code_of(field)
    field.now = LECTURE_AT + timedelta(hours=2)
    assert await field.refused(CheckIn(code=code), "林一帆") == "no_session_now"


async def test_only_who_answers_for_it_has_a_code_shown(field: Field) -> None:
    field.now = LECTURE_AT
    for who in ("林一帆", UNIT_OFFICER):
        assert await field.refused(ShowRoom(offering_id=field.things["讲座"]), who) == "forbidden"
    await field.run(ShowRoom(offering_id=field.things["讲座"]), OFFICER)
    assert await field.refused(ShowRoom(offering_id=field.things["篮球"]), OFFICER) == "not_found"
