"""Access tokens: one for all processes, fetched once, and again when the platform takes it back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from actions.blocks.vault import AesVault, parse_keys
from actions.core.database import Database
from actions.core.tables import Base
from bot.channels.wechat.client import Client
from bot.channels.wechat.errors import CODES, PlatformError, send_error
from bot.channels.wechat.tables import WechatToken
from bot.channels.wechat.tokens import Fresh, Shelf, Tokens
from bot.messages import SendError
from tests.conftest import VAULT_KEY, MovableClock
from tests.peers.wechat import APP, SECRET, Platform, Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'tokens.db'}")
    async with database.engine.begin() as connection:
        tables = [Base.metadata.tables["wechat_token"], Base.metadata.tables["wechat_scene"]]
        await connection.run_sync(Base.metadata.create_all, tables=tables)
    yield Shelf(database=database, vault=AesVault(parse_keys(VAULT_KEY)), clock=MovableClock())
    await database.close()


@pytest.fixture
async def platform(shelf: Shelf) -> AsyncIterator[Platform]:
    async with Platform("wecom", now=lambda: shelf.clock().timestamp()) as made:
        made.people.add("lin")
        yield made


def _client(platform: Platform, shelf: Shelf, secret: str = SECRET) -> Client:
    ask = {"method": "GET", "url": "/cgi-bin/gettoken", "params": {"corpid": APP, "corpsecret": secret}}
    return Client(platform.url, shelf, "wecom:test", ask)


def _asked(platform: Platform) -> int:
    return sum(each.path == "cgi-bin/gettoken" for each in platform.asked)


async def test_processes_share_one_and_it_is_fetched_once(platform: Platform, shelf: Shelf) -> None:
    clients = [_client(platform, shelf) for _ in range(4)]
    await asyncio.gather(*(each.get("/cgi-bin/user/get", userid="lin") for each in clients * 3))
    assert _asked(platform) == 1
    async with shelf.database.read() as session:
        (row,) = (await session.execute(select(WechatToken))).scalars()
    assert next(iter(platform.tokens)) not in row.token
    assert (row.holder, row.held_until) == ("", None)
    for each in clients:
        await each.close()


async def test_a_token_that_ends_is_fetched_anew(platform: Platform, shelf: Shelf) -> None:
    client = _client(platform, shelf)
    await client.get("/cgi-bin/user/get", userid="lin")
    shelf.clock.now += timedelta(seconds=7200)  # type: ignore[attr-defined]
    await client.get("/cgi-bin/user/get", userid="lin")
    assert (_asked(platform), platform.given) == (2, 2)
    await client.close()


async def test_a_token_taken_back_in_the_middle_is_fetched_once(platform: Platform, shelf: Shelf) -> None:
    clients = [_client(platform, shelf) for _ in range(3)]
    for each in clients:
        await each.get("/cgi-bin/user/get", userid="lin")
    platform.revoke()
    await asyncio.gather(*(each.get("/cgi-bin/user/get", userid="lin") for each in clients * 2))
    assert _asked(platform) == 2
    for each in clients:
        await each.close()


async def test_a_code_that_comes_twice_is_the_operators_matter(platform: Platform, shelf: Shelf) -> None:
    platform.refusals.append(Refusal(path="user/get", code=42001, times=9))
    client = _client(platform, shelf)
    with pytest.raises(PlatformError) as raised:
        await client.get("/cgi-bin/user/get", userid="lin")
    assert raised.value.code == 42001
    assert client.trouble.startswith("42001")
    assert sum(each.path == "cgi-bin/user/get" for each in platform.asked) == 2
    platform.refusals.clear()
    await client.get("/cgi-bin/user/get", userid="lin")
    assert client.trouble == ""
    await client.close()


async def test_a_wrong_secret_is_told_and_the_lease_is_given_back(platform: Platform, shelf: Shelf) -> None:
    client = _client(platform, shelf, secret="wrong")
    with pytest.raises(PlatformError):
        await client.get("/cgi-bin/user/get", userid="lin")
    assert client.trouble
    other = _client(platform, shelf)
    await other.get("/cgi-bin/user/get", userid="lin")
    await client.close()
    await other.close()


async def test_the_lease_of_a_process_that_died_ends(shelf: Shelf) -> None:
    now = shelf.clock()
    async with shelf.database.write() as session:
        session.add(WechatToken(name="app", token="", holder="dead", held_until=now + timedelta(seconds=20)))

    async def fetch(refused: bool) -> Fresh:
        return Fresh(token="new", seconds=7200)

    tokens = Tokens(shelf, "app", fetch)
    waiting = asyncio.create_task(tokens.get())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    shelf.clock.now += timedelta(seconds=21)  # type: ignore[attr-defined]
    assert await asyncio.wait_for(waiting, 10) == "new"


async def test_another_vault_fails_loudly_not_silently(shelf: Shelf) -> None:
    async def fetch(refused: bool) -> Fresh:
        return Fresh(token="secret-token", seconds=7200)

    await Tokens(shelf, "app", fetch).get()
    other = replace(shelf, vault=AesVault(parse_keys("t1:" + "B" * 43 + "=")))
    with pytest.raises(Exception, match="does not open"):
        await Tokens(other, "app", fetch).get()


@pytest.mark.parametrize(
    ("status", "content"), [(500, b"{}"), (200, b"<html>"), (200, b"[1]"), (200, b'{"errcode":"x"}'), (302, b"")]
)
async def test_a_platform_that_makes_no_sense_is_tried_later(
    platform: Platform, shelf: Shelf, status: int, content: bytes
) -> None:
    platform.nonsense["cgi-bin/user/get"] = (status, content)
    client = _client(platform, shelf)
    with pytest.raises(SendError) as raised:
        await client.get("/cgi-bin/user/get", userid="lin")
    assert not raised.value.permanent
    await client.close()


async def test_a_platform_that_is_away_is_tried_later_and_the_token_is_not_told(shelf: Shelf) -> None:
    ask: dict[str, Any] = {"method": "GET", "url": "/cgi-bin/gettoken", "params": {"corpsecret": SECRET}}
    client = Client("http://127.0.0.1:9", shelf, "x", ask)
    with pytest.raises(SendError) as raised:
        await client.get("/cgi-bin/user/get", userid="lin")
    assert raised.value.reason == "away"
    assert raised.value.__cause__ is None
    await client.close()


@pytest.mark.parametrize("code", [*CODES, 99999])
def test_every_code_says_what_to_do(code: int) -> None:
    error = send_error(PlatformError(code))
    assert error.permanent != (error.retry_after is not None)
    assert str(code) in error.reason


@pytest.mark.parametrize(
    ("code", "permanent", "seconds"),
    [
        (45009, False, 300), (-1, False, 5), (45011, False, 60), (48001, False, 600), (60011, False, 600),
        (43004, True, None), (81013, True, None), (45047, True, None), (95001, True, None), (40003, True, None),
    ],
)  # fmt: skip
def test_what_the_documented_codes_ask_for(code: int, permanent: bool, seconds: float | None) -> None:
    error = send_error(PlatformError(code))
    assert (error.permanent, error.retry_after) == (permanent, seconds)
