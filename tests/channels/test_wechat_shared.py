"""What processes share about 企业微信 and 公众号 on PostgreSQL: one token among real processes; codes count once."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from actions.blocks.vault import AesVault, parse_keys
from actions.core.database import Database
from actions.core.tables import Base
from bot.channels.official_account import scenes
from bot.channels.wechat.tables import WechatScene, WechatToken
from bot.channels.wechat.tokens import Fresh, Shelf, Tokens
from bot.settings import ROOT
from tests.conftest import VAULT_KEY, MovableClock
from tests.peers.wechat import Platform

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from tests.peers.postgres import Cluster

pytestmark = pytest.mark.peer

_SECONDS = 60


@pytest.fixture
async def url(postgres: Cluster) -> str:
    """A database that holds the tables of this module."""
    made: str = postgres.create_database()
    database = Database(made)
    tables = [Base.metadata.tables[table.__tablename__] for table in (WechatToken, WechatScene)]
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all, tables=tables)
    await database.close()
    return made


@asynccontextmanager
async def _shelf(url: str, clock: MovableClock) -> AsyncIterator[Shelf]:
    """As a process opens it."""
    database = Database(url)
    yield Shelf(database=database, vault=AesVault(parse_keys(VAULT_KEY)), clock=clock)
    await database.close()


# --- tokens


@asynccontextmanager
async def _caller(platform: Platform, url: str) -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "tests.peers.wechat.caller", platform.url, url]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
    assert await _line(process) == "ready"
    yield process
    assert process.stdin is not None
    process.stdin.close()
    await asyncio.wait_for(process.wait(), _SECONDS)


async def _line(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), _SECONDS)).decode().strip()


async def _all_call(processes: list[Process], times: int) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{times}\n".encode())
    assert [await _line(process) for process in processes] == [str(times)] * len(processes)


async def test_processes_that_refresh_at_once_fetch_one_token(url: str) -> None:
    async with Platform("wecom") as platform, AsyncExitStack() as stack:
        platform.people.add("lin")
        processes = [await stack.enter_async_context(_caller(platform, url)) for _ in range(2)]
        await _all_call(processes, 5)
        assert platform.given == 1
        # Taken back in the middle: whoever is told so first fetches the next, for both.
        platform.revoke()
        await _all_call(processes, 5)
        assert platform.given == 2
        await _all_call(processes, 5)
        assert platform.given == 2


async def test_whoever_comes_while_it_is_fetched_waits_for_it(url: str) -> None:
    clock, fetched, go_on = MovableClock(), list[str](), asyncio.Event()

    async def fetch(_refused: bool) -> Fresh:
        fetched.append("asked")
        await go_on.wait()
        return Fresh(token="new", seconds=7200)

    async with _shelf(url, clock) as one, _shelf(url, clock) as other:
        waiting = [asyncio.create_task(Tokens(shelf, "app", fetch).get()) for shelf in (one, other, one)]
        while not fetched:  # noqa: ASYNC110 - another task says so
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert fetched == ["asked"]
        assert not any(task.done() for task in waiting)
        go_on.set()
        assert await asyncio.wait_for(asyncio.gather(*waiting), _SECONDS) == ["new"] * 3
    assert fetched == ["asked"]


async def test_an_old_refusal_does_not_take_the_new_token_back(url: str) -> None:
    clock, given = MovableClock(), list[str]()

    async def fetch(_refused: bool) -> Fresh:
        given.append(f"token-{len(given)}")
        return Fresh(token=given[-1], seconds=7200)

    async with _shelf(url, clock) as one, _shelf(url, clock) as other:
        first, second = Tokens(one, "app", fetch), Tokens(other, "app", fetch)
        assert await first.get() == await second.get() == "token-0"
        await first.refuse("token-0")
        assert await first.get() == "token-1"
        await second.refuse("token-0")
        assert await second.get() == "token-1"
    assert len(given) == 2


# --- codes


async def test_of_many_who_scan_at_once_one_is_first(url: str) -> None:
    clock = MovableClock()
    async with _shelf(url, clock) as one, _shelf(url, clock) as other:
        for _ in range(5):
            code = await scenes.new_code(one, "20210107")
            found = await asyncio.gather(*(scenes.taken(shelf, code) for shelf in (one, other) * 5))
            assert sorted(found) == [""] * 9 + ["20210107"]


async def test_a_code_is_over_in_time_and_old_ones_go(url: str) -> None:
    clock = MovableClock()
    async with _shelf(url, clock) as shelf:
        code = await scenes.new_code(shelf, "20210107")
        clock.move(seconds=scenes.LIFETIME.total_seconds())
        assert await scenes.taken(shelf, code) == ""
        fresh = await scenes.new_code(shelf, "20210107")
        clock.move(seconds=scenes.LIFETIME.total_seconds() - 1)
        assert await scenes.taken(shelf, fresh) == "20210107"
        async with shelf.database.read() as session:
            assert (await session.execute(select(func.count()).select_from(WechatScene))).scalar_one() == 0
