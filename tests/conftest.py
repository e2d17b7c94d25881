"""Shared parts of the tests: the real assistant on a real database, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.core import yamlfile
from actions.core.commands import SYSTEM, Actor, Context, actor_for
from actions.core.tables import Member, Outgoing
from actions.core.zones import SHANGHAI
from bot.app import App, build, prepare
from bot.messages import Address, Inbound, Outbound
from bot.settings import ROOT, DatabaseSettings, Settings, VaultSettings
from bot.understanding import build_pipeline
from tests.peers.postgres import cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from nlu.pipeline import Pipeline
    from tests.peers.postgres import Cluster

#: A Sunday morning; 下周三 is 2026-11-25.
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)
VAULT_KEY = "t1:" + "A" * 43 + "="


@dataclass
class MovableClock:
    """A clock that stands still until the test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **duration: float) -> None:
        """Lets time pass (`hours=2`)."""
        self.now += timedelta(**duration)


@dataclass
class World:
    """The running assistant with the demo world in it, as a test sees it."""

    app: App
    clock: MovableClock
    events: int = field(default=0)

    async def say(self, text: str, *, who: str = "20180312", group: str = "", event: str = "") -> list[Outbound]:
        """One message of a person (their 工号) in private or in a group; returns the replies."""
        self.events += 1
        address = Address(channel="web", conversation=group or who, chat="group" if group else "private")
        inbound = Inbound(
            address=address, event_id=event or f"event-{self.events}", sender=who, text=text, mentioned=bool(group)
        )
        return list(await self.app.gateway.receive(inbound))

    async def told(self, text: str, **where: str) -> str:
        """As `say`, the text of the replies."""
        return "\n".join(reply.text for reply in await self.say(text, **where))

    @asynccontextmanager
    async def unit_of_work(self, staff_id: str = "") -> AsyncIterator[Context]:
        """A context on behalf of a member (the system where none is named); commits at the end."""
        async with self.app.house.database.write() as session:
            actor: Actor = SYSTEM
            if staff_id:
                query = select(Member).where(Member.staff_id == staff_id)
                actor = await actor_for(session, (await session.execute(query)).unique().scalar_one())
            yield self.app.house.context(session, actor, self.clock())

    async def sent(self) -> list[Outbound]:
        """Does what is due now and sends what waits; returns it."""
        await self.app.sweep()
        return await self.app.delivery.flush()

    async def queued(self) -> list[Outgoing]:
        """What still waits to be sent."""
        async with self.app.house.database.read() as session:
            return list((await session.execute(select(Outgoing).where(Outgoing.state == "queued"))).scalars())


@pytest.fixture(scope="session", autouse=True)
def files_read_once() -> Iterator[None]:
    """Each text of data/ is parsed once in a session: a house is built for nearly every test, out of eighty files."""
    parsed = cache(yamlfile._parsed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yamlfile, "_parsed", parsed)
        yield


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    """The real NLU; its model is trained once for each state of the data and kept in var/."""
    return build_pipeline(Settings(var_dir=ROOT / "var"))


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory: pytest.TempPathFactory, pipeline: Pipeline) -> Path:
    """A folder with an SQLite database that holds the demo world at NOW: copied, it is a fresh world."""
    folder = tmp_path_factory.mktemp("demo")

    async def fill() -> None:
        app = build(_settings(folder), pipeline=pipeline, clock=MovableClock())
        await prepare(app, demo=True)
        await app.house.database.close()

    asyncio.run(fill())
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster of the tests' own; only tests marked `peer` ask for it."""
    with cluster() as running:
        yield running


def _settings(var: Path, url: str = "") -> Settings:
    return Settings(
        var_dir=var,
        database=DatabaseSettings(url=url),
        vault=VaultSettings(keys=VAULT_KEY),
    )


@pytest.fixture
async def world(tmp_path: Path, demo_template: Path, pipeline: Pipeline) -> AsyncIterator[World]:
    """The assistant on SQLite."""
    var = tmp_path / "var"
    shutil.copytree(demo_template, var)
    clock = MovableClock()
    app = build(_settings(var), pipeline=pipeline, clock=clock)
    await prepare(app, demo=False)
    yield World(app, clock)
    await app.house.database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.peer)])
async def either_world(
    request: pytest.FixtureRequest, tmp_path: Path, demo_template: Path, pipeline: Pipeline
) -> AsyncIterator[World]:
    """The assistant on SQLite and (a peer test) on PostgreSQL."""
    var, url, clock = tmp_path / "var", "", MovableClock()
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").create_database()
    else:
        shutil.copytree(demo_template, var)
    app = build(_settings(var, url), pipeline=pipeline, clock=clock)
    await prepare(app, demo=True)
    yield World(app, clock)
    await app.house.database.close()
