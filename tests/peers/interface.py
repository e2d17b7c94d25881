"""The whole interface over the demo world, on a socket of a thread of its own: for peers that are no coroutines."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import uvicorn
from pydantic import SecretStr

from bot.api import create_api
from bot.app import build, create_api_key, prepare
from bot.channels.wechaty.desk import Place, WechatyChannel
from bot.messages import Address, Inbound
from bot.serving import _api_parts
from bot.settings import Settings, VaultSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fastapi import FastAPI

    from bot.gateway.turn import Understanding
    from tests.conftest import MovableClock

_SECONDS = 60.0
#: Who has something on record.
WHO = "20180312"


@dataclass(frozen=True, kw_only=True, slots=True)
class Interface:
    """Where it listens, a key that may do everything (it is the bridge's own, too), and what it says of itself."""

    url: str
    key: str
    description: Mapping[str, Any]


@dataclass(kw_only=True, slots=True)
class Ground:
    """What the interface stands on."""

    var: Path
    template: Path
    pipeline: Understanding
    clock: MovableClock
    public_key: str


@contextmanager
def listening(ground: Ground) -> Iterator[Interface]:
    """Serves until the block ends. Event streams end at once: nobody waits for what is never said."""
    shutil.copytree(ground.template, ground.var)
    ready, loops = threading.Event(), list[Interface]()
    servers = list[uvicorn.Server]()

    async def serve() -> None:
        settings = Settings(var_dir=ground.var, vault=VaultSettings(keys=SecretStr("t1:" + "A" * 43 + "=")))
        app = build(settings, pipeline=ground.pipeline, clock=ground.clock)
        await prepare(app, demo=False)
        options = {"scopes": ALL, "senders": "2018", "public_key": ground.public_key, "per_minute": 1_000_000}
        key = await create_api_key(app, "peer", **options)
        stopping = asyncio.Event()
        stopping.set()
        desk = WechatyChannel(Place(files=app.files, say=app.house.wording.text), own_key=key)
        for number, text in enumerate(("下周三下午三点想订瑜伽室，5个人", "确认")):
            said = Inbound(
                address=Address(channel="web", conversation=WHO), event_id=f"{number}", sender=WHO, text=text
            )
            await app.gateway.receive(said)
        bridge = asyncio.create_task(desk.start(app.gateway))
        api = create_api(replace(_api_parts(app, stopping, None), bridge=desk))
        try:
            await _run(api, key)
        finally:
            await desk.stop()
            await bridge
            await app.house.database.close()

    async def _run(api: FastAPI, key: str) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            loops.append(Interface(url=url, key=key, description=api.openapi()))
            server = uvicorn.Server(uvicorn.Config(api, log_level="warning", lifespan="off"))
            servers.append(server)
            ready.set()
            await server.serve([listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        assert ready.wait(_SECONDS), "the interface did not come up"
        yield loops[0]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(_SECONDS)


ALL = ("chat", "files", "events", "lists", "act", "vouch", "rasa")
