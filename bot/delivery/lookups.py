"""What is asked of the database before rows are picked: one query each, for all of them together."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.core.tables import Handing, Outgoing, Wish
from bot.delivery.limits import Used

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from bot.delivery.limits import Pace, Room, Window
    from bot.messages import Address

_WEEK = timedelta(days=7)
_REPEATS_WITHIN = timedelta(hours=1)


@dataclass(kw_only=True, slots=True)
class Known:
    """What is known of the rows that are judged in one transaction."""

    addresses: Mapping[int, Address]
    batches: Mapping[int, str]
    wishes: Mapping[int, dict[str, str]]
    news: dict[int, list[datetime]]
    said: Counter[tuple[str, str]]
    busy: set[tuple[str, str]]
    rooms: Mapping[tuple[str, str], Room]
    pace: Pace
    moved: bool = False


async def begun(session: AsyncSession, channel: str, windows: Sequence[Window], now: datetime) -> list[datetime]:
    """When calls to a channel began, or are to begin, as far back as its windows look."""
    if not windows:
        return []
    longest = max(window.length for window in windows)
    query = select(Handing.at).where(Handing.channel == channel, Handing.at > now - longest)
    return list((await session.execute(query)).scalars())


async def used(
    session: AsyncSession, channel: str, keys: Sequence[tuple[str, str]], after: datetime
) -> dict[tuple[str, str], Used]:
    """What was handed over after a moment in some conversations, by (account, conversation)."""
    query = (
        select(Handing.account, Handing.conversation, func.count(), func.min(Handing.at))
        .where(
            Handing.channel == channel,
            Handing.account.in_({account for account, _ in keys}),
            Handing.conversation.in_({conversation for _, conversation in keys}),
            Handing.at > after,
        )
        .group_by(Handing.account, Handing.conversation)
    )
    found = (await session.execute(query)).all()
    return {(account, name): Used(count=count, oldest=oldest) for account, name, count, oldest in found}


async def wishes(session: AsyncSession, members: Collection[int]) -> dict[int, dict[str, str]]:
    """What members want of the news, by topic."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for wish in (await session.execute(select(Wish).where(Wish.member_id.in_(members)))).scalars():
        found[wish.member_id][wish.topic] = wish.wants
    return found


async def news(session: AsyncSession, members: Collection[int], now: datetime) -> dict[int, list[datetime]]:
    """When members got news within the last week."""
    query = select(Outgoing.member_id, Outgoing.sent_at).where(
        Outgoing.member_id.in_(members), Outgoing.kind == "news", Outgoing.sent_at > now - _WEEK
    )
    found: dict[int, list[datetime]] = defaultdict(list)
    for member_id, moment in (await session.execute(query)).all():
        if member_id is not None and moment is not None:
            found[member_id].append(moment)
    return found


async def said_lately(
    session: AsyncSession, channel: str, rows: Sequence[Outgoing], now: datetime
) -> Counter[tuple[str, str]]:
    """How often each text was said within the hour in the conversations of rows that must not be said without end."""
    places = {row.conversation for row in rows if may_loop(row)}
    if not places:
        return Counter()
    query = (
        select(Outgoing.conversation, Outgoing.fingerprint, func.count())
        .where(
            Outgoing.conversation.in_(places),
            Outgoing.channel == channel,
            Outgoing.fingerprint != "",
            Outgoing.sent_at > now - _REPEATS_WITHIN,
        )
        .group_by(Outgoing.conversation, Outgoing.fingerprint)
    )
    return Counter({(name, mark): count for name, mark, count in (await session.execute(query)).all()})


def may_loop(row: Outgoing) -> bool:
    """Whether a row is held against what was said before: no answer, and to a member no part of a batch.

    Hundreds read along in a group; what members get of batches has its cap.
    """
    return row.lane > 0 and (row.batch_id is None or row.chat == "group")


async def busy(session: AsyncSession, channel: str) -> set[tuple[str, str]]:
    """Conversations in which something is being handed over: what is said there keeps its order."""
    query = select(Outgoing.account, Outgoing.conversation).where(
        Outgoing.state == "sending", Outgoing.channel == channel
    )
    return {(account, conversation) for account, conversation in (await session.execute(query)).all()}
