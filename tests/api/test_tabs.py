"""Several pages of one conversation, with the real gateway and delivery behind them: everything once, everywhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.api import create_api
from bot.app import create_api_key
from bot.messages import Address
from bot.serving import _api_parts
from bot.world import load_world
from tests.api.conftest import client
from tests.api.test_events import page, running, until

CHAT, HISTORY = "/api/v1/chat", "/api/v1/history"


@pytest.fixture
def parts(world):
    """The interface over the whole assistant; its visitor is 林一帆."""
    return _api_parts(world.app, asyncio.Event(), load_world(world.app.settings.data_dir))


def word(text: str, number: int) -> dict[str, str]:
    return {"message_id": f"m{number}", "text": text}


async def test_an_answer_reaches_the_other_pages_under_the_same_id(parts, world):
    async with running(parts) as browser, page(browser) as one, page(browser) as other:
        await until(lambda: world.app.web.subscribers == 2)
        answers = []
        for number, text in enumerate(["你好", "我约了什么", "帮助"]):
            [reply] = (await browser.post(CHAT, json=word(text, number))).json()["replies"]
            assert reply["reply"] is True
            answers.append(reply)
        for tab in (one, other):
            assert [await tab.next() for _ in answers] == answers
            assert tab.last == answers[-1]["id"]
        assert (await browser.get(HISTORY)).json() == {"messages": answers, "earlier": False}


async def test_a_repeated_message_is_the_same_reply(parts):
    async with client(create_api(parts)) as browser:
        await browser.post("/api/v1/session", json={})
        first = (await browser.post(CHAT, json=word("你好", 1))).json()
        assert (await browser.post(CHAT, json=word("你好", 1))).json() == first
        assert len((await browser.get(HISTORY)).json()["messages"]) == 1


async def test_notices_and_answers_stand_in_the_order_in_which_they_were_said(parts, world):
    async with client(create_api(parts)) as browser:
        await browser.post("/api/v1/session", json={})
        await browser.post(CHAT, json=word("下周三下午三点想订多功能室，南湖校区，30个人", 1))
        await browser.post(CHAT, json=word("确认", 2))
        await world.sent()
        await world.say("同意", who="20100903")
        await world.sent()
        await browser.post(CHAT, json=word("我约了什么", 3))
        messages = (await browser.get(HISTORY)).json()["messages"]
    assert [message["reply"] for message in messages] == [True, True, False, True]
    assert messages[2]["card"]["ics"].startswith("/api/v1/calendar/")
    assert messages[2]["link"] == messages[2]["card"]["ics"]
    ids = [int(message["id"]) for message in messages]
    assert ids == sorted(set(ids))


async def test_history_comes_in_pieces(parts):
    async with client(create_api(parts)) as browser:
        await browser.post("/api/v1/session", json={})
        said = [(await browser.post(CHAT, json=word(f"你好{n}", n))).json()["replies"][0]["id"] for n in range(35)]
        newest = (await browser.get(HISTORY)).json()
        older = (await browser.get(HISTORY, params={"before": newest["messages"][0]["id"]})).json()
    assert [message["id"] for message in newest["messages"]] == said[5:]
    assert [message["id"] for message in older["messages"]] == said[:5]
    assert (newest["earlier"], older["earlier"]) == (True, False)


async def test_history_is_the_conversation_s_own_and_ends_with_its_text(parts, world):
    async with client(create_api(parts)) as browser, client(create_api(parts)) as stranger:
        await browser.post("/api/v1/session", json={})
        await browser.post(CHAT, json=word("你好", 1))
        assert (await stranger.get(HISTORY)).status_code == 401
        await stranger.post("/api/v1/session", json={"person": "王敏"})
        assert (await stranger.get(HISTORY)).json() == {"messages": [], "earlier": False}
        world.clock.move(hours=25)
        await world.app.delivery.forget()
        assert (await browser.get(HISTORY)).json() == {"messages": [], "earlier": False}


async def test_the_calendar_file_is_where_members_reach_it(parts, world):
    """A server hands the address on, so it is whole; the page asks where it was opened."""
    public = world.app.settings.http.model_copy(update={"public_url": "https://union.edu.cn/"})
    settings = world.app.settings.model_copy(update={"http": public})
    headers = {"Authorization": f"Bearer {await create_api_key(world.app, 'portal')}"}
    spoken = {"conversation": "20180312", "sender": "20180312", "chat": "private"}
    async with client(create_api(replace(parts, settings=settings)), headers=headers) as server:
        await server.post(CHAT, json={**spoken, **word("下周三下午三点想订瑜伽室，5个人", 1)})
        [reply] = (await server.post(CHAT, json={**spoken, **word("确认", 2)})).json()["replies"]
        assert (await server.get(reply["link"].removeprefix("https://union.edu.cn"))).status_code == 200
    assert reply["link"].startswith("https://union.edu.cn/api/v1/calendar/v1.")
    assert reply["card"]["qr"] == reply["link"].replace(".ics", ".svg")


async def test_what_is_said_can_be_read_from_any_position_on_either_database(either_world):
    world, here = either_world, Address(channel="web", conversation="20180312")
    delivery = world.app.delivery
    await world.say("下周三下午三点想订多功能室，南湖校区，30个人")
    await world.say("确认")
    await world.sent()
    await world.say("同意", who="20100903")
    await world.sent()
    said = await delivery.since(here, 0, 50)
    assert [message.reply for message in said] == [True, True, False]
    assert await delivery.since(here, said[0].id, 50) == said[1:]
    assert await delivery.before(here, said[2].id, 1) == [said[1]]
    last, places = await delivery.heard("web", said[1].id)
    assert here in places
    assert last >= said[2].id
    assert await delivery.heard("web", last) == (last, [])
