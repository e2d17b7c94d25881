"""Telegram under test: python-telegram-bot against a server of the Bot API of our own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from bot.settings import HttpSettings, TelegramSettings
from tests.channels.contract import Door, world
from tests.peers.telegram import TOKEN, USERNAME, BotApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.app import App
    from bot.channels.telegram import TelegramChannel
    from tests.channels.contract import Ground
    from tests.peers.telegram import Group, Person

_BASE = 5_100_000_000


def sender(staff_id: str) -> str:
    """Telegram's users are numbers."""
    return str(_BASE + int(staff_id))


def settings(api: BotApi, mode: Literal["polling", "webhook"] = "polling") -> TelegramSettings:
    """A channel that speaks to the server of the tests."""
    return TelegramSettings(token=SecretStr(TOKEN), api_url=api.url, poll_seconds=5, mode=mode)


class Telegrams:
    """People on Telegram."""

    name = "telegram"

    def __init__(self, app: App, api: BotApi) -> None:
        self.app = app
        self.api = api
        self.door = Door(app)
        self.room: Group = api.group("文学院教工群")
        self._read: dict[int, int] = {}

    @property
    def channel(self) -> TelegramChannel:
        found: TelegramChannel = self.app.channels[0]  # type: ignore[assignment] # the only one
        return found

    def person(self, who: str) -> Person:
        made = self.api.person(who, id=int(sender(who)))
        made.started = True
        return made

    async def up(self) -> None:
        """Waits until messages are taken in."""
        async with asyncio.timeout(30):
            while not self.channel.health().up:  # noqa: ASYNC110 - another task says so
                await asyncio.sleep(0.005)

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        before = self.door.passed
        said = f"@{USERNAME} {text}" if group else text
        await self.api.says(self.person(who), said, group=self.room if group else None)
        await self.door.through(before + 1)

    async def press(self, who: str, label: str, *, group: bool = False) -> None:
        before = self.door.passed
        await self.api.presses(self.person(who), label, group=self.room if group else None)
        await self.door.through(before + 1)

    async def read(self, who: str, *, group: bool = False) -> list[str]:
        place = self.room if group else self.person(who)
        got = self.api.read(place)
        new, self._read[place.id] = got[self._read.get(place.id, 0) :], len(got)
        return [each.text for each in new]


@asynccontextmanager
async def over_telegram(
    ground: Ground, mode: Literal["polling", "webhook"] = "polling", hook: str = "https://union.test"
) -> AsyncIterator[Telegrams]:
    """The assistant on Telegram."""
    async with BotApi() as api:
        http = HttpSettings(public_url=hook if mode == "webhook" else "")
        app = await ground.build("telegram", sender=sender, telegram=settings(api, mode), http=http)
        under_test = Telegrams(app, api)
        for member in world().members:
            under_test.person(member.staff_id)
        taking_in = asyncio.create_task(under_test.channel.start(under_test.door))
        await under_test.up()
        try:
            yield under_test
        finally:
            await under_test.channel.stop()
            await taking_in
