from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter

from bot.api import create_api
from tests.api.conftest import client, message


async def test_health_asks_nothing_of_others(parts, union):
    union.checks = {"database": False}
    async with client(create_api(parts)) as probe:
        answer = await probe.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_names_what_is_not(parts, union):
    async with client(create_api(parts)) as probe:
        assert (await probe.get("/readyz")).json() == {"ready": True, "checks": {"database": True}}
        union.checks = {"database": True, "nlu": False}
        answer = await probe.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "checks": {"database": True, "nlu": False}}


async def test_turns_and_errors_are_counted(server):
    await server.post("/api/v1/chat", json=message())
    await server.post("/api/v1/chat", json=message(chat="group", message_id="2"))
    await server.post("/api/v1/chat", json=message("坏了", message_id="3"))
    await server.get("/nowhere")
    answer = await server.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = set(answer.text.splitlines())
    assert {
        'njr_turns_total{channel="web",outcome="answered"} 1.0',
        'njr_turns_total{channel="web",outcome="silent"} 1.0',
        'njr_turns_total{channel="web",outcome="failed"} 1.0',
        'njr_turn_seconds_count{channel="web"} 3.0',
        'njr_http_errors_total{status="500"} 1.0',
        'njr_http_errors_total{status="404"} 1.0',
    } <= lines


async def test_two_applications_count_apart(parts, union):
    other = replace(parts, metrics=type(parts.metrics)())
    async with client(create_api(parts)) as one, client(create_api(other)) as two:
        await one.get("/nowhere")
        assert 'status="404"' not in (await two.get("/metrics")).text


async def test_the_description_is_complete_and_chinese(parts):
    async with client(create_api(parts)) as probe:
        described = (await probe.get("/openapi.json")).json()
    assert set(described["paths"]) == {
        "/api/v1/chat",
        "/api/v1/session",
        "/api/v1/events",
        "/api/v1/history",
        "/api/v1/calendar/{token}.ics",
        "/api/v1/calendar/{token}.svg",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    chat = described["paths"]["/api/v1/chat"]["post"]
    assert {"200", "401", "413", "415", "422", "429"} <= set(chat["responses"])
    request = described["components"]["schemas"]["ChatRequest"]
    assert request["example"]["text"] == "下周三下午想约心理咨询"
    summaries = [operation["summary"] for path in described["paths"].values() for operation in path.values()]
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in summary) for summary in summaries)


async def test_wrong_methods_and_paths_are_told_in_the_same_shape(parts):
    async with client(create_api(parts)) as probe:
        assert (await probe.get("/api/v1/chat")).json()["error"]["code"] == "wrong_method"
        assert (await probe.get("/api/v1/nothing")).json()["error"]["code"] == "not_found"


async def test_routers_of_channels_are_mounted_behind_the_same_guards(parts):
    router = APIRouter()

    @router.post("/webhooks/telegram")
    async def hook() -> dict[str, bool]:
        return {"ok": True}

    async with client(create_api(replace(parts, routers=(router,)))) as peer:
        assert (await peer.post("/webhooks/telegram")).json() == {"ok": True}
        assert (await peer.post("/webhooks/telegram", headers={"Origin": "https://evil.test"})).status_code == 403
        assert (await peer.post("/webhooks/telegram", content=b"x" * 300_000)).status_code == 413


async def test_a_wrong_method_is_told_those_that_are_right(parts):
    async with client(create_api(parts)) as stranger:
        answer = await stranger.request("OPTIONS", "/api/v1/session")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_body_that_is_no_text_is_no_json(browser):
    answer = await browser.post("/api/v1/session", content=b"\xff\xfe{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")
