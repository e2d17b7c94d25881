"""A worker in a process of its own: `python -m tests.delivery.worker PORT`, until it is told to stop or is killed.

It is the real assistant with one more channel, set by the environment.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from bot import app as root
from bot.logs import configure
from bot.settings import load_settings
from bot.understanding import NO_NLU
from tests.delivery.platform import PostChannel


async def work(port: int) -> None:
    """Delivers until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    app = root.build(load_settings(), pipeline=NO_NLU, senders=[PostChannel(port)])
    async with app.running():
        await stopped.wait()


if __name__ == "__main__":
    configure("warning")
    asyncio.run(work(int(sys.argv[1])))
