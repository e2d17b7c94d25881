"""Why the connection is our own: what the package `wechaty` 0.10.7 does at the same gateway (docs/decisions/0007).

If one of these fails, the package has changed, and the decision may be looked at again.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bot.settings import ROOT
from tests.peers.wechaty import TOKEN
from tests.wechaty.town import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.peers.wechaty import Gateway
    from tests.wechaty.town import Town

pytestmark = pytest.mark.peer


@contextmanager
def _stock(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The stock client in a process and a folder of its own: it writes where it stands."""
    with (folder / "stock.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.peers.wechaty.stock", f"127.0.0.1:{port}", TOKEN],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def test_it_talks_to_the_gateway_as_we_do_but_restarts_the_puppet_and_writes_down_what_is_said(
    town: Town, tmp_path: Path
) -> None:
    async with town.bridged():
        await town.ready()
    who = town.stranger()
    before = (await town.gateway.look("state"))["counters"]
    with _stock(town.gateway.port, tmp_path):

        async def started() -> bool:
            counters = (await town.gateway.look("state"))["counters"]
            return bool(counters["start"] > before["start"])

        await until(started)
        await asyncio.sleep(1)
        await town.gateway.say(who, "这是我的秘密")
        assert await town.read(who) == ["原装的回答：这是我的秘密"]
        # Its start is a stop and a start: the account is signed out and in again whenever a bot is restarted.
        assert (await town.gateway.look("state"))["counters"]["stop"] == before["stop"] + 1
    assert "这是我的秘密" in (tmp_path / "stock.log").read_text()


async def test_without_a_gateway_it_ends(tmp_path: Path) -> None:
    with _stock(1, tmp_path) as process:

        async def ended() -> bool:
            return process.poll() is not None

        await until(ended)
        # And says that all is well, so that nothing starts it again.
        assert process.returncode == 0


async def test_a_gateway_that_is_away_for_a_moment_is_not_looked_for_in_fifteen_seconds(
    gateway: Gateway, tmp_path: Path
) -> None:
    with _stock(gateway.port, tmp_path) as process:

        async def said(what: str) -> bool:
            return what in (tmp_path / "stock.log").read_text()

        await until(lambda: said("receive <login> event"))
        await asyncio.to_thread(gateway.kill)
        await until(lambda: said("will try to restart after 60 seconds"))
        await asyncio.to_thread(gateway.start)
        assert process.poll() is None
