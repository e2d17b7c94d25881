"""The fake channel: the smallest thing that is one. What real channels do is held against it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.messages import Address, Capabilities, Health, Inbound, Outbound, Receipt, SendError
from tests.channels.contract import Door, Ground, play

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.app import App
    from bot.messages import Chat, Inlet
    from tests.channels.contract import ChannelUnderTest, Dialogue

GROUP = "room"


class FakeChannel:
    """Keeps what is said; options are buttons, unless it has none."""

    name = "fake"
    pulled = False
    over_http = False

    def __init__(self, *, buttons: bool = True) -> None:
        self.capabilities = Capabilities(buttons=buttons, mention=True, recall=True, groups=True)
        self.said: list[Outbound] = []
        self._inlet: Inlet | None = None
        self._stopping = asyncio.Event()

    async def start(self, inlet: Inlet) -> None:
        self._inlet = inlet
        self._stopping.clear()
        await self._stopping.wait()

    async def stop(self) -> None:
        self._stopping.set()

    async def send(self, message: Outbound) -> Receipt:
        self.said.append(message)
        return Receipt(ref=str(len(self.said)))

    async def recall(self, address: Address, ref: str) -> None:
        if not ref.isdecimal() or int(ref) > len(self.said):
            raise SendError("no such message", permanent=True)
        self.said[int(ref) - 1] = Outbound(address=address, text="")

    def health(self) -> Health:
        return Health(up=self._inlet is not None, state="fake")


class Faked:
    """People on the fake channel."""

    def __init__(self, app: App, channel: FakeChannel) -> None:
        self.name = channel.name
        self.app = app
        self.door = Door(app)
        self._channel = channel
        self._read: dict[str, int] = {}
        self._events = 0

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        self._events += 1
        inbound = Inbound(
            address=self.address(who, group=group),
            event_id=f"fake-{self._events}",
            sender=who,
            text=text,
            mentioned=group,
        )
        await self.door.receive(inbound)

    async def press(self, who: str, label: str, *, group: bool = False) -> None:
        options = next(each.options for each in reversed(self.got(who, group=group)) if each.options)
        if self._channel.capabilities.buttons:
            await self.say(who, next(each.value for each in options if each.label == label), group=group)
        else:
            number = [each.label for each in options].index(label) + 1
            await self.say(who, str(number), group=group)

    async def read(self, who: str, *, group: bool = False) -> list[str]:
        got = self.got(who, group=group)
        place = self.address(who, group=group).conversation
        new, self._read[place] = got[self._read.get(place, 0) :], len(got)
        return [each.text for each in new]

    def got(self, who: str, *, group: bool = False) -> list[Outbound]:
        place = self.address(who, group=group)
        return [each for each in self._channel.said if each.address.conversation == place.conversation]

    def address(self, who: str, *, group: bool) -> Address:
        chat: Chat = "group" if group else "private"
        return Address(channel=self.name, conversation=GROUP if group else who, chat=chat)


_KNOWN: dict[str, list[dict[str, Any]]] = {}


async def on_the_fake(ground: Ground, dialogue: Dialogue) -> list[dict[str, Any]]:
    """The records that a conversation leaves on the fake: those that it leaves everywhere."""
    if dialogue.name not in _KNOWN:
        own = Ground(folder=ground.folder / "fake", template=ground.template, pipeline=ground.pipeline)
        async with faked(own) as channel:
            _KNOWN[dialogue.name] = await play(channel, own.clock, dialogue)
        await own.close()
    return _KNOWN[dialogue.name]


@asynccontextmanager
async def faked(ground: Ground, *, buttons: bool = True) -> AsyncIterator[ChannelUnderTest]:
    """The assistant on the fake channel."""
    channel = FakeChannel(buttons=buttons)
    app = await ground.build(channel.name, senders=[channel])
    yield Faked(app, channel)
