"""The rows that a turn begins with: the conversation, the account that speaks, and who that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.core.commands import Actor, actor_for
from actions.core.tables import Account, Conversation, Member

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.database import Database
    from bot.messages import Address, Inbound


async def conversation_at(
    session: AsyncSession, database: Database, address: Address, key: str, now: datetime
) -> Conversation:
    """The row of a conversation, made where there is none; locked where several processes may answer in it."""
    query = select(Conversation).where(
        Conversation.channel == address.channel, Conversation.account == address.account, Conversation.key == key
    )
    if not database.is_sqlite:
        query = query.with_for_update()
    conversation = (await session.execute(query)).scalar_one_or_none()
    if conversation is None:
        conversation = Conversation(channel=address.channel, account=address.account, key=key, state="", touched_at=now)
        session.add(conversation)
    conversation.touched_at = now
    await session.flush()
    return conversation


async def account_of(session: AsyncSession, inbound: Inbound, now: datetime) -> Account:
    """The account that speaks; a private chat is where it can be spoken to later."""
    address = inbound.address
    query = select(Account).where(
        Account.channel == address.channel, Account.account == address.account, Account.sender == inbound.sender
    )
    account = (await session.execute(query)).scalar_one_or_none()
    if account is None:
        account = Account(channel=address.channel, account=address.account, sender=inbound.sender, heard_at=now)
        session.add(account)
    account.heard_at = now
    if address.chat == "private":
        account.conversation = address.conversation
    await session.flush()
    return account


async def actor_of(session: AsyncSession, inbound: Inbound, account: Account) -> Actor:
    """Who speaks: the bound member with their roles, or somebody not bound (who left counts as such)."""
    origin: dict[str, Any] = {
        "channel": inbound.address.channel,
        "account": inbound.address.account,
        "sender": inbound.sender,
        "private": inbound.address.chat == "private",
    }
    member = await session.get(Member, account.member_id) if account.member_id else None
    if member is None or member.status == "left":
        return Actor(**origin)
    return await actor_for(session, member, **origin)
