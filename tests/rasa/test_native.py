"""Our forms driven by another engine: what it is told, what it may fill in, and what never leaves us."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import func, select

from actions.appointments.tables import Appointment, Seat
from actions.core.tables import Conversation
from actions.safety.tables import Alert
from bot.api import create_api
from bot.api.actions import PATH
from bot.app import create_api_key
from bot.gateway.native.calls import offered
from bot.serving import _api_parts
from tests.rasa.dialogue import Loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import World

OTHER = "20150108"
TO_THE_READ_BACK = ("下周三下午三点想约心理咨询", "何医生", "线上", "同意", "王芳 13912345678")


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    key = await create_api_key(world.app, "rasa")
    api = create_api(_api_parts(world.app, asyncio.Event(), None))
    headers = {"Authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://union.test", headers=headers) as opened:
        yield opened


@pytest.fixture
def loop(client: httpx.AsyncClient) -> Loop:
    return Loop(client=client)


async def appointments(world: World) -> list[Appointment]:
    async with world.app.house.database.read() as session:
        return list((await session.execute(select(Appointment))).unique().scalars())


async def count(world: World, table: Any) -> int:
    async with world.app.house.database.read() as session:
        return int((await session.execute(select(func.count()).select_from(table))).scalar_one())


async def to_the_read_back(loop: Loop) -> str:
    said = ""
    for text in TO_THE_READ_BACK:
        said = await loop.say(text)
    return said


async def test_a_form_asks_field_by_field_and_commits_what_was_confirmed(loop: Loop, world: World) -> None:
    assert "想约哪位老师" in await loop.say(TO_THE_READ_BACK[0])
    assert (loop.asked, loop.slots["counseling_time"]) == ("counseling_counsellor", "11月25日(周三)15:00")
    for text in TO_THE_READ_BACK[1:]:
        said = await loop.say(text)
    assert loop.asked == "counseling_ready"
    assert "何医生" in said
    assert [one.state for one in await appointments(world)] == ["held"]
    assert "约好了：11月25日(周三)15:00" in await loop.say("确认")
    booked = await appointments(world)
    assert [(one.state, one.fields) for one in booked] == [("booked", {"mode": "线上"})]
    assert {value for name, value in loop.slots.items() if name.startswith("counseling_")} == {None}


async def test_nothing_confidential_is_told_to_the_engine(loop: Loop) -> None:
    await to_the_read_back(loop)
    told = json.dumps(loop.slots, ensure_ascii=False)
    assert loop.slots["counseling_contact"] == "已填"
    assert "王芳" not in told
    assert "13912345678" not in told


async def test_a_correction_at_the_read_back_is_read_back_anew(loop: Loop, world: World) -> None:
    await to_the_read_back(loop)
    await loop.say("改成线下")
    await loop.say("南湖校区")
    assert loop.asked == "counseling_ready"
    await loop.say("确认")
    assert [one.fields for one in await appointments(world)] == [{"mode": "线下", "campus": "南湖校区"}]


async def test_what_the_engine_fills_by_itself_counts_as_an_answer(loop: Loop, world: World) -> None:
    loop.slots |= {"counseling_time": "下周三下午三点", "counseling_mode": "线上"}
    await loop.say("想约心理咨询")
    assert (loop.asked, loop.slots["counseling_time"]) == ("counseling_counsellor", "11月25日(周三)15:00")
    loop.slots["counseling_counsellor"] = "何医生"
    await loop.say("就这位")
    assert (loop.asked, loop.slots["counseling_counsellor"]) == ("counseling_consent", "何医生")
    assert await appointments(world) == []


async def test_a_form_that_the_engine_filled_whole_is_committed_in_one_call(loop: Loop, world: World) -> None:
    filled = {
        "time": "下周三下午三点",
        "counsellor": "何医生",
        "mode": "线上",
        "consent": "同意",
        "contact": "王芳 13912345678",
    }
    loop.slots |= {f"counseling_{key}": text for key, text in filled.items()}
    assert "约好了" in "".join(await loop.call("action_counseling_commit"))
    assert len(await appointments(world)) == 1


async def test_a_commit_that_lacks_something_asks_for_it_in_the_form(loop: Loop, world: World) -> None:
    loop.slots |= {"counseling_time": "下周三下午三点", "counseling_mode": "线上"}
    assert await loop.call("action_counseling_commit") == []
    assert (loop.active, loop.asked) == (True, "counseling_counsellor")
    assert "想约哪位老师" in "".join(await loop.call("validate_counseling_form"))
    assert await appointments(world) == []


async def test_without_anything_filled_a_commit_says_nothing(loop: Loop, world: World) -> None:
    assert await loop.call("action_counseling_commit") == []
    assert await appointments(world) == []


async def test_giving_up_ends_the_form_and_lets_go_of_the_time(loop: Loop, world: World) -> None:
    await to_the_read_back(loop)
    assert await count(world, Seat) == 1
    assert "心理咨询" in await loop.say("不办了")
    assert (loop.asked, loop.active) == (None, False)
    assert (await count(world, Seat), await appointments(world)) == (0, [])


async def test_a_time_that_was_taken_meanwhile_is_asked_anew_by_the_form(loop: Loop, world: World) -> None:
    await to_the_read_back(loop)
    world.clock.move(minutes=11)  # what was held is free again, and somebody else is quicker
    other = Loop(client=loop.client, sender=OTHER)
    await to_the_read_back(other)
    await other.say("确认")
    said = await loop.say("确认")
    assert "约好了" not in said
    assert (loop.active, loop.asked) == (True, "counseling_time")
    assert loop.slots["counseling_contact"] == "已填"
    assert [one.state for one in await appointments(world)] == ["booked"]


async def test_a_crisis_outranks_the_form_and_raises_the_alert(loop: Loop, world: World) -> None:
    await loop.say(TO_THE_READ_BACK[0])
    assert "12356" in await loop.say("我不想活了")
    assert loop.asked is None
    assert await count(world, Alert) == 1


async def test_who_is_not_bound_binds_within_the_form(loop: Loop, world: World) -> None:
    loop.sender = "somebody-new"
    said = await loop.say("下周三下午三点想约心理咨询")
    assert "工号" in said
    assert loop.asked == "counseling_ready"
    assert loop.slots["counseling_state"]


async def test_another_ones_state_is_worth_nothing(loop: Loop) -> None:
    await to_the_read_back(loop)
    stranger = Loop(client=loop.client, sender="20190101", slots=dict(loop.slots), texts=90)
    assert "约好了" not in await stranger.say("确认")


async def test_the_same_message_is_not_taken_twice(loop: Loop) -> None:
    await loop.say(TO_THE_READ_BACK[0])
    before = loop.asked
    again = "\n".join(await loop.call("validate_counseling_form"))
    assert "想约哪位老师" in again
    assert loop.asked == before


async def test_a_message_that_another_action_answered_is_not_the_forms(loop: Loop) -> None:
    await loop.say(TO_THE_READ_BACK[0])
    loop.events.append({"event": "user", "text": "高老师", "message_id": "m-aside"})
    loop.events.append({"event": "action", "name": "action_of_their_own"})
    await loop.call("validate_counseling_form")
    assert (loop.asked, loop.slots["counseling_counsellor"]) == ("counseling_counsellor", None)


async def test_the_assistant_answers_whatever_is_no_form_and_once(loop: Loop, world: World) -> None:
    loop.events.append({"event": "user", "text": "你好", "message_id": "m-hello"})
    first = await loop.call("action_assistant")
    assert first == await loop.call("action_assistant")
    assert first[0]
    assert await count(world, Conversation) == 1


async def test_options_are_buttons_that_say_what_people_type(client: httpx.AsyncClient) -> None:
    message = {"text": "下周三下午三点想约心理咨询", "message_id": "m1"}
    tracker = {"slots": {}, "latest_message": message, "events": [{"event": "user", **message}]}
    body = {"next_action": "validate_counseling_form", "sender_id": "20180312", "tracker": tracker}
    responses = (await client.post(PATH, json=body)).json()["responses"]
    assert {"title": "何医生", "payload": "何医生"} in responses[-1]["buttons"]


@pytest.mark.parametrize("action", ["action_of_nobody", "validate_nothing_form", "action_counseling_form"])
async def test_an_action_that_is_not_ours_is_told_as_rasa_expects(client: httpx.AsyncClient, action: str) -> None:
    answer = await client.post(PATH, json={"next_action": action, "sender_id": "a", "tracker": {"slots": {}}})
    assert answer.status_code == 404
    assert answer.json() == {"error": f"No registered action found for name '{action}'.", "action_name": action}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"next_action": "action_assistant"}', b'{"next_action": "", "sender_id": "a", "tracker": {}}']
    + [
        json.dumps({"next_action": "action_assistant", "sender_id": sender, "tracker": {}}).encode()
        for sender in ("", "\x00")
    ],
)
async def test_what_is_no_call_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


@pytest.mark.parametrize("state", ["made up", "v1.t1.AAAA", "", 7, None, {"a": 1}])
async def test_a_state_that_is_made_up_begins_anew(loop: Loop, state: object) -> None:
    loop.slots["counseling_state"] = state
    assert "想约哪位老师" in await loop.say(TO_THE_READ_BACK[0])


async def test_without_a_key_there_are_no_actions(client: httpx.AsyncClient) -> None:
    client.headers.pop("Authorization")
    for answer in (await client.post(PATH, json={}), await client.get("/api/v1/rasa/actions")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_key")


async def test_a_long_conversation_still_fits(loop: Loop) -> None:
    """A tracker carries all that was said: far more than a chat message may be."""
    loop.events = [{"event": "bot", "text": "长" * 1000} for _ in range(300)]
    assert "想约哪位老师" in await loop.say(TO_THE_READ_BACK[0])


async def test_every_service_with_a_form_is_there(client: httpx.AsyncClient, world: World) -> None:
    names = {each["name"] for each in (await client.get("/api/v1/rasa/actions")).json()}
    assert {"action_assistant", "validate_counseling_form", "action_health_room_commit"} <= names
    forms = {declaration.id for declaration in offered(world.app.house.catalogue).values()}
    assert {"counseling", "proposal", "aid"} & forms == {"counseling", "proposal"}  # two services share apply_aid
    assert {f"action_{service}_commit" for service in forms} == {name for name in names if name.endswith("_commit")}
