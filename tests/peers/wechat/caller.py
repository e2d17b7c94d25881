"""A process that calls the platform with the shared token: `python -m tests.peers.wechat.caller URL DATABASE`.

For each line of its input, a number, it makes so many calls at once, and writes how many went well.
"""

from __future__ import annotations

import asyncio
import sys

from actions.blocks.vault import AesVault, parse_keys
from actions.core.database import Database
from bot.app import utc_now
from bot.channels.wechat.client import Client
from bot.channels.wechat.tokens import Shelf
from tests.conftest import VAULT_KEY
from tests.peers.wechat.platform import APP, SECRET


async def _run(url: str, database_url: str) -> None:
    database = Database(database_url)
    shelf = Shelf(database=database, vault=AesVault(parse_keys(VAULT_KEY)), clock=utc_now)
    ask = {"method": "GET", "url": "/cgi-bin/gettoken", "params": {"corpid": APP, "corpsecret": SECRET}}
    client = Client(url, shelf, "wecom:test", ask)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        calls = (client.get("/cgi-bin/user/get", userid="lin") for _ in range(int(line)))
        answers = await asyncio.gather(*calls)
        sys.stdout.write(f"{len(answers)}\n")
        sys.stdout.flush()
    await client.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
