"""`bot serve` as an operator runs it, with the bridge as its child: started, killed, started again, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.peers.server import run_bot, sqlite_store
from tests.peers.wechaty import TOKEN
from tests.wechaty.town import until

if TYPE_CHECKING:
    from tests.peers.server import Server
    from tests.peers.wechaty import Gateway

pytestmark = pytest.mark.peer


async def _channel(server: Server) -> dict[str, Any]:
    """What /readyz tells of the channel."""
    async with httpx.AsyncClient(timeout=30) as client:
        answer = (await client.get(f"{server.url}/readyz")).json()
    found: dict[str, Any] = answer["channels"]["wechaty"]
    return found


async def _ready(server: Server) -> bool:
    return bool((await _channel(server))["up"])


def _children(server: Server) -> list[int]:
    """The bridge's process, by what the machine knows."""
    path = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    numbers = [int(number) for number in path.read_text().split()]
    return [number for number in numbers if b"wechaty" in Path(f"/proc/{number}/cmdline").read_bytes()]


async def _answered(gateway: Gateway, who: str, count: int) -> bool:
    return len(await gateway.sent(who)) == count


async def test_the_bridge_is_kept_running(gateway: Gateway, tmp_path: Path) -> None:
    gateway.people("alice")
    settings = {
        "NJR_WECHATY__BRIDGE": "here",
        "NJR_WECHATY__ENDPOINT": f"127.0.0.1:{gateway.port}",
        "NJR_WECHATY__TOKEN": TOKEN,
        "NJR_LOG_LEVEL": "info",
    }
    with sqlite_store(tmp_path).serving(**settings) as server:
        await until(lambda: _ready(server))
        await gateway.say("alice", "你好，这是我的秘密")
        await until(lambda: _answered(gateway, "alice", 1))
        (first,) = _children(server)
        os.kill(first, signal.SIGKILL)

        async def another() -> bool:
            return _children(server) not in ([], [first]) and await _ready(server)

        await until(another)
        await gateway.say("alice", "谢谢")
        await until(lambda: _answered(gateway, "alice", 2))
        assert (await gateway.look("state"))["counters"] == {"start": 1, "stop": 0}
        (second,) = _children(server)
        assert await asyncio.to_thread(server.stop) == 0
        with pytest.raises(ProcessLookupError):
            os.kill(second, 0)
        assert "秘密" not in server.written
        assert TOKEN not in server.written


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "wechaty.endpoint"),
        ({"NJR_WECHATY__ENDPOINT": "127.0.0.1:1"}, "NJR_WECHATY__TOKEN"),
        ({"NJR_WECHATY__ENDPOINT": "127.0.0.1:1", "NJR_WECHATY__TOKEN": "t"}, "NJR_WECHATY__KEY"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, given: dict[str, str], named: str) -> None:
    store = sqlite_store(tmp_path)
    done = run_bot("serve", "--role", "wechaty", env={**store.env, **given})
    assert done.returncode == 1
    assert named in done.stderr.decode()
    assert not (store.var / "niangjiaren.db").exists()
