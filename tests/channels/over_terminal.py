"""The terminal under test: everybody types lines of their own, and reads their own screen."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.channels.terminal import TerminalChannel, converse
from tests.channels.contract import Door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.app import App
    from bot.messages import Outbound
    from tests.channels.contract import ChannelUnderTest, Ground


@dataclass
class Screen:
    """One person's: what they type, what is shown."""

    typed: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    pushed: asyncio.Queue[Outbound] = field(default_factory=asyncio.Queue)
    shown: list[str] = field(default_factory=list)
    read: int = 0
    talking: asyncio.Task[None] | None = None


class Terminals:
    """People at terminals of their own."""

    name = TerminalChannel.name

    def __init__(self, app: App, channel: TerminalChannel) -> None:
        self.app = app
        self.door = Door(app)
        self._channel = channel
        self.screens: dict[str, Screen] = {}

    def screen(self, who: str) -> Screen:
        if who not in self.screens:
            screen = self.screens[who] = Screen()

            async def lines() -> AsyncIterator[str]:
                while True:
                    yield await screen.typed.get()

            talk = converse(
                self.door.receive, sender=who, lines=lines(), write=screen.shown.append, pushed=screen.pushed
            )
            screen.talking = asyncio.create_task(talk)
        return self.screens[who]

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        assert not group, "a terminal has no groups"
        before = self.door.passed
        self.screen(who).typed.put_nowait(text)
        await self.door.through(before + 1)

    async def press(self, who: str, label: str, *, group: bool = False) -> None:
        """Types the number that stands before it on the screen."""
        await self._hand_out()
        shown = [line for each in self.screen(who).shown for line in each.splitlines()]
        line = next(each for each in reversed(shown) if each.partition(". ")[2] == label)
        await self.say(who, line.partition(".")[0], group=group)

    async def read(self, who: str, *, group: bool = False) -> list[str]:
        await self._hand_out()
        screen = self.screen(who)
        new, screen.read = screen.shown[screen.read :], len(screen.shown)
        return new

    async def _hand_out(self) -> None:
        """Notices reach the terminal of whom they are for, and are shown."""
        while not self._channel.pushed.empty():
            message = self._channel.pushed.get_nowait()
            self.screen(message.address.conversation).pushed.put_nowait(message)
        for screen in self.screens.values():
            while not screen.pushed.empty():  # noqa: ASYNC110 - the terminal shows it as soon as it may
                await asyncio.sleep(0)
        # What was answered is written after the turn is over.
        await asyncio.sleep(0)

    async def close(self) -> None:
        for screen in self.screens.values():
            if screen.talking is not None:
                screen.talking.cancel()
                with suppress(asyncio.CancelledError):
                    await screen.talking


@asynccontextmanager
async def over_terminal(ground: Ground) -> AsyncIterator[ChannelUnderTest]:
    """The assistant in terminals."""
    channel = TerminalChannel()
    app = await ground.build(channel.name, senders=[channel])
    under_test = Terminals(app, channel)
    try:
        yield under_test
    finally:
        await under_test.close()
