"""The conversations of every channel, over the real gateway: they leave the same records."""

from __future__ import annotations

import asyncio
import itertools
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bot.app import create_api_key
from bot.channels.wechaty.desk import WechatyChannel
from bot.settings import ChannelLimits, DeliverySettings, WechatySettings
from tests.channels.conftest import ground
from tests.channels.contract import Door, dialogues, play, world
from tests.channels.fake import on_the_fake
from tests.wechaty.town import RunningClock, Town

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.app import App
    from bot.messages import Event, Inbound, Outbound
    from tests.channels.contract import Dialogue, Ground
    from tests.peers.wechaty import Gateway

__all__ = ["ground"]

pytestmark = pytest.mark.peer

_openings = itertools.count(1)


class _Inlet:
    """The suite's door; echoes of what was sent, and the list of groups, come when they come, and go by it."""

    def __init__(self, app: App, door: Door) -> None:
        self._app = app
        self._door = door

    async def receive(self, inbound: Inbound) -> tuple[Outbound, ...]:
        return await (self._app.gateway if inbound.from_bot else self._door).receive(inbound)

    async def notice(self, event: Event) -> None:
        await self._app.gateway.notice(event)


class WeChat:
    """People in WeChat; `number` keeps them apart from those of other conversations."""

    name = "wechaty"

    def __init__(self, app: App, gateway: Gateway, number: int) -> None:
        self.app = app
        self.gateway = gateway
        self.door = Door(app)
        self.number = number
        self.room = f"contract-{number}@chatroom"
        self._read: dict[str, int] = {}

    def sender(self, staff_id: str) -> str:
        return f"contract-{self.number}-{staff_id}"

    def _place(self, who: str, *, group: bool) -> str:
        return self.room if group else self.sender(who)

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        before = self.door.passed
        if group:
            await self.gateway.say(self.sender(who), f"@小助手\u2005{text}", room=self.room)
        else:
            await self.gateway.say(self.sender(who), text)
        await self.door.through(before + 1)

    async def press(self, who: str, label: str, *, group: bool = False) -> None:
        """There are no buttons: the number before the label is typed."""
        said = [each["text"] for each in await self.gateway.sent(self._place(who, group=group))]
        lines = "\n".join(reversed(said[-3:]))
        found = re.search(rf"^(\d+)\. {re.escape(label)}$", lines, re.MULTILINE)
        assert found, (label, said[-1:])
        await self.say(who, found[1], group=group)

    async def read(self, who: str, *, group: bool = False) -> list[str]:
        place = self._place(who, group=group)
        got = [each["text"] for each in await self.gateway.sent(place)]
        new, self._read[place] = got[self._read.get(place, 0) :], len(got)
        return new


@asynccontextmanager
async def over_wechaty(ground: Ground, gateway: Gateway) -> AsyncIterator[WeChat]:
    """The assistant in WeChat: its interface, a bridge, and the gateway."""
    number = next(_openings)
    app = await ground.build(
        "wechaty",
        sender=lambda staff_id: f"contract-{number}-{staff_id}",
        wechaty=WechatySettings(bridge="elsewhere"),
        delivery=DeliverySettings(limits={"wechaty": ChannelLimits()}),
    )
    under_test = WeChat(app, gateway, number)
    people = [under_test.sender(member.staff_id) for member in world().members]
    gateway.people(*people)
    gateway.room(under_test.room, f"教工群 {number}", people)
    desk = next(channel for channel in app.channels if isinstance(channel, WechatyChannel))
    town = Town(app=app, gateway=gateway, desk=desk, clock=RunningClock())
    town.key = await create_api_key(app, "wechaty", scopes=["bridge"])
    await town.serve()
    taking_in = asyncio.create_task(desk.start(_Inlet(app, under_test.door)))
    try:
        async with town.bridged():
            await town.ready()
            yield under_test
    finally:
        await town.close()
        await desk.stop()
        await taking_in


@pytest.mark.parametrize("dialogue", [*dialogues(), *dialogues(group=True)], ids=str)
async def test_a_conversation(dialogue: Dialogue, ground: Ground, gateway: Gateway) -> None:
    async with over_wechaty(ground, gateway) as channel:
        assert await play(channel, ground.clock, dialogue) == await on_the_fake(ground, dialogue)
