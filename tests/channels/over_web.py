"""The web under test: the real HTTP interface on a socket, as a server-side caller with a key uses it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from bot.api import create_api
from bot.app import create_api_key
from bot.messages import Address
from bot.serving import _api_parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.app import App
    from tests.channels.contract import ChannelUnderTest, Ground

ROOM = "room"


class Pages:
    """People on the web. What is pushed is read where the pages read it."""

    name = "web"

    def __init__(self, app: App, client: httpx.AsyncClient) -> None:
        self.app = app
        self._client = client
        self._events = 0
        self._replies: dict[str, list[dict[str, Any]]] = {}
        self._after: dict[str, int] = {}

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        self._events += 1
        place = ROOM if group else who
        message = {"conversation": place, "sender": who, "message_id": f"m{self._events}", "text": text}
        where = {"chat": "group" if group else "private", "mentioned": group}
        answer = await self._client.post("/api/v1/chat", json={**message, **where})
        answer.raise_for_status()
        self._replies.setdefault(place, []).extend(answer.json()["replies"])

    async def press(self, who: str, label: str, *, group: bool = False) -> None:
        place = ROOM if group else who
        await self._fetch(place)
        options = [option for reply in reversed(self._replies[place]) for option in reply["options"]]
        await self.say(who, next(option["value"] for option in options if option["label"] == label), group=group)

    async def read(self, who: str, *, group: bool = False) -> list[str]:
        place = ROOM if group else who
        await self._fetch(place)
        shown = self._replies.get(place, [])
        new = [reply["text"] for reply in shown if not reply.get("read")]
        for reply in shown:
            reply["read"] = True
        return new

    async def _fetch(self, place: str) -> None:
        """Notices; answers have come already."""
        address = Address(channel=self.name, conversation=place, chat="group" if place == ROOM else "private")
        for message in await self.app.delivery.since(address, self._after.get(place, 0), 100):
            self._after[place] = message.id
            if not message.reply:
                options = [{"label": option.label, "value": option.value} for option in message.options]
                self._replies.setdefault(place, []).append({"text": message.text, "options": options})


@asynccontextmanager
async def over_web(ground: Ground) -> AsyncIterator[ChannelUnderTest]:
    """The assistant behind HTTP."""
    app = await ground.build("web")
    key = await create_api_key(app, "contract")
    listening = socket.create_server(("127.0.0.1", 0))
    api = create_api(_api_parts(app, asyncio.Event(), None))
    server = uvicorn.Server(uvicorn.Config(api, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        try:
            yield Pages(app, client)
        finally:
            server.should_exit = True
            await serving
