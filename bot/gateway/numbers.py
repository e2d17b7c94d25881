"""A bare number on a channel without buttons: the option with that number, of what was said there last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.core.tables import Batch, Conversation, Outgoing, Turn
from bot.dialogue.picking import number_said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncSession

    from bot.gateway.house import House
    from bot.messages import Inbound

_SAID = ("sending", "unknown", "sent", "accepted")
#: Notices that came after the last answer; more are not looked through.
_LOOKED_AT = 8


async def meant(house: House, inbound: Inbound, key: str) -> Inbound:
    """The message, with the value of the option whose number it is; as it came where there is none.

    `key` is that of the conversation: in a group the options of others are not the sender's.
    """
    number = number_said(inbound.text) if inbound.address.channel in house.numbered else None
    if number is None:
        return inbound
    async with house.database.read() as session:
        options = await _options(house, session, inbound, key)
    if not 0 < number <= len(options):
        return inbound
    return replace(inbound, text=options[number - 1]["value"])


async def _options(house: House, session: AsyncSession, inbound: Inbound, key: str) -> Sequence[dict[str, str]]:
    """Of the last message with options, no further back than the last answer."""
    for row in (await session.execute(_last(inbound, key))).scalars():
        content = await _content(house, session, row)
        if content.get("options"):
            options: list[dict[str, str]] = content["options"]
            return options
        if row.turn_id is not None:
            break
    return ()


def _last(inbound: Inbound, key: str) -> Select[Outgoing]:
    address = inbound.address
    query = select(Outgoing).where(
        Outgoing.channel == address.channel,
        Outgoing.account == address.account,
        Outgoing.conversation == address.conversation,
        Outgoing.state.in_(_SAID),
    )
    if address.chat == "group":
        query = (
            query.join(Turn, Turn.id == Outgoing.turn_id)
            .join(Conversation, Conversation.id == Turn.conversation_id)
            .where(Conversation.key == key)
        )
    # What is being handed over has no moment yet: it is the last.
    return query.order_by(Outgoing.sent_at.is_not(None), Outgoing.sent_at.desc(), Outgoing.id.desc()).limit(_LOOKED_AT)


async def _content(house: House, session: AsyncSession, row: Outgoing) -> dict[str, Any]:
    sealed = row.content
    if not sealed and row.batch_id is not None:
        batch = await session.get(Batch, row.batch_id)
        sealed = batch.content if batch else ""
    return house.vault.open(sealed, about="outgoing") if sealed else {}
