"""When a second opinion may be asked for: only where nothing is going on that a message could belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from actions.core.tables import Account, Conversation
from actions.handover import armed_in, live_in
from bot.dialogue.state import State
from bot.gateway.rows import actor_of

if TYPE_CHECKING:
    from datetime import datetime

    from actions.knowledge import Draft
    from bot.gateway.house import House
    from bot.messages import Inbound
    from nlu.types import Parse


class SecondOpinion(Protocol):
    """Somebody else who reads what was not understood; it takes its time, and is asked before any lock is held."""

    def wanted(self, parse: Parse) -> bool:
        """Whether a message may be shown at all."""
        ...

    async def on(self, parse: Parse) -> Parse:
        """The parse, with what may have been meant first in its ranking. Never raises."""
        ...

    async def draft(self, parse: Parse, now: datetime) -> Draft | None:
        """A found answer in other words, where there is one. Never raises."""
        ...


async def idle(house: House, inbound: Inbound, key: str, now: datetime) -> bool:
    """Whether a conversation holds no form, no open question and no person at the other end.

    What is typed there otherwise is an answer, or meant for somebody, and stays in the house.
    """
    address = inbound.address
    at = {"channel": address.channel, "account": address.account}
    async with house.database.read() as session:
        query = select(Conversation.state).filter_by(**at, key=key)
        sealed = (await session.execute(query)).scalar_one_or_none()
        state = State.model_validate(house.vault.open(sealed, about="conversation")) if sealed else State()
        if state.stack or state.clarify:
            return False
        query_account = select(Account).filter_by(**at, sender=inbound.sender)
        account = (await session.execute(query_account)).scalar_one_or_none()
        if account is None:
            return True
        context = house.context(session, await actor_of(session, inbound, account), now)
        where = address.conversation
        return await live_in(context, where) is None and await armed_in(context, where) is None
