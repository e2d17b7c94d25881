"""Services, offerings and a member's own matters, as lists; and what is done to them by the commands of chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from actions.core.tables import Audit
from tests.api.portal import LIN, OFFICER, SUN, WANG, booked, code, items, portal

if TYPE_CHECKING:
    from tests.conftest import World


async def _all(caller: Any, path: str, **params: Any) -> list[dict[str, Any]]:
    """Every page of a list."""
    found: list[dict[str, Any]] = []
    offset: int | None = 0
    while offset is not None:
        answer = await caller.get(f"/api/v1/{path}", params={"limit": 7, "offset": offset, **params})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= 7
        found += page["items"]
        offset = page.get("next")
    assert len(found) == page["total"]
    return found


async def test_the_catalogue_tells_what_a_member_may_do(world: World) -> None:
    async with portal(world) as caller:
        by_id = {each["id"]: each for each in await _all(caller, "services", sender=LIN)}
        one = (await caller.get("/api/v1/services/counseling", params={"sender": LIN})).json()
        assert code(await caller.get("/api/v1/services/nothing", params={"sender": LIN})) == "not_found"
    assert one == by_id["counseling"]
    assert (one["available"], one["private"], one["kind"]) == (True, True, "appointment")
    assert [field["key"] for field in one["form"]][:2] == ["time", "counsellor"]
    assert by_id["unit_project"]["available"] is False
    assert by_id["unit_project"]["reason"]["code"] == "not_for_you"


async def test_what_it_says_to_say_opens_the_service(world: World) -> None:
    async with portal(world) as caller:
        services = {each["id"]: each["say"] for each in await _all(caller, "services", sender=LIN)}
    said = await world.told(services["counseling"])
    assert "什么时候" in said


async def test_who_is_not_bound_is_told_so(world: World) -> None:
    async with portal(world) as caller:
        refused = await caller.get("/api/v1/items", params={"sender": SUN})
        assert (refused.status_code, code(refused)) == (403, "not_bound")
        service = (await caller.get("/api/v1/services/counseling", params={"sender": SUN})).json()
        assert (service["available"], service["reason"]["code"]) == (False, "not_bound")
        union = (await caller.get("/api/v1/services/union_info", params={"sender": SUN})).json()
        assert union["available"]
        assert await _all(caller, "offerings", sender=SUN)


async def test_open_offerings_come_with_the_places_that_are_left(world: World) -> None:
    async with portal(world) as caller:
        before = {each["title"]: each for each in await _all(caller, "offerings", sender=LIN)}
        lecture = next(each for each in before.values() if each["service"] == "lectures" and "left" in each)
        await world.say(lecture["say"])
        await world.say("确认")
        own = await items(caller)
        [after] = [
            each
            for each in await _all(caller, "offerings", sender=LIN, service="lectures")
            if each["id"] == lecture["id"]
        ]
        [theirs] = [
            each
            for each in await _all(caller, "offerings", sender=WANG, service="lectures")
            if each["id"] == lecture["id"]
        ]
    assert [each["service"] for each in own] == ["lectures"]
    assert after["left"] == theirs["left"] == lecture["left"] - 1
    assert (after["available"], theirs["available"]) == (False, True)
    assert after["reason"]["message"]


async def test_calendars_tell_their_free_times(world: World) -> None:
    async with portal(world) as caller:
        rooms = {each["title"]: each for each in await _all(caller, "offerings", sender=LIN, service="health_room")}
        await booked(world)
        after = {each["title"]: each for each in await _all(caller, "offerings", sender=LIN, service="health_room")}
        counsellors = await _all(caller, "offerings", sender=LIN, service="counseling")
    assert after["瑜伽室"]["left"] == rooms["瑜伽室"]["left"] - 1
    assert after["瑜伽室"]["next_at"].endswith("+08:00")
    assert {each["title"] for each in counsellors} == {"何医生", "高老师"}


async def test_what_is_for_others_is_not_listed(world: World) -> None:
    async with portal(world) as caller:
        mine = {each["service"] for each in await _all(caller, "offerings", sender=LIN)}
        officers = {each["service"] for each in await _all(caller, "offerings", sender=OFFICER)}
        strangers = {each["service"] for each in await _all(caller, "offerings", sender=SUN)}
    for_roles = {service.id for service in world.app.house.catalogue if service.who.roles}
    assert "unit_project" in for_roles & officers
    assert mine <= officers
    assert not for_roles & (mine | strangers)


async def test_my_items_are_those_of_chat_and_nobody_elses(world: World) -> None:
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        assert await items(caller, WANG) == []
        calendar = await caller.get(mine["ics"])
    assert mine["title"] in await world.told("我约了什么")
    assert (mine["state"], mine["actions"]) == ("booked", ["cancel", "move"])
    assert mine["starts_at"] == "2026-11-25T15:00:00+08:00"
    assert calendar.headers["content-type"].startswith("text/calendar")


async def test_cancelling_is_the_command_of_chat(world: World) -> None:
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        path = f"/api/v1/items/{mine['ref']}/cancel"
        other = await caller.post(path, params={"sender": WANG})
        assert (other.status_code, code(other)) == (404, "item_gone")
        done = await caller.post(path, params={"sender": LIN})
        assert done.status_code == 200
        assert "取消" in done.json()["said"]
        assert await items(caller) == []
        again = await caller.post(path, params={"sender": LIN})
        assert (again.status_code, code(again)) == (404, "item_gone")
    async with world.app.house.database.read() as session:
        query = select(func.count()).select_from(Audit).where(Audit.command == "appointments.cancel")
        assert (await session.execute(query)).scalar_one() == 1


async def test_moving_takes_one_of_the_times_that_are_offered(world: World) -> None:
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        path = f"/api/v1/items/{mine['ref']}"
        choices = (await caller.get(f"{path}/moves", params={"sender": LIN})).json()["items"]
        value = choices[-1]["value"]
        for wrong, status in (
            ("now", 422),
            ("1@2026-13-45T25:00:00+08:00", 422),
            (f"{value.partition('@')[0]}@2026-11-25T03:00:00+08:00", 409),
            (f"999999@{value.partition('@')[2]}", 409),
        ):
            refused = await caller.post(f"{path}/move", params={"sender": LIN}, json={"value": wrong})
            assert refused.status_code == status, refused.text
        done = await caller.post(f"{path}/move", params={"sender": LIN}, json={"value": value})
        assert done.status_code == 200, done.text
        [moved] = await items(caller)
    assert moved["starts_at"] == value.partition("@")[2]


async def test_what_cannot_be_done_is_told_in_words(world: World) -> None:
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        world.clock.move(days=3, hours=5, minutes=55)
        assert (await items(caller))[0]["actions"] == ["cancel"]
        path = f"/api/v1/items/{mine['ref']}"
        assert (await caller.get(f"{path}/moves", params={"sender": LIN})).json()["items"] == []
        value = "1@2026-11-26T15:00:00+08:00"
        refused = await caller.post(f"{path}/move", params={"sender": LIN}, json={"value": value})
    assert (refused.status_code, code(refused)) == (409, "not_movable")
    assert "改不了" in refused.json()["error"]["message"]


@pytest.mark.parametrize("ref", ["case:1", "entry:999999999", "binding:1", "nothing:1", "waiting:7"])
async def test_a_ref_of_nothing_is_nobodys(world: World, ref: str) -> None:
    async with portal(world) as caller:
        for method, what in (("POST", "cancel"), ("GET", "moves")):
            answer = await caller.request(method, f"/api/v1/items/{ref}/{what}", params={"sender": LIN})
            assert (answer.status_code, code(answer)) == (404, "item_gone")
