"""Delivers what is due, once: `python -m tests.kill.courier`, a child process that dies at the point in NJR_FAULT.

The sender is the real e-mail channel.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from actions.core.commands import SYSTEM
from actions.core.notify import Letter, send_letter
from bot import app as root
from bot.channels.email import EmailChannel
from bot.delivery import Delivery
from bot.messages import Senders
from bot.settings import load_settings
from bot.understanding import NO_NLU

if TYPE_CHECKING:
    from bot.settings import Settings


async def write(settings: Settings, address: str) -> None:
    """Queues a letter as the binding by e-mail does."""
    app = root.build(settings, pipeline=NO_NLU)
    await root.prepare(app, demo=False)
    async with app.house.database.write() as session:
        params = {"code": "246810", "minutes": 10}
        letter = Letter(channel="email", conversation=address, wording="mail.binding_code", params=params)
        await send_letter(app.house.context(session, SYSTEM, app.clock()), letter)
    await app.house.database.close()


async def carry(settings: Settings, *, ahead: timedelta = timedelta()) -> None:
    """Sends what is due by a clock that is so far ahead."""
    house = root.build(settings, pipeline=NO_NLU).house

    def clock() -> datetime:
        return root.utc_now() + ahead

    senders = Senders(by_channel={"email": EmailChannel(settings.mail)})
    delivery = Delivery(house.database, house.vault, house.wording, senders, clock, text_hours=24, fault=house.fault)
    await delivery.flush()
    await house.database.close()


if __name__ == "__main__":
    asyncio.run(carry(load_settings()))
