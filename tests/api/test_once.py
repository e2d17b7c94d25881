"""`Idempotency-Key`: what comes again is answered as before, and done once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from actions.blocks.materials import Material
from actions.core.tables import Audit
from bot.api.tables import ApiAnswer
from tests.api.portal import LIN, WANG, booked, code, items, portal
from tests.files.samples import picture

if TYPE_CHECKING:
    import httpx

    from tests.conftest import World


def named(name: str = "one") -> dict[str, str]:
    return {"Idempotency-Key": name}


async def cancel(caller: httpx.AsyncClient, ref: str, name: str = "one", who: str = LIN) -> httpx.Response:
    return await caller.post(f"/api/v1/items/{ref}/cancel", params={"sender": who}, headers=named(name))


async def cancelled(world: World) -> int:
    async with world.app.house.database.read() as session:
        query = select(func.count()).select_from(Audit).where(Audit.command == "appointments.cancel")
        return (await session.execute(query)).scalar_one()


async def test_the_same_request_again_has_the_stored_answer(either_world: World) -> None:
    world = either_world
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        first = await cancel(caller, mine["ref"])
        again = await cancel(caller, mine["ref"])
        assert (again.status_code, again.content) == (first.status_code, first.content) == (200, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        # With no name, or another, it is a request of its own.
        assert code(await cancel(caller, mine["ref"], "two")) == "item_gone"
    assert await cancelled(world) == 1


async def test_of_two_at_once_one_is_done_and_both_are_answered_alike(either_world: World) -> None:
    world = either_world
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        answers = await asyncio.gather(*(cancel(caller, mine["ref"]) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 5
    assert await cancelled(world) == 1


async def test_another_request_under_the_same_name_is_refused(world: World) -> None:
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        assert (await cancel(caller, mine["ref"])).status_code == 200
        other = await cancel(caller, "appointment:9999")
        assert (other.status_code, code(other)) == (422, "other_request")
        body = await caller.post(
            f"/api/v1/items/{mine['ref']}/cancel", params={"sender": LIN}, headers=named(), content=b"{}"
        )
        assert code(body) == "other_request"


async def test_a_refusal_is_an_answer_too(world: World) -> None:
    async with portal(world) as caller:
        first = await cancel(caller, "appointment:9999")
        assert (first.status_code, code(first)) == (404, "item_gone")
        again = await cancel(caller, "appointment:9999")
    assert (again.status_code, again.content) == (404, first.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_names_are_a_members_and_a_keys_own(world: World) -> None:
    await booked(world)
    async with portal(world) as caller, portal(world, "another") as another:
        [mine] = await items(caller)
        assert (await cancel(caller, mine["ref"], who=WANG)).status_code == 404
        assert (await cancel(caller, mine["ref"])).status_code == 200
        theirs = await cancel(another, mine["ref"])
        assert "idempotency-replayed" not in theirs.headers
        assert theirs.status_code == 404


async def test_a_name_is_kept_for_a_day_and_its_answer_sealed(world: World) -> None:
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        first = await cancel(caller, mine["ref"])
        async with world.app.house.database.read() as session:
            [row] = (await session.execute(select(ApiAnswer))).scalars()
        assert row.body.startswith("v1.")
        assert first.json()["said"][:6] not in row.body
        assert LIN not in row.name
        world.clock.move(hours=23, minutes=59)
        assert (await cancel(caller, mine["ref"])).content == first.content
        world.clock.move(minutes=1)
        assert code(await cancel(caller, mine["ref"])) == "item_gone"


async def test_what_breaks_leaves_no_answer_behind(world: World) -> None:
    await booked(world)
    async with portal(world) as caller:
        [mine] = await items(caller)
        path = f"/api/v1/items/{mine['ref']}/move"
        late = {"value": "1@2026-02-30T10:00:00+08:00"}
        refused = await caller.post(path, params={"sender": LIN}, headers=named(), json=late)
        assert (refused.status_code, code(refused)) == (422, "invalid")
        assert (await cancel(caller, mine["ref"])).status_code == 200


async def upload(caller: httpx.AsyncClient, content: bytes, name: str = "one") -> httpx.Response:
    where = {"sender": LIN, "conversation": LIN}
    return await caller.post("/api/v1/files", files={"file": ("a.jpg", content)}, data=where, headers=named(name))


async def test_a_file_is_kept_once(either_world: World) -> None:
    world, content = either_world, picture()
    async with portal(world) as caller:
        first = await upload(caller, content)
        again = await upload(caller, content)
        assert first.status_code == again.status_code == 201
        assert again.content == first.content
        other = await upload(caller, picture(size=(40, 30)))
        assert (other.status_code, code(other)) == (422, "other_request")
    async with world.app.house.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Material))).scalar_one() == 1


async def test_a_file_that_is_not_taken_may_be_tried_again(world: World) -> None:
    async with portal(world) as caller:
        assert (await upload(caller, b"no picture")).status_code == 422
        assert (await upload(caller, picture())).status_code == 201


@pytest.mark.parametrize(("seconds", "status"), [(59, 409), (61, 201)])
async def test_who_died_over_it_does_not_keep_it(world: World, seconds: int, status: int) -> None:
    async with portal(world) as caller:
        assert (await upload(caller, picture())).status_code == 201
        async with world.app.house.database.write() as session:
            await session.execute(update(ApiAnswer).values(status=None, body="", at=world.clock()))
        world.clock.now += timedelta(seconds=seconds)
        answer = await upload(caller, picture())
    assert answer.status_code == status
    if status == 409:
        assert (code(answer), answer.headers["retry-after"]) == ("under_way", "2")


async def test_a_message_under_a_name_keeps_its_words(world: World) -> None:
    message = {"sender": LIN, "conversation": LIN, "message_id": "m1", "text": "你好"}
    async with portal(world) as caller:
        first = await caller.post("/api/v1/chat", json=message, headers=named())
        again = await caller.post("/api/v1/chat", json=message, headers=named())
        assert again.json() == first.json()
        other = await caller.post("/api/v1/chat", json={**message, "text": "取消"}, headers=named())
        assert (other.status_code, code(other)) == (422, "other_request")


@pytest.mark.parametrize("name", ["x" * 201, "with space", "中文"])
async def test_a_name_is_short_and_printable(world: World, name: str) -> None:
    async with portal(world) as caller:
        headers = {b"Idempotency-Key": name.encode()}
        answer = await caller.post("/api/v1/items/case:1/cancel", params={"sender": LIN}, headers=headers)
    assert (answer.status_code, code(answer)) == (422, "invalid")
