"""企业微信 and 公众号 under test: our callbacks on a socket, against servers of the platforms of our own."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from bot.channels.official_account import official_account_router
from bot.channels.wecom import WecomChannel, wecom_router
from bot.settings import HttpSettings, OfficialAccountSettings, WecomSettings
from tests.channels.contract import Door, world
from tests.peers.wechat import AES_KEY, APP, SECRET, TOKEN, Platform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.app import App
    from tests.channels.contract import Ground
    from tests.peers.wechat import Sent

Kind = Literal["wecom", "official_account"]

SECRETS: dict[str, Any] = {
    "secret": SecretStr(SECRET),
    "token": SecretStr(TOKEN),
    "aes_key": SecretStr(AES_KEY),
}


def openid(staff_id: str) -> str:
    """Followers are known by names that the platform makes."""
    return f"oAbC-_{staff_id}"


def settings(platform: Platform, **given: Any) -> WecomSettings | OfficialAccountSettings:
    """A channel that speaks to the server of the tests."""
    if platform.kind == "wecom":
        return WecomSettings(**{"corp_id": APP, "agent_id": 1000002, "api_url": platform.url, **SECRETS, **given})
    return OfficialAccountSettings(**{"app_id": APP, "api_url": platform.url, **SECRETS, **given})


class WeChats:
    """People on one of the platforms."""

    def __init__(self, app: App, platform: Platform) -> None:
        self.app = app
        self.name: str = platform.kind
        self.platform = platform
        self.door = Door(app)
        self._read: dict[str, int] = {}

    @property
    def channel(self) -> Any:
        return self.app.channels[0]

    def who(self, staff_id: str) -> str:
        return staff_id if self.name == "wecom" else openid(staff_id)

    async def pushes(self, fields: dict[str, str]) -> None:
        """Something happens; returns when the turn is over."""
        before = self.door.passed
        self.platform.push(fields)
        await self.door.through(before + 1)

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        await self.pushes(self.platform.message(self.who(who), "text", Content=text))

    async def press(self, who: str, label: str, *, group: bool = False) -> None:
        await self.platform.quiet()
        if self.name == "official_account":
            await self.say(who, self._number(who, label))
            return
        for sent in reversed(self.platform.read(who)):
            for button in sent.body.get("button_list", []):
                if button["text"] == label:
                    click = {"Event": "template_card_event", "EventKey": button["key"], "ResponseCode": "r1"}
                    card = {"TaskId": sent.body["task_id"], "AgentID": "1000002"}
                    await self.pushes(self.platform.message(who, "event", **click, **card))
                    return
        raise LookupError(label)

    def _number(self, who: str, label: str) -> str:
        for sent in reversed(self.platform.read(self.who(who))):
            for line in sent.text.splitlines():
                number, _, name = line.partition(". ")
                if name == label and number.isdecimal():
                    return number
        raise LookupError(label)

    async def read(self, who: str, *, group: bool = False) -> list[str]:
        await self.platform.quiet()
        got: list[Sent] = self.platform.read(self.who(who))
        new, self._read[who] = got[self._read.get(who, 0) :], len(got)
        return [each.text for each in new]


@asynccontextmanager
async def over_wechat(
    ground: Ground, kind: Kind = "wecom", *, retry: float = 30.0, public_url: str = "", **given: Any
) -> AsyncIterator[WeChats]:
    """The assistant on one of the platforms; `given` are settings of the channel."""
    async with Platform(kind, retry=retry, now=lambda: ground.clock().timestamp()) as platform:
        sections: dict[str, Any] = {kind: settings(platform, **given), "http": HttpSettings(public_url=public_url)}
        sender = str if kind == "wecom" else openid
        app = await ground.build(kind, sender=sender, **sections)
        under_test = WeChats(app, platform)
        platform.people |= {under_test.who(member.staff_id) for member in world().members}
        channel = under_test.channel
        router = wecom_router(channel) if isinstance(channel, WecomChannel) else official_account_router(channel)
        path = "/callbacks/wecom" if kind == "wecom" else "/callbacks/official-account"
        async with _served(router) as base:
            platform.hook(f"{base}{path}")
            taking_in = asyncio.create_task(channel.start(under_test.door))
            while not channel.health().up:  # noqa: ASYNC110 - another task says so
                await asyncio.sleep(0.005)
            try:
                yield under_test
            finally:
                await channel.stop()
                await taking_in


@asynccontextmanager
async def _served(router: Any) -> AsyncIterator[str]:
    api = FastAPI()
    api.include_router(router)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(api, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
