"""A process that does what is due at a moment: `python -m tests.delivery.firing PORT ISO`.

It says when it is ready, waits for a line, and then looks three times for what is due and sends it, as any process of
the assistant does every few seconds.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from bot import app as root
from bot.logs import configure
from bot.settings import load_settings
from bot.understanding import NO_NLU
from tests.delivery.platform import PostChannel

_LOOKS = 3


async def fire(port: int, moment: datetime) -> None:
    """With a clock that stands still at the moment."""
    channel = PostChannel(port)
    app = root.build(load_settings(), pipeline=NO_NLU, clock=lambda: moment, senders=[channel])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for _ in range(_LOOKS):
        await app.sweep()
        await app.delivery.flush()
    await channel.close()
    await app.house.database.close()


if __name__ == "__main__":
    configure("warning")
    asyncio.run(fire(int(sys.argv[1]), datetime.fromisoformat(sys.argv[2])))
