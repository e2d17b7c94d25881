"""One gateway for a module, one assistant for a test."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest

from bot.app import build, create_api_key, prepare
from bot.channels.wechaty.desk import WechatyChannel
from bot.settings import ChannelLimits, DeliverySettings, HttpSettings, Settings, VaultSettings, WechatySettings
from tests.conftest import VAULT_KEY
from tests.peers.wechaty import Gateway
from tests.wechaty.town import RunningClock, Town

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.app import App
    from nlu.pipeline import Pipeline

    Towns = Callable[[Gateway], AbstractAsyncContextManager[Town]]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that runs; who stops it starts it again."""
    with Gateway.open(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def towns(tmp_path_factory: pytest.TempPathFactory, demo_template: Path, pipeline: Pipeline) -> Towns:
    """The assistant at work beside a gateway, with its door open; no bridge yet."""
    # Alembic upgrades one database at a time: what it is at is known to the whole process.
    upgrading = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def opened(gateway: Gateway) -> AsyncIterator[Town]:
        var = tmp_path_factory.mktemp("town") / "var"
        shutil.copytree(demo_template, var)
        settings = Settings(
            var_dir=var,
            vault=VaultSettings(keys=VAULT_KEY),
            wechaty=WechatySettings(bridge="elsewhere"),
            http=HttpSettings(public_url="https://union.example.edu.cn"),
            delivery=DeliverySettings(limits={"wechaty": ChannelLimits()}),
        )
        clock = RunningClock()
        app = build(settings, pipeline=pipeline, clock=clock)
        async with upgrading:
            await prepare(app, demo=False)
        desk = next(channel for channel in app.channels if isinstance(channel, WechatyChannel))
        town = Town(app=app, gateway=gateway, desk=desk, clock=clock)
        town.key = await create_api_key(app, "wechaty", scopes=["bridge"])
        stopping = asyncio.Event()
        work = [asyncio.create_task(_deliver(app, stopping)), asyncio.create_task(desk.start(app.gateway))]
        await town.serve()
        yield town
        await town.close()
        stopping.set()
        await desk.stop()
        await asyncio.gather(*work)
        await app.house.database.close()

    return opened


async def _deliver(app: App, stopping: asyncio.Event) -> None:
    """Sends what is due until told to stop, and never stops in the middle of a transaction."""
    while not stopping.is_set():
        await app.delivery.flush()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.1)


@pytest.fixture
async def town(towns: Towns, gateway: Gateway) -> AsyncIterator[Town]:
    """One of them, beside the module's gateway."""
    async with towns(gateway) as opened:
        yield opened


@pytest.fixture
async def wechat(town: Town) -> AsyncIterator[Town]:
    """The town, with its bridge at work."""
    async with town.bridged():
        await town.ready()
        yield town
