from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from actions.core.tables import ApiKey, WebSession
from bot.api import Limits, create_api
from bot.messages import Address
from tests.api.conftest import KEY, client, message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHAT = "/api/v1/chat"


async def test_a_server_is_answered_in_the_shape_of_the_contract(server, union):
    answer = await server.post(CHAT, json=message("下周三下午想约心理咨询"))
    assert answer.status_code == 200
    assert answer.json() == {
        "replies": [
            {
                "text": "1：下周三下午想约心理咨询",
                "options": [{"label": "好", "value": "好"}, {"label": "换个时间", "value": "换个时间 A2B3C"}],
            }
        ]
    }
    heard = union.heard[0]
    assert heard.address == Address(channel="web", conversation="c1")
    assert (heard.sender, heard.text, heard.mentioned) == ("u1", "下周三下午想约心理咨询", False)


async def test_what_the_page_alone_needs_is_given_to_no_server(server, browser, union):
    reply = (await server.post(CHAT, json=message("你好"))).json()["replies"][0]
    assert set(reply) == {"text", "options"}


async def test_a_link_goes_along_only_where_there_is_one(server):
    with_link = await server.post(CHAT, json=message("要表格"))
    assert with_link.json()["replies"][0]["link"] == "/files/form.docx"


async def test_a_key_vouches_for_groups(server, union):
    silent = await server.post(CHAT, json=message(chat="group"))
    assert silent.json() == {"replies": []}
    spoken = await server.post(CHAT, json=message(chat="group", mentioned=True, message_id="m2"))
    assert spoken.json()["replies"]
    assert [one.address.chat for one in union.heard] == ["group", "group"]


async def test_the_same_message_is_done_once(server, union):
    first = await server.post(CHAT, json=message())
    again = await server.post(CHAT, json=message())
    assert again.json() == first.json()
    assert len(union.heard) == 1


@pytest.mark.parametrize("other", [{"conversation": "c2"}, {"sender": "u2"}, {"message_id": "m2"}])
async def test_an_id_of_another_conversation_does_not_read_its_answer(server, union, other):
    await server.post(CHAT, json=message("我的事"))
    answer = await server.post(CHAT, json=message("别人的事", **other))
    assert answer.json()["replies"][0]["text"] == "2：别人的事"


async def test_long_texts_reach_the_gateway(server, union):
    answer = await server.post(CHAT, json=message("长" * 12_000))
    assert answer.status_code == 200
    assert len(union.heard[0].text) == 12_000


