"""From a group to the private chat: what could not be said where others read along is gone on with, once.

Whoever has never written in private is asked to; what they wanted waits for them, sealed, and for a while only.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.tables import Account

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.commands import Context
    from bot.gateway.house import House
    from bot.messages import Inbound
    from nlu.types import Parse

#: Who comes after that has something else in mind.
_WAITS = timedelta(minutes=30)


def wait(context: Context, account: Account, text: str) -> None:
    """Keeps what somebody wanted in a group until they write in private."""
    account.asked, account.asked_at = context.vault.seal({"text": text}, about="asked"), context.now


def settle(account: Account) -> None:
    """Whoever writes in private has come over: nothing waits any more."""
    if account.asked:
        account.asked, account.asked_at = "", None


async def pending(house: House, inbound: Inbound, now: datetime) -> str:
    """What the sender of a private message wanted in a group shortly before; empty where that is nothing."""
    if inbound.address.chat != "private":
        return ""
    query = select(Account.asked, Account.asked_at).where(
        Account.channel == inbound.address.channel,
        Account.account == inbound.address.account,
        Account.sender == inbound.sender,
    )
    async with house.database.read() as session:
        found = (await session.execute(query)).one_or_none()
    if found is None or not found.asked or found.asked_at is None or now - found.asked_at > _WAITS:
        return ""
    return str(house.vault.open(found.asked, about="asked")["text"])


def came_over(house: House, inbound: Inbound, parse: Parse) -> bool:
    """Whether a message says no more than that its sender is here now: /start, 您好, 好的, 接着办."""
    words = house.registry.words
    hello = parse.intent == "greet" and parse.crisis is None
    return inbound.met or hello or words.says("affirm", parse.text) or words.says("resume", parse.text)
