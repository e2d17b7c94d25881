"""One suite for every channel: the same conversations leave the same records.

A channel plugs in with an async context manager that takes a `Ground` and gives a `ChannelUnderTest`:

    @asynccontextmanager
    async def over_carrier_pigeon(ground: Ground) -> AsyncIterator[ChannelUnderTest]:
        app = await ground.build("pigeon", sender=ring_of, senders=[PigeonChannel(...)])
        ...
        yield Pigeons(...)

    async def test_pigeons(ground, dialogue):
        async with over_carrier_pigeon(ground) as channel:
            assert await play(channel, ground.clock, dialogue) == await on_the_fake(ground, dialogue)
"""

from __future__ import annotations

import asyncio
import functools
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml
from sqlalchemy import select

from actions.core.commands import SYSTEM
from actions.core.tables import Account, Member
from bot.app import App, build, prepare
from bot.demo import CHANNELS
from bot.settings import ROOT, Settings, VaultSettings
from bot.world import World, load_world
from tests.conftest import VAULT_KEY, MovableClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.messages import Event, Inbound, Outbound, Sender
    from nlu.pipeline import Pipeline

#: Between two messages: whatever limit a platform has on one conversation, it is over.
_BREATH = timedelta(seconds=5)
_SECONDS = 30.0
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class ChannelUnderTest(Protocol):
    """A channel with people on it. `who` is a 工号 of the demo world; in a group the assistant is mentioned."""

    name: str
    app: App

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        """Somebody writes; returns when the turn is over."""
        ...

    async def press(self, who: str, label: str, *, group: bool = False) -> None:
        """Somebody clicks what was offered last (or types its number); returns when the turn is over."""
        ...

    async def read(self, who: str, *, group: bool = False) -> list[str]:
        """What they have got since they read last, oldest first."""
        ...


class Door:
    """The gateway as a channel sees it; tells when what was handed on has been answered."""

    def __init__(self, app: App) -> None:
        self._gateway = app.gateway
        self._changed = asyncio.Condition()
        self.passed = 0
        self.heard: list[Inbound] = []
        self.events: list[Event] = []

    async def receive(self, inbound: Inbound) -> tuple[Outbound, ...]:
        try:
            return await self._gateway.receive(inbound)
        finally:
            self.heard.append(inbound)
            await self._count()

    async def notice(self, event: Event) -> None:
        try:
            await self._gateway.notice(event)
        finally:
            self.events.append(event)
            await self._count()

    async def _count(self) -> None:
        async with self._changed:
            self.passed += 1
            self._changed.notify_all()

    async def through(self, count: int) -> None:
        """Waits until so many have passed. Raises TimeoutError."""
        async with asyncio.timeout(_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.passed >= count)


