"""What platforms tell beside messages: who joined a group, which id it has now, who has gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select

from actions.announcements.commands import MembersJoined, MoveGroup, SeeGroups
from actions.core.commands import SYSTEM, Actor
from actions.core.errors import DomainError
from actions.core.tables import Account
from actions.membership.sso import BindBySso, Proof
from bot.messages import Gone, Joined, Known, Moved, Seen

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Command
    from bot.gateway.house import House
    from bot.messages import Event

log = structlog.get_logger(__name__)

#: The most names that a greeting looks at.
_NAMES = 50


async def heed(house: House, event: Event, now: datetime) -> None:
    """Does what an event asks for, in one transaction. Groups that nobody has bound are let alone."""
    try:
        async with house.database.write() as session:
            if isinstance(event, Gone):
                await _forget_way(session, event)
                return
            actor, command = _recognised(house, event, now) if isinstance(event, Known) else (SYSTEM, _command(event))
            context = house.context(session, actor, now)
            await context.bus.execute(command, context)
    except DomainError as error:
        log.info("event_refused", event_kind=type(event).__name__, code=error.code)


def _command(event: Joined | Moved | Seen) -> Command:
    match event:
        case Joined(address=at, names=names):
            return MembersJoined(
                channel=at.channel, account=at.account, conversation=at.conversation, names=names[:_NAMES]
            )
        case Moved(address=at, conversation=new):
            return MoveGroup(channel=at.channel, account=at.account, before=at.conversation, conversation=new)
        case Seen(channel=channel, account=account, groups=groups):
            return SeeGroups(channel=channel, account=account, seen=dict(groups))


def _recognised(house: House, event: Known, now: datetime) -> tuple[Actor, Command]:
    """The account of somebody whom the platform vouches for is bound; who is bound already stays who they are."""
    at = event.address
    proof = Proof(
        staff_id=event.staff_id,
        name="",
        channel=at.channel,
        account=at.account,
        sender=event.sender,
        conversation=at.conversation,
        until=now + timedelta(minutes=1),
    )
    actor = Actor(channel=at.channel, account=at.account, sender=event.sender)
    return actor, BindBySso(proof=proof.sealed(house.vault))


async def _forget_way(session: AsyncSession, event: Gone) -> None:
    """Somebody who blocked the assistant is spoken to elsewhere, until they write there again."""
    query = select(Account).where(
        Account.channel == event.address.channel,
        Account.account == event.address.account,
        Account.sender == event.sender,
    )
    account = (await session.execute(query)).scalar_one_or_none()
    if account is not None and account.conversation == event.address.conversation:
        account.conversation = None
