"""`bot serve` with Telegram in it: a real process, taking messages in and answering them, and told of in /readyz."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.peers.server import sqlite_store
from tests.peers.telegram import TOKEN, BotApi

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer


async def test_the_process_answers_on_telegram_and_tells_how_it_is(tmp_path: Path) -> None:
    async with BotApi() as api:
        settings = {"NJR_TELEGRAM__TOKEN": TOKEN, "NJR_TELEGRAM__API_URL": api.url, "NJR_TELEGRAM__POLL_SECONDS": "2"}
        serving = sqlite_store(tmp_path).serving(**settings)
        server = await asyncio.to_thread(serving.__enter__)
        try:
            lin = api.person("林一帆")
            await api.says(lin, "/start")
            async with asyncio.timeout(60):
                while not api.read(lin):  # noqa: ASYNC110 - another process answers
                    await asyncio.sleep(0.05)
            assert "绑定工号" in api.read(lin)[0].text
            ask = partial(httpx.get, timeout=20)
            told = (await asyncio.to_thread(ask, f"{server.url}/readyz")).json()
            assert told["ready"] is True
            assert told["channels"]["telegram"] == {"up": True, "state": "polling"}
            assert told["roles"]["telegram"] == {"running": True, "ends": 0, "last": ""}
            metrics = (await asyncio.to_thread(ask, f"{server.url}/metrics")).text
            assert 'njr_channel_up{channel="telegram"} 1.0' in metrics
            assert 'njr_turns_total{channel="telegram",outcome="answered"} 1.0' in metrics
            assert await asyncio.to_thread(server.stop) == 0
            assert TOKEN not in server.written
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