@dataclass
class Ground:
    """Where channels are tried: a fresh demo world, and a clock that the test moves."""

    folder: Path
    template: Path
    pipeline: Pipeline
    clock: MovableClock = field(default_factory=MovableClock)
    apps: list[App] = field(default_factory=list)

    async def build(
        self, channel: str, *, sender: Callable[[str], str] = str, senders: Sequence[Sender] = (), **settings: Any
    ) -> App:
        """The assistant with one more channel, on which everybody of the demo world is known by `sender(工号)`.

        `sender` is the private conversation too. `settings` are sections of the settings.
        """
        var = self.folder / f"var-{len(self.apps)}"
        shutil.copytree(self.template, var)
        given = Settings(var_dir=var, vault=VaultSettings(keys=VAULT_KEY), **settings)
        app = build(given, pipeline=self.pipeline, clock=self.clock, senders=senders)
        self.apps.append(app)
        await prepare(app, demo=False)
        await self._settle(app, channel, sender)
        return app

    async def _settle(self, app: App, channel: str, sender: Callable[[str], str]) -> None:
        """As if everybody had written there before, and last of all there."""
        unbound = {person.staff_id for person in world().members if not person.bound}
        async with app.house.database.write() as session:
            if channel not in CHANNELS:
                for member in (await session.execute(select(Member))).unique().scalars():
                    session.add(
                        Account(
                            channel=channel,
                            sender=sender(member.staff_id),
                            conversation=sender(member.staff_id),
                            member_id=None if member.staff_id in unbound else member.id,
                            heard_at=self.clock(),
                        )
                    )
            await session.flush()
            for account in (await session.execute(select(Account))).scalars():
                account.heard_at = self.clock() - timedelta(days=account.channel != channel)

    async def close(self) -> None:
        for app in self.apps:
            for each in app.channels:
                await each.stop()
            await app.house.database.close()


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message of somebody. `says` stands in what they get; `silent` turns are not answered."""

    who: str
    text: str = ""
    press: str = ""
    group: bool = False
    after: timedelta = timedelta()
    says: tuple[str, ...] = ()
    silent: bool = False
    to: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """A conversation and the records that it leaves, exactly these; `group`: for channels that have groups."""

    name: str
    turns: tuple[Turn, ...]
    records: tuple[dict[str, Any], ...]
    group: bool

    def __str__(self) -> str:
        return self.name


def dialogues(*, group: bool = False) -> list[Dialogue]:
    """The conversations of the suite, those in groups or the others."""
    path = Path(__file__).with_name("conversations.yml")
    read = [_dialogue(raw) for raw in yaml.safe_load(path.read_text(encoding="utf-8"))]
    return [one for one in read if one.group == group]


def _dialogue(raw: dict[str, Any]) -> Dialogue:
    turns = tuple(_turn({"text": each} if isinstance(each, str) else each, raw) for each in raw["turns"])
    return Dialogue(
        name=raw["name"], turns=turns, records=tuple(raw["records"]), group=any(turn.group for turn in turns)
    )


@functools.cache
def world() -> World:
    """The demo world, whose people speak."""
    return load_world(ROOT / "data")


def _turn(raw: dict[str, Any], dialogue: dict[str, Any]) -> Turn:
    after = raw.get("after", "0m")
    says = raw.get("says", [])
    return Turn(
        who=world().sender(raw.get("who", dialogue.get("who", world().default))),
        text=raw.get("text", ""),
        press=raw.get("press", ""),
        group=raw.get("group", False),
        after=timedelta(**{_UNITS[after[-1]]: float(after[:-1])}),
        says=tuple([says] if isinstance(says, str) else says),
        silent=raw.get("silent", False),
        to=tuple((world().sender(name), words) for name, words in raw.get("to", {}).items()),
    )


async def play(channel: ChannelUnderTest, clock: MovableClock, dialogue: Dialogue) -> list[dict[str, Any]]:
    """Plays a conversation, holds what is said and left against what is expected, and returns its records."""
    before = await records(channel)
    for number, turn in enumerate(dialogue.turns, start=1):
        where = f"{dialogue.name}, {number}: {turn.text or turn.press}"
        clock.now += turn.after + _BREATH
        if turn.after:
            await _sent(channel.app)
        if turn.press:
            await channel.press(turn.who, turn.press, group=turn.group)
        else:
            await channel.say(turn.who, turn.text, group=turn.group)
        await _sent(channel.app)
        # What a limit of the platform has held back.
        clock.now += _BREATH
        await channel.app.delivery.flush()
        told = "\n".join(await channel.read(turn.who, group=turn.group))
        assert bool(told) != turn.silent, (where, told)
        for words in turn.says:
            assert words in told, (where, words, told)
        for other, words in turn.to:
            got = "\n".join(await channel.read(other))
            assert words in got, (where, other, words, got)
    found = [each for each in await records(channel) if each not in before]
    assert len(found) == len(dialogue.records), (dialogue.name, found)
    for expected, one in zip(dialogue.records, found, strict=True):
        fields = {key: value for key, value in one["fields"].items() if key in expected.get("fields", {})}
        named = {**{key: one[key] for key in expected}, **({"fields": fields} if "fields" in expected else {})}
        assert named == expected, (dialogue.name, one)
    return found


async def _sent(app: App) -> None:
    """What is due is done, and what waits is handed over."""
    await app.sweep()
    await app.delivery.flush()


async def records(channel: ChannelUnderTest) -> list[dict[str, Any]]:
    """What the conversation left in the database; the channel's own name reads the same everywhere."""
    house = channel.app.house
    async with house.database.read() as session:
        context = house.context(session, SYSTEM, channel.app.clock())
        found = [each for every in house.records for each in await every.snapshots(context)]
    return [
        {
            "service": one.service,
            "kind": one.kind,
            "state": one.state,
            "member": one.member,
            "fields": {
                key: "<channel>" if key == "channel" and value == channel.name else value
                for key, value in one.fields.items()
            },
        }
        for one in found
    ]
