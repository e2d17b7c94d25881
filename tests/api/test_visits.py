from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from actions.core.tables import WebSession
from bot.api import Limits, Sessions, create_api
from tests.api.conftest import client, message

SESSION = "/api/v1/session"


async def test_the_cookie_is_for_the_browser_alone(parts):
    async with client(create_api(parts)) as browser:
        answer = await browser.post(SESSION, json={})
    flags = {flag.strip() for flag in answer.headers["set-cookie"].split(";")}
    assert {"HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={30 * 24 * 3600}"} <= flags
    assert "Secure" not in flags
    assert len(browser.cookies["njr_session"]) == 43


async def test_the_cookie_is_secure_over_https(parts, database, union):
    sessions = Sessions(database, union.now, secure=True)
    async with client(create_api(replace(parts, sessions=sessions))) as browser:
        answer = await browser.post(SESSION, json={})
    assert "Secure" in answer.headers["set-cookie"]


async def test_outside_the_demo_nobody_is_anybody(browser):
    answer = (await browser.get(SESSION)).json()
    assert (answer["demo"], answer["person"], answer["people"], answer["officer"]) == (False, "", [], False)
    assert (await browser.post(SESSION, json={"person": "林一帆"})).status_code == 422


async def test_a_visitor_is_known_again(browser, union):
    await browser.post(SESSION, json={})
    await browser.post("/api/v1/chat", json=message(message_id="1"))
    await browser.post(SESSION)
    await browser.post("/api/v1/chat", json=message(message_id="2"))
    assert len({one.sender for one in union.heard}) == 1


async def test_the_demo_begins_with_the_first_person_and_can_change(demo, union, database):
    async with client(create_api(demo)) as browser:
        started = await browser.post(SESSION, json={})
        view = started.json()
        assert (view["demo"], view["person"], view["people"]) == (True, "林一帆", ["林一帆", "何医生"])
        assert view["officer"] is False
        await browser.post(SESSION, json={"person": "何医生"})
        assert (await browser.get(SESSION)).json()["person"] == "何医生"
        await browser.post("/api/v1/chat", json=message())
        assert (await browser.post(SESSION, json={"person": "officer-1"})).json()["error"]["code"] == "unknown_person"
    assert (union.heard[0].sender, union.heard[0].address.conversation) == ("demo-he", "demo-he")
    async with database.read() as reading:
        assert await reading.scalar(select(func.count()).select_from(WebSession)) == 1


async def test_without_a_session_there_is_none(parts):
    async with client(create_api(parts)) as browser:
        answer = await browser.get(SESSION)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "no_session")
        browser.cookies.set("njr_session", "made-up")
        assert (await browser.get(SESSION)).status_code == 401


async def test_new_sessions_are_counted_by_address(parts, union):
    app = create_api(replace(parts, limits=Limits(sessions_per_hour=2)))

    async def visit() -> int:
        async with client(app) as browser:
            return (await browser.post(SESSION, json={})).status_code

    assert [await visit() for _ in range(3)] == [200, 200, 429]
    union.passes(hours=1)
    assert await visit() == 200


async def test_sessions_that_ran_out_are_cleared_away(browser, parts, union, database):
    union.passes(days=31)
    async with client(create_api(parts)) as other:
        await other.post(SESSION, json={})
    async with database.read() as reading:
        assert await reading.scalar(select(func.count()).select_from(WebSession)) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_a_form_starts_no_session(parts, content_type):
    async with client(create_api(parts)) as browser:
        answer = await browser.post(SESSION, content=b"{}", headers={"Content-Type": content_type})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


async def test_a_first_visit_is_shown_three_things_to_say(browser):
    view = (await browser.get(SESSION)).json()
    assert view["welcome"].endswith("比如：")
    assert len(set(view["examples"])) == 3


async def test_the_page_can_tell_one_conversation_from_another(demo):
    async with client(create_api(demo)) as browser:
        keys = [
            (await browser.post(SESSION, json={"person": name})).json()["key"]
            for name in ("林一帆", "何医生", "林一帆")
        ]
    assert keys[0] == keys[2] != keys[1]
    assert "demo-lin" not in keys[0]
