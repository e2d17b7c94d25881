"""What officers create, edit, open, close and cancel; who may, and what is told to those concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actions.core.offerings import CancelOffering, CloseOffering, CreateOffering, EditOffering, OpenOffering
from actions.core.tables import Offering, RoleGrant
from tests.appointments.world import MEMBERS, OFFICER, WEDNESDAY, moment, open_hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.appointments.world import Hall

HOURS = {"hours": [{"start": "08:00", "end": "21:00"}]}


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    made = await open_hall()
    yield made
    await made.database.close()


def new(**more: Any) -> CreateOffering:
    return CreateOffering.model_validate({"service": "health_room", "title": "舞蹈室", "spec": HOURS, **more})


async def test_an_offering_is_made_with_all_its_rules_written_out(hall: Hall):
    outcome = await hall.run(new(owner="20180000", campus="南湖校区", example=True), OFFICER)
    (row,) = await hall.all(Offering, Offering.title == "舞蹈室")
    assert outcome.data == {"offering_id": row.id, "state": "open"}
    assert (row.owner_id, row.campus, row.example) == (hall.people[MEMBERS[0]], "南湖校区", True)
    assert (row.spec["works"], row.spec["capacity"], row.spec["closures"]) == ("working_days", 1, [])


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"service": "gym"}, "unknown_service"),
        ({"spec": {}}, "bad_arguments"),
        ({"spec": {**HOURS, "capasity": 3}}, "bad_arguments"),
        ({"owner": "nobody"}, "no_such_member"),
        ({"title": "瑜伽室"}, "title_taken"),
    ],
    ids=str,
)
async def test_what_cannot_be_made(hall: Hall, more: dict[str, Any], code: str):
    before = len(await hall.all(Offering))
    assert await hall.refused(new(**more), OFFICER) == code
    assert len(await hall.all(Offering)) == before


async def test_one_title_on_two_campuses(hall: Hall):
    await hall.run(new(title="瑜伽室", campus="文昌校区"), OFFICER)
    assert await hall.refused(new(title="瑜伽室", campus="文昌校区"), OFFICER) == "title_taken"


async def test_a_fault_of_the_spec_is_named(hall: Hall):
    await hall.refused(new(spec={"hours": [{"start": "08:00", "end": "07:00"}], "capacity": 0}), OFFICER)
    assert "spec.hours.0" in hall.reply
    assert "spec.capacity" in hall.reply


async def test_an_edit_keeps_what_it_does_not_name(hall: Hall):
    room = hall.rooms["多功能室"]
    await hall.run(EditOffering(offering_id=room, spec={"capacity": 50}), OFFICER)
    (row,) = await hall.all(Offering, Offering.id == room)
    assert (row.spec["capacity"], row.spec["key"], row.spec["hours"][0]["start"]) == (50, "钥匙找值班室", "14:00:00")
    assert await hall.refused(EditOffering(offering_id=room, spec={"capacity": -1}), OFFICER) == "bad_arguments"


async def test_open_close_cancel(hall: Hall):
    outcome = await hall.run(new(open=False), OFFICER)
    room = outcome.data["offering_id"]
    for command, state in (
        (OpenOffering, "open"),
        (CloseOffering, "closed"),
        (OpenOffering, "open"),
        (CancelOffering, "cancelled"),
    ):
        assert (await hall.run(command(offering_id=room), OFFICER)).data["state"] == state
    for command in (CloseOffering, CancelOffering):
        assert await hall.refused(command(offering_id=room), OFFICER) == "offering_cancelled"
    assert await hall.refused(EditOffering(offering_id=room, spec={}), OFFICER) == "offering_cancelled"
    assert (await hall.run(OpenOffering(offering_id=room), OFFICER)).data["state"] == "open"


async def test_a_closed_calendar_keeps_what_is_in_it(hall: Hall):
    number = await hall.book(MEMBERS[0], "瑜伽室", moment(WEDNESDAY, 14))
    await hall.run(CloseOffering(offering_id=hall.rooms["瑜伽室"]), OFFICER)
    assert await hall.states() == {number: "booked"}


async def test_a_cancelled_calendar_tells_who_had_booked(hall: Hall):
    await hall.book(MEMBERS[0], "瑜伽室", moment(WEDNESDAY, 14))
    await hall.run(CancelOffering(offering_id=hall.rooms["瑜伽室"]), OFFICER)
    assert "已通知 1 位老师" in hall.reply
    assert await hall.told(MEMBERS[0]) == ["notices.cancelled_by_us"]


@pytest.mark.parametrize("who", [MEMBERS[0], "何医生", "赵磊"])
async def test_only_officers_change_offerings(hall: Hall, who: str):
    room = hall.rooms["何医生"]
    changes = [command(offering_id=room) for command in (OpenOffering, CloseOffering, CancelOffering)]
    for command in (new(), EditOffering(offering_id=room, spec={}), *changes):
        assert await hall.refused(command, who) == "forbidden"
    assert {row.state for row in await hall.all(Offering)} == {"open"}


async def test_an_officer_of_one_service_changes_no_other(hall: Hall):
    async with hall.database.write() as session:
        session.add(RoleGrant(member_id=hall.people[MEMBERS[0]], role="union_officer", service="health_room"))
    assert await hall.refused(new(), MEMBERS[0]) == ""
    assert await hall.refused(new(service="counseling"), MEMBERS[0]) == "forbidden"
    assert await hall.refused(CloseOffering(offering_id=hall.rooms["何医生"]), MEMBERS[0]) == "forbidden"


@pytest.mark.parametrize("command", [EditOffering(offering_id=99, spec={}), OpenOffering(offering_id=99)])
async def test_what_is_not_there(hall: Hall, command: Any):
    assert await hall.refused(command, OFFICER) == "not_found"
    assert await hall.refused(command) == "not_found"
