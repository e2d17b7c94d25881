"""The calendar entry that a token opens, as the record stands now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.core.commands import Actor
from actions.core.entries import opened_token
from actions.core.errors import ConfigurationError, DomainError
from actions.core.tables import Member

if TYPE_CHECKING:
    from datetime import datetime

    from actions.core.entries import CalendarEntry
    from bot.gateway.house import House


async def calendar_entry(house: House, token: str, now: datetime) -> CalendarEntry | None:
    """The entry of a token's record; None where that has been cancelled or is over.

    Raises DomainError("not_found") for what is no token of ours.
    """
    try:
        ref, member_id = opened_token(house.vault, token)
    except (ConfigurationError, ValueError) as error:
        raise DomainError("not_found") from error
    kind = ref.partition(":")[0]
    async with house.database.read() as session:
        member = await session.get(Member, member_id)
        context = house.context(session, Actor(member=member), now)
        for records in house.records:
            if member is not None and kind in records.kinds:
                item = await records.item(context, ref)
                return None if item is None else item.calendar
    return None
