"""Where a member is spoken to: on the channel that they chose, else the private chat in which they were heard last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, select

from actions.core.tables import Account, Member
from bot.messages import Address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.tables import Outgoing


async def routes(session: AsyncSession, members: Iterable[int], channels: Collection[str]) -> Mapping[int, Address]:
    """Where each of the members is spoken to; who is bound nowhere is missing.

    A channel that is not running, or that they cannot be reached on any more, is no choice.
    """
    chosen = case((Account.channel == Member.channel, 1), else_=0)
    query = (
        select(Account.member_id, Account.channel, Account.account, Account.conversation)
        .join(Member, Member.id == Account.member_id)
        .where(
            Account.member_id.in_(set(members)), Account.conversation.is_not(None), Account.channel.in_(set(channels))
        )
        .order_by(chosen, Account.heard_at, Account.id)
    )
    found: dict[int, Address] = {}
    for member_id, channel, account, conversation in (await session.execute(query)).all():
        # The last one stays.
        found[member_id or 0] = Address(channel=channel, account=account, conversation=conversation or "")
    return found


def address_of(row: Outgoing) -> Address:
    """Where a row is said."""
    return Address(
        channel=row.channel,
        account=row.account,
        conversation=row.conversation,
        chat="group" if row.chat == "group" else "private",
    )


def lead(row: Outgoing, address: Address | None) -> bool:
    """Sends a row to an address; False, and it is failed, where there is none."""
    if address is None:
        row.state, row.reason = "failed", "nobody is bound"
        return False
    row.channel, row.account, row.conversation, row.chat = (
        address.channel,
        address.account,
        address.conversation,
        address.chat,
    )
    row.routed = True
    return True
