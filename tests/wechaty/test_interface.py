"""The interface that the bridge speaks to: who is let in, and what is refused. Nothing listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bot.api import create_api
from bot.app import create_api_key
from bot.channels.wechaty.desk import Place, WechatyChannel
from bot.serving import _api_parts
from bot.wire import PREFIX, Report
from tests.files.samples import pdf
from tests.wechaty.test_desk import Ear

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import World

SAID = {"event": "m-1", "conversation": "alice", "chat": "private", "sender": "alice", "text": "您好", "kind": "said"}
ASKED = {"bridge": "b1", "number": 1, "state": "ready", "wait": 0}


@contextlib.asynccontextmanager
async def _open(world: World, desk: WechatyChannel | None, key: str = "own") -> AsyncIterator[httpx.AsyncClient]:
    parts = replace(_api_parts(world.app, asyncio.Event(), None), bridge=desk)
    transport = httpx.ASGITransport(create_api(parts), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://house" + PREFIX, headers=headers) as client:
        yield client


@pytest.fixture
def desk(world: World) -> WechatyChannel:
    return WechatyChannel(Place(files=world.app.files, say=world.app.house.wording.text), own_key="own")


@pytest.fixture
async def ear(desk: WechatyChannel) -> AsyncIterator[Ear]:
    """What the channel hands on."""
    made = Ear()
    running = asyncio.create_task(desk.start(made))
    await asyncio.sleep(0)
    yield made
    await desk.stop()
    await running


@pytest.fixture
async def client(world: World, desk: WechatyChannel) -> AsyncIterator[httpx.AsyncClient]:
    async with _open(world, desk) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/happenings", "/files", "/outbox", "/report"])
async def test_nobody_is_let_in_without_a_key(world: World, desk: WechatyChannel, path: str) -> None:
    for key in ("", "wrong", "ownx"):
        async with _open(world, desk, key) as client:
            assert (await client.post(path, json={})).status_code == 401


async def test_a_key_of_the_house_will_do(world: World, desk: WechatyChannel) -> None:
    async with _open(world, desk, await create_api_key(world.app, "wechaty", scopes=["bridge"])) as client:
        assert (await client.post("/outbox", json=ASKED)).json() == {"jobs": []}


async def test_without_the_channel_there_is_nothing(world: World) -> None:
    async with _open(world, None) as client:
        assert (await client.post("/outbox", json=ASKED)).status_code == 404


async def test_what_happens_is_taken(client: httpx.AsyncClient, ear: Ear) -> None:
    assert (await client.post("/happenings", json=SAID)).status_code == 204
    assert [each.text for each in ear.heard] == ["您好"]


async def test_before_the_channel_has_started_it_is_to_come_again(client: httpx.AsyncClient) -> None:
    answer = await client.post("/happenings", json=SAID)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "closed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "nothing"},
        {**SAID, "event": ""},
        {**SAID, "sender": "x" * 121},
        {**SAID, "conversation": "a\nb"},
        {**SAID, "text": "x" * 20_001},
        {**SAID, "unread": "smell"},
        {**SAID, "extra": 1},
        {"kind": "joined", "conversation": "r", "names": ["x"] * 101},
        {"kind": "seen", "groups": {"": "甲"}},
    ],
)
async def test_nonsense_is_refused(client: httpx.AsyncClient, ear: Ear, body: dict[str, Any]) -> None:
    answer = await client.post("/happenings", json=body)
    assert answer.status_code == 422
    assert "x" * 20 not in answer.text
    assert not ear.heard


async def test_a_file_comes_with_its_message(client: httpx.AsyncClient, ear: Ear) -> None:
    said = {**SAID, "text": "", "file": {"name": "证明.pdf", "kind": "file"}}
    for number in (1, 2):
        files = {"happening": (None, httpx.Response(200, json={**said, "event": f"m-{number}"}).text)}
        answer = await client.post("/files", files={**files, "file": ("file", pdf())})
        assert answer.status_code == 204, answer.text
    # alice is nobody's account: the turn is told why nothing was kept.
    assert [each.attachments[0].refused.code for each in ear.heard if each.attachments[0].refused] == ["not_bound"] * 2


@pytest.mark.parametrize("files", [{"file": ("file", b"x")}, {"happening": (None, "{}"), "file": ("file", b"x")}, {}])
async def test_half_of_it_is_refused(client: httpx.AsyncClient, ear: Ear, files: dict[str, Any]) -> None:
    answer = await client.post("/files", files=files or {"x": (None, "y")})
    assert answer.status_code == 422
    assert not ear.heard


async def test_two_bridges_are_one_too_many(client: httpx.AsyncClient) -> None:
    assert (await client.post("/outbox", json=ASKED)).status_code == 200
    for path in ("/outbox", "/report"):
        body = {name: value for name, value in {**ASKED, "bridge": "b2"}.items() if path == "/outbox" or name != "wait"}
        answer = await client.post(path, json=body)
        assert answer.status_code == 409
        assert "两遍" in answer.json()["error"]["message"]


async def test_a_bridge_whose_question_was_cut_off_makes_room_at_once(world: World, desk: WechatyChannel) -> None:
    """As when its process is killed: the machine closes its connections."""
    app = create_api(replace(_api_parts(world.app, asyncio.Event(), None), bridge=desk))
    body = json.dumps({**ASKED, "wait": 25}).encode()
    asked, answered = asyncio.Event(), []

    async def receive() -> dict[str, Any]:
        if asked.is_set():
            return {"type": "http.disconnect"}
        asked.set()
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        answered.append(message["type"])

    headers = [(b"authorization", b"Bearer own"), (b"content-type", b"application/json"), (b"host", b"house")]
    path = f"{PREFIX}/outbox"
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b"", "scheme": "http"}
    await app(scope, receive, send)  # type: ignore[arg-type]
    assert desk.health().state == "no bridge"
    desk.reported(Report(bridge="b2", number=1, state="ready"))
    assert desk.ready


async def test_only_files_of_open_jobs_are_given(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/jobs/some-job/files/{'f' * 32}")).status_code == 404
    assert (await client.get("/jobs/some-job/files/..%2Fvault.key")).status_code in (404, 422)