@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_over_256_kb_are_refused(server, union, chunked):
    body = json.dumps(message("x" * 300_000)).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    answer = await server.post(
        CHAT, content=pieces() if chunked else body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
    assert "太长" in answer.json()["error"]["message"]
    assert not union.heard


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"text": None}, "text"),
        ({"chat": "room"}, "chat"),
        ({"message_id": ""}, "message_id"),
        ({"conversation": ""}, "conversation"),
        ({"sender": ""}, "sender"),
        ({"sender": "u\n1"}, "sender"),
        ({"sender": "u\ud83d"}, "sender"),
        ({"message_id": "\ud83d"}, "message_id"),
        ({"conversation": "c" * 161}, "conversation"),
    ],
)
async def test_wrong_fields_are_named_and_never_repeated(server, fields, named):
    body = json.dumps(message("私事") | fields)
    answer = await server.post(CHAT, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"
    assert named in answer.json()["error"]["message"]
    assert "私事" not in answer.text


async def test_broken_json_is_told(server):
    answer = await server.post(CHAT, content=b'{"text": ', headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "JSON" in answer.json()["error"]["message"]


async def test_half_characters_and_nul_do_no_harm(server, union):
    body = json.dumps(message("好\x00吗")).replace("\\u0000", "\\u0000\\ud83d").encode()
    answer = await server.post(CHAT, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert union.heard[0].text == "好吗"


@pytest.mark.parametrize("authorization", ["Bearer wrong", f"Basic {KEY}", "Bearer ", "", KEY])
async def test_unknown_keys_are_refused(server, union, authorization):
    answer = await server.post(CHAT, json=message(), headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "bad_key"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not union.heard


async def test_a_revoked_key_is_refused(server, database, union):
    async with database.write() as work:
        await work.execute(update(ApiKey).values(revoked_at=union.now()))
    assert (await server.post(CHAT, json=message())).status_code == 401


async def test_a_wrong_key_does_not_fall_back_to_the_cookie(browser):
    answer = await browser.post(CHAT, json=message(), headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


async def test_nobody_is_answered_without_a_session(parts, union):
    async with client(create_api(parts)) as stranger:
        answer = await stranger.post(CHAT, json={"nonsense": 1})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "no_session"


async def test_a_browser_speaks_for_itself_alone(browser, union):
    answer = await browser.post(CHAT, json=message(sender="officer-1", conversation="officer-1", chat="group"))
    assert answer.status_code == 200
    heard = union.heard[0]
    assert heard.sender.startswith("web-")
    assert heard.address == Address(channel="web", conversation=heard.sender)


async def test_a_browser_needs_neither_sender_nor_conversation(browser, union):
    answer = await browser.post(CHAT, json={"message_id": "1", "text": "你好"})
    assert answer.json()["replies"][0]["text"] == "1：你好"


async def test_an_ended_session_is_told(browser, union):
    union.passes(days=31)
    answer = await browser.post(CHAT, json=message())
    assert answer.json()["error"]["code"] == "no_session"


@pytest.mark.parametrize("origin", ["https://evil.test", "http://union.test.evil.test", "null"])
async def test_another_site_cannot_use_the_cookie(browser, union, origin):
    answer = await browser.post(CHAT, json=message(), headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "foreign_origin"
    assert not union.heard


async def test_the_own_page_can(browser):
    assert (await browser.post(CHAT, json=message(), headers={"Origin": "http://union.test"})).status_code == 200


async def test_a_proxy_may_change_the_host(parts, settings):
    public = settings.model_copy(
        update={"http": settings.http.model_copy(update={"public_url": "https://union.edu.cn"})}
    )
    async with client(create_api(replace(parts, settings=public))) as opened:
        answer = await opened.post("/api/v1/session", json={}, headers={"Origin": "https://union.edu.cn"})
    assert answer.status_code == 200


async def test_a_key_may_come_from_anywhere(server):
    assert (await server.post(CHAT, json=message(), headers={"Origin": "https://portal.test"})).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_form_cannot_speak(browser, union, content_type):
    body = json.dumps(message()).encode()
    answer = await browser.post(CHAT, content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 415
    assert not union.heard


async def test_a_flood_is_slowed_down(parts, union):
    async with client(create_api(replace(parts, limits=Limits(messages_per_minute=3)))) as browser:
        await browser.post("/api/v1/session", json={})
        answers = [await browser.post(CHAT, json=message(message_id=str(n))) for n in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "60"
        assert "60 秒" in answers[-1].json()["error"]["message"]
        union.passes(seconds=60)
        assert (await browser.post(CHAT, json=message(message_id="5"))).status_code == 200


async def test_servers_are_not_slowed_down(server):
    answers = await asyncio.gather(*(server.post(CHAT, json=message(message_id=str(n))) for n in range(60)))
    assert {answer.status_code for answer in answers} == {200}


async def test_two_hundred_at_once_each_get_their_own_answer(parts, union):
    app = create_api(parts)

    async def visitor(number: int) -> Any:
        async with client(app) as browser:
            await browser.post("/api/v1/session", json={})
            answer = await browser.post(CHAT, json=message(f"我是{number}"))
        return answer.json()["replies"][0]["text"].partition("：")[2]

    assert await asyncio.gather(*map(visitor, range(200))) == [f"我是{n}" for n in range(200)]
    assert len({one.sender for one in union.heard}) == 200


async def test_a_fault_is_an_apology_that_tells_nothing(server, caplog):
    answer = await server.post(CHAT, json=message("坏了"))
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "抱歉" in answer.json()["error"]["message"]
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" in caplog.text


async def test_markup_comes_back_as_text(server):
    text = "<img src=x onerror=alert(1)>"
    answer = await server.post(CHAT, json=message(text))
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["replies"][0]["text"] == f"1：{text}"


async def test_the_database_keeps_no_token(browser, database):
    token = browser.cookies["njr_session"]
    async with database.read() as reading:
        row = (await reading.execute(select(WebSession))).scalar_one()
    assert token not in vars(row).values()
    assert len(row.token_hash) == 64
