"""Exact words that rows decide, as the lives' listeners know them: asked before anything is guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.core.errors import DomainError
from actions.core.hearing import Heard

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.commands import Context
    from bot.gateway.house import House
    from bot.gateway.saying import Saying
    from bot.messages import Inbound


def addressed(house: House, inbound: Inbound) -> bool:
    """Whether a message was said to the assistant: in private, with a mention, or by one of its names."""
    if inbound.address.chat == "private" or inbound.mentioned:
        return True
    return any(name in inbound.text for name in house.names)


def heard_of(house: House, inbound: Inbound, text: str) -> Heard:
    """The message as listeners read it: without the assistant's name before or behind it."""
    for name in sorted(house.names, key=len, reverse=True):
        text = text.replace(f"@{name}", " ").strip().removeprefix(name).removesuffix(name)
    return Heard(
        channel=inbound.address.channel,
        account=inbound.address.account,
        conversation=inbound.address.conversation,
        text=text.strip(" \t\n,，:：、"),
        group=inbound.address.chat == "group",
        addressed=addressed(house, inbound),
    )


async def wanted(house: House, inbound: Inbound, now: datetime) -> bool:
    """Whether something said in a group, and not to the assistant, is to be read all the same."""
    heard = heard_of(house, inbound, inbound.text)
    if not house.listeners:
        return False
    async with house.database.read() as session:
        return any([await listener.wants(session, heard, now) for listener in house.listeners])


async def listened(house: House, context: Context, heard: Heard, saying: Saying, *, alone: bool) -> bool:
    """Has the listeners take a message: what their command did, or why it was refused, is said."""
    for listener in house.listeners:
        try:
            hearing = await listener.hears(context, heard, alone=alone)
            if hearing is None:
                continue
            if hearing.command is not None:
                async with context.session.begin_nested():
                    outcome = await context.bus.execute(hearing.command, context)
                saying.report(outcome, context)
        except DomainError as error:
            saying.refuse(error)
        return True
    return False
