"""Pushed messages over a real server on loopback: nothing lost, nothing twice, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from sqlalchemy import delete
from starlette.requests import ClientDisconnect

from actions.core.tables import WebSession
from bot.api import Limits, Pace, create_api, serve
from bot.api.events import EventStream
from bot.channels.web import WebChannel
from bot.messages import Address, Option, Outbound
from tests.api.conftest import client, message

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

EVENTS = "/api/v1/events"
WAIT = 10


@asynccontextmanager
async def running(parts) -> AsyncIterator[httpx.AsyncClient]:
    """The application behind uvicorn, and a browser with a session of 林一帆."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_api(parts), log_config=None, lifespan="off", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    # Not `serve`: that one takes over the signals, which are pytest's here.
    task = asyncio.create_task(server._serve([listener]))
    try:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, timeout=WAIT) as browser:
            await until(lambda: server.started)
            await browser.post("/api/v1/session", json={})
            yield browser
    finally:
        parts.stopping.set()
        server.should_exit = True
        await task
        listener.close()


class Page:
    """Reads an event stream as a browser does."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.last = ""

    async def next(self) -> dict[str, Any]:
        while True:
            line = await asyncio.wait_for(anext(self._lines), WAIT)
            if line.startswith("id: "):
                self.last = line[4:]
            if line.startswith("data: "):
                data: dict[str, Any] = json.loads(line[6:])
                return data

    async def texts(self, count: int) -> list[str]:
        return [(await self.next())["text"] for _ in range(count)]

    async def beat(self) -> None:
        while await asyncio.wait_for(anext(self._lines), WAIT) != "event: beat":
            pass

    async def end(self) -> None:
        async for _ in self._lines:
            pass


@asynccontextmanager
async def page(browser: httpx.AsyncClient, **kwargs: Any) -> AsyncIterator[Page]:
    async with browser.stream("GET", EVENTS, **kwargs) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        yield Page(response)


async def until(condition) -> None:
    async with asyncio.timeout(WAIT):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def test_what_is_said_arrives_with_its_options(demo, union):
    async with running(demo) as browser, page(browser) as one:
        await until(lambda: union.web.subscribers == 1)
        await union.say("demo-lin", "<b>瑜伽室</b>\n有空位了", Option(label="要", value="要 A2B3C"))
        await union.say("demo-he", "别人的事")
        await union.say("demo-lin", "明天见")
        assert await one.next() == {
            "text": "<b>瑜伽室</b>\n有空位了",
            "options": [{"label": "要", "value": "要 A2B3C"}],
            "id": "1",
            "reply": False,
        }
        assert await one.next() == {"text": "明天见", "options": [], "id": "3", "reply": False}


async def test_a_page_that_comes_back_gets_the_rest_once(demo, union):
    for number in range(5):
        await union.say("demo-lin", f"第{number}句")
    async with running(demo) as browser:
        async with page(browser) as first:
            assert await first.texts(2) == ["第0句", "第1句"]
            last = first.last
        await union.say("demo-lin", "第5句")
        rest = ["第2句", "第3句", "第4句", "第5句"]
        async with page(browser, headers={"Last-Event-ID": last}) as again:
            assert await again.texts(4) == rest
        async with page(browser, params={"after": last}) as third:
            assert await third.texts(4) == rest
            await union.say("demo-lin", "第6句")
            assert await third.texts(1) == ["第6句"]


async def test_more_than_one_batch_comes_in_order(demo, union):
    said = [f"第{number}句" for number in range(120)]
    for text in said:
        await union.say("demo-lin", text)
    async with running(demo) as browser, page(browser) as one:
        assert await one.texts(120) == said


async def test_nothing_is_lost_between_reading_and_waiting(demo, union):
    """With no safety net at all: what is said while the page reads is found by the wake alone."""
    looks = 0

    async def since(address: Address, after: int, limit: int) -> list[Outbound]:
        nonlocal looks
        found: list[Outbound] = await union.since(address, after, limit)
        looks += 1
        if looks <= 30:
            await union.say(address.conversation, f"第{looks}句")
        return found

    slow = replace(demo, since=since, pace=Pace(poll=3600, heartbeat=3600, settle=3600))
    async with running(slow) as browser, page(browser) as one:
        assert await one.texts(30) == [f"第{number}句" for number in range(1, 31)]


async def test_a_row_that_is_committed_after_its_wake_is_found_soon(demo, union):
    slow = replace(demo, pace=Pace(poll=3600, heartbeat=3600, settle=0.05))
    looks = 0

    async def since(address: Address, after: int, limit: int) -> list[Outbound]:
        nonlocal looks
        looks += 1
        none: list[Outbound] = []
        return none if looks < 3 else await union.since(address, after, limit)

    async with running(replace(slow, since=since)) as browser, page(browser) as one:
        await until(lambda: looks == 1)
        await union.say("demo-lin", "刚写进去")
        assert await one.texts(1) == ["刚写进去"]


async def test_without_any_wake_the_poll_finds_it(demo, union):
    """Another process said it: only the row tells."""
    async with running(demo) as browser, page(browser) as one:
        await until(lambda: union.web.subscribers == 1)
        union.said.append(Outbound(address=Address(channel="web", conversation="demo-lin"), text="别处说的", id=1))
        assert await one.texts(1) == ["别处说的"]


async def test_a_page_that_goes_leaves_nothing_behind(demo, union):
    async with running(demo) as browser:
        async with page(browser), page(browser):
            await until(lambda: union.web.subscribers == 2)
        await until(lambda: union.web.subscribers == 0)
        await until(lambda: "njr_event_streams 0.0" in demo.metrics.text().decode())


async def test_an_idle_line_is_kept_alive_and_ends_with_the_session(demo, database):
    quick = replace(demo, pace=Pace(poll=0.02, heartbeat=0.05, settle=0.01))
    async with running(quick) as browser, page(browser) as one:
        await one.beat()
        async with database.write() as work:
            await work.execute(delete(WebSession))
        await asyncio.wait_for(one.end(), WAIT)


async def test_streams_end_when_the_process_is_told_to_stop(demo, union):
    slow = replace(demo, pace=Pace(poll=3600, heartbeat=3600, settle=3600))
    async with running(slow) as browser, page(browser) as one:
        await until(lambda: union.web.subscribers == 1)
        demo.stopping.set()
        await asyncio.wait_for(one.end(), WAIT)
    assert union.web.subscribers == 0


async def test_a_signal_sets_stopping_and_ends_the_server(demo, union, unused_port):
    """`serve` as the process runs it: SIGTERM ends an open stream, and then the server."""
    http = demo.settings.http.model_copy(update={"port": unused_port})
    before = signal.getsignal(signal.SIGTERM)
    raised: list[int] = []
    # uvicorn by itself would raise the signal again at the end, and so skip the clean-up around the server.
    signal.signal(signal.SIGTERM, lambda number, _frame: raised.append(number))
    try:
        task = asyncio.create_task(serve(create_api(demo), http, demo.stopping))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_port}", timeout=WAIT) as browser:
            await until_up(browser)
            await browser.post("/api/v1/session", json={})
            async with page(browser) as one:
                await until(lambda: union.web.subscribers == 1)
                signal.raise_signal(signal.SIGTERM)
                await asyncio.wait_for(one.end(), WAIT)
        await asyncio.wait_for(task, WAIT)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert raised == []
    assert demo.stopping.is_set()


async def until_up(browser: httpx.AsyncClient) -> None:
    async with asyncio.timeout(WAIT):
        while True:
            with suppress(httpx.ConnectError):
                await browser.get("/healthz")
                return
            await asyncio.sleep(0.05)


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_one_session_has_only_so_many_streams(demo, union):
    few = replace(demo, limits=Limits(streams_per_session=1))
    async with running(few) as browser:
        async with page(browser):
            await until(lambda: union.web.subscribers == 1)
            refused = await browser.get(EVENTS)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) > 0
        await until(lambda: union.web.subscribers == 0)
        async with page(browser):
            await until(lambda: union.web.subscribers == 1)


async def test_who_takes_nothing_holds_nobody_up_and_is_let_go(demo, union):
    """One client reads nothing of what is sent to it; the other one has everything at once."""
    impatient = replace(demo, pace=Pace(poll=3600, heartbeat=3600, settle=0.01, stall=0.5))
    async with running(impatient) as browser:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        with socket.create_connection(("127.0.0.1", browser.base_url.port)) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(f"GET {EVENTS} HTTP/1.1\r\nHost: {browser.base_url.host}\r\nCookie: {cookie}\r\n\r\n".encode())
            async with page(browser) as one:
                await until(lambda: union.web.subscribers == 2)
                for number in range(400):
                    await union.say("demo-lin", f"{number}" + "长" * 20_000)
                texts = await one.texts(400)
                assert [text.rstrip("长") for text in texts] == [str(number) for number in range(400)]
                await until(lambda: union.web.subscribers == 1)
                await union.say("demo-lin", "还在")
                assert await one.texts(1) == ["还在"]


async def test_without_a_session_there_are_no_events(demo):
    async with client(create_api(demo)) as stranger:
        answer = await stranger.get(EVENTS)
    assert answer.status_code == 401


@pytest.mark.parametrize("after", ["-1", "x", str(2**63)])
async def test_a_position_that_is_none_is_refused(browser, after):
    assert (await browser.get(EVENTS, params={"after": after})).status_code == 422


async def test_a_big_body_is_answered_on_a_real_line(demo):
    """The client is still sending when it is refused, and must read the answer all the same."""
    async with running(demo) as browser:
        for size in (300_000, 3_000_000):
            answer = await browser.post("/api/v1/chat", json=message("x" * size))
            assert answer.status_code == 413
            assert answer.json()["error"]["code"] == "too_large"
        assert (await browser.post("/api/v1/chat", json=message())).status_code == 200


async def test_a_line_that_breaks_closes_the_subscription_at_once():
    closed = []

    async def chunks() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "data: 1\n\n"
        finally:
            closed.append(True)

    async def broken(sent) -> None:
        if sent["type"] == "http.response.body":
            raise OSError("the line is broken")

    async def receive() -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    events = chunks()
    with pytest.raises(ClientDisconnect):
        await EventStream(events, stall=10)({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, broken)
    assert closed == [True]


async def test_the_channel_wakes_only_the_pages_of_that_conversation():
    web = WebChannel()
    here, there = (Address(channel="web", conversation=name) for name in "ab")
    with web.subscribe(here) as first, web.subscribe(here) as second, web.subscribe(there) as other:
        await web.send(Outbound(address=here, text="您好"))
        assert (first.is_set(), second.is_set(), other.is_set()) == (True, True, False)
    await web.send(Outbound(address=here, text="没有人在看也不要紧"))
    assert web.subscribers == 0


async def test_pages_learn_what_another_process_says(union):
    """One look wakes all the pages concerned, and what was committed late is looked for again."""
    web, here, there = WebChannel(), *(Address(channel="web", conversation=name) for name in "ab")
    asked: list[int] = []
    start = int(union.now().timestamp() * 1_000_000)

    async def heard(channel: str, after: int) -> tuple[int, list[Address]]:
        await asyncio.sleep(0)
        assert channel == "web"
        asked.append(after)
        if len(asked) == 1:
            raise ConnectionError("the database is away")
        return (start + 30_000_000, [here]) if len(asked) == 2 else (after, [])

    with web.subscribe(here) as event, web.subscribe(there) as other:
        watching = asyncio.create_task(web.watch(heard, union.now, pause=0.001))
        await asyncio.wait_for(event.wait(), WAIT)
        await until(lambda: len(asked) > 3)
        watching.cancel()
        assert not other.is_set()
    assert asked[:2] == [start - 10_000_000] * 2
    assert asked[2:4] == [start + 20_000_000] * 2
