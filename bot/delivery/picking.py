"""Which rows are handed over next: one transaction that holds the channel, so that limits are kept over all processes.

Rows that the rules keep back are put off or settled here; what is picked is `sending`, and this worker's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from actions.core.notify import next_position
from actions.core.tables import Conversation, Gate, Handing, Outgoing
from bot.delivery import lookups
from bot.delivery.holding import put_off
from bot.delivery.limits import NO_LIMIT, Limits, Pace, Room, Used, openings, room
from bot.delivery.lookups import Known
from bot.delivery.routes import address_of, lead, routes
from bot.delivery.rules import Facts, Later, Never, Now, Rules, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.database import Database
    from bot.delivery.texts import Texts
    from bot.messages import Outbound

log = structlog.get_logger(__name__)

_LANES = (0, 1, 2)
_BULK = 2
_ROUTED_AT_ONCE = 500
_SHOWN_AT_ONCE = 50
_OPENINGS = 5
#: After an answer more of them are to be expected: a batch makes room for them, for so long.
_ASKING = timedelta(seconds=30)
#: The same words about the same matter in one conversation: so often within the hour, and no more.
_REPEATS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """A row that is this worker's to hand over, its message, and the call that the limits count: it begins then."""

    row: Outgoing
    message: Outbound
    call: Handing


@dataclass(frozen=True, kw_only=True, slots=True)
class Picked:
    """What was picked; `moved` where rows were settled or put off, `next_at` is when there is room again."""

    parcels: Sequence[Parcel] = ()
    moved: bool = False
    next_at: datetime | None = None


class Picker:
    """Picks rows for this process, `worker` by name, which serves `channels`."""

    def __init__(  # noqa: PLR0913 - called once, where delivery is put together
        self,
        database: Database,
        texts: Texts,
        rules: Rules,
        limits: Mapping[str, Limits],
        channels: Collection[str],
        *,
        worker: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._clock = clock
        self._asked: dict[str, datetime] = {}
        self._database = database
        self._texts = texts
        self._rules = rules
        self._limits = limits
        self._channels = channels
        self._worker = worker

    def limits_of(self, channel: str) -> Limits:
        """The limits of a channel; none where nothing was set."""
        return self._limits.get(channel, Limits())

    async def open(self) -> None:
        """Makes the gates of the channels that have none yet."""
        for attempt in range(_OPENINGS):
            try:
                async with self._database.write() as session:
                    there = set((await session.execute(select(Gate.channel))).scalars())
                    session.add_all(Gate(channel=channel) for channel in sorted(set(self._channels) - there))
            except IntegrityError:
                # Another process made one at the same moment.
                if attempt == _OPENINGS - 1:
                    raise
            else:
                return

    # --- rows to members find their channel

    async def route(self, now: datetime) -> bool:
        """Finds where rows that are due go; True where there were any."""
        waiting = select(Outgoing).where(Outgoing.state == "queued", Outgoing.channel == "", Outgoing.due_at <= now)
        if not await self._any(waiting):
            return False
        query = self._locked(waiting.order_by(Outgoing.id).limit(_ROUTED_AT_ONCE))
        async with self._database.write() as session:
            rows = (await session.execute(query)).scalars().all()
            known = await routes(session, _members(rows), self._channels)
            for row in rows:
                lead(row, known.get(row.member_id or 0))
        return bool(rows)

    async def _any(self, query: Select[Outgoing]) -> bool:
        async with self._database.read() as session:
            found = await session.execute(query.with_only_columns(Outgoing.id).limit(1))
            return found.first() is not None

    def _locked(self, query: Select[Outgoing]) -> Select[Outgoing]:
        # What somebody pauses or takes back at this moment is theirs.
        return query if self._database.is_sqlite else query.with_for_update(skip_locked=True)

    def _due(self, channel: str, state: str, now: datetime) -> Select[Outgoing]:
        return select(Outgoing).where(Outgoing.state == state, Outgoing.channel == channel, Outgoing.due_at <= now)

    async def waits(self, channel: str, now: datetime) -> bool:
        """Whether anything is due on a channel: a look that keeps nobody from writing."""
        due = [await self._any(self._due(channel, state, now)) for state in ("queued", "unknown")]
        return any(due)

    # --- a channel that takes calls

    async def pick(self, channel: str, places: Mapping[int, int], *, ahead: timedelta = timedelta()) -> Picked:
        """Picks what may be handed over now or so far `ahead`; `places` are the calls that may be begun, by lane.

        A little ahead: then what it takes to pick and to settle costs nothing of what the platform allows.
        """
        limits = self.limits_of(channel)
        async with self._database.write() as session:
            gate = await self._database.lock(session, Gate, channel)
            now = self._clock()
            if gate is not None and gate.closed_until is not None and gate.closed_until > now:
                return Picked(next_at=gate.closed_until)
            begun = await lookups.begun(session, channel, limits.overall, now)
            free = openings(limits.overall, begun, now, ahead, spare=self._is_asked(channel, now))
            rows = await self._candidates(session, channel, now, free, places)
            if not rows:
                return Picked(next_at=free.next_at)
            known = await self._known(session, channel, rows, now, Pace(limits.overall, begun))
            parcels = [parcel for row in rows if (parcel := await self._consider(session, row, known, now))]
            if any(parcel.row.lane == 0 for parcel in parcels):
                self._asked[channel] = now
            if limits.all:
                session.add_all(parcel.call for parcel in parcels)
        return Picked(parcels=parcels, moved=known.moved, next_at=free.next_at)

    def _is_asked(self, channel: str, now: datetime) -> bool:
        """Whether somebody was answered a moment ago: more answers are to be expected."""
        asked = self._asked.get(channel)
        return asked is not None and now - asked < _ASKING

    async def _candidates(
        self, session: AsyncSession, channel: str, now: datetime, free: Room, places: Mapping[int, int]
    ) -> list[Outgoing]:
        """Due rows, urgent lanes first, as many as there is room for."""
        rows: list[Outgoing] = []
        for lane in _LANES:
            most = min(places[lane], (free.bulk if lane == _BULK else free.all) - len(rows))
            for state in ("unknown", "queued"):
                if most <= 0:
                    break
                query = self._due(channel, state, now).where(Outgoing.lane == lane)
                query = self._locked(query.order_by(Outgoing.due_at, Outgoing.id).limit(most))
                found = (await session.execute(query)).scalars().all()
                rows += found
                most -= len(found)
        return rows

    async def _known(
        self, session: AsyncSession, channel: str, rows: Sequence[Outgoing], now: datetime, pace: Pace
    ) -> Known:
        routed = [row for row in rows if row.routed]
        news = [row for row in rows if row.kind == "news"]
        places = {(row.account, row.conversation): row for row in rows}
        return Known(
            addresses=await routes(session, _members(routed), self._channels) if routed else {},
            batches=await self._texts.of_batches(session, rows),
            wishes=await lookups.wishes(session, _members(news)) if news else {},
            news=await lookups.news(session, _members(news), now) if news else {},
            said=await lookups.said_lately(session, channel, rows, now),
            busy=await lookups.busy(session, channel),
            rooms=await self._inside(session, channel, places, now),
            pace=pace,
        )

    async def _inside(
        self, session: AsyncSession, channel: str, places: Mapping[tuple[str, str], Outgoing], now: datetime
    ) -> Mapping[tuple[str, str], Room]:
        """The room in each conversation."""
        rooms: dict[tuple[str, str], Room] = {}
        limits = self.limits_of(channel)
        for chat in ("private", "group"):
            keys = [key for key, row in places.items() if (row.chat == "group") == (chat == "group")]
            windows = limits.inside(chat)
            if not windows or not keys:
                continue
            used = [await lookups.used(session, channel, keys, now - window.length) for window in windows]
            nothing = Used(count=0, oldest=None)
            for key in keys:
                holds = [window.get(key, nothing) for window in used]
                rooms[key] = room(windows, holds, "group" if chat == "group" else "private")
        return rooms

    async def _consider(self, session: AsyncSession, row: Outgoing, known: Known, now: datetime) -> Parcel | None:
        """The row as a parcel, or None: it is settled, put off, or waits for the one before it."""
        key = row.account, row.conversation
        if key in known.busy:
            return None
        message = self._cleared(row, known, now)
        known.moved = known.moved or message is None
        if message is None:
            return None
        inside = known.rooms.get(key, NO_LIMIT)
        if (inside.bulk if row.lane == _BULK else inside.all) <= 0:
            until = inside.next_at or now + timedelta(seconds=1)
            await put_off(session, row, until, lane=row.lane)
            known.busy.add(key)
            known.moved = True
            return None
        known.busy.add(key)
        if row.kind == "news" and row.member_id is not None:
            known.news.setdefault(row.member_id, []).append(now)
        row.state, row.worker, row.reason = "sending", self._worker, ""
        return Parcel(row=row, message=message, call=_handing(row, known.pace.next(self._clock())))

    def _cleared(self, row: Outgoing, known: Known, now: datetime) -> Outbound | None:
        """What is said, where it may be said here and now; else the row is settled, put off, or led elsewhere."""
        if row.routed and known.addresses.get(row.member_id or 0) != address_of(row):
            # Bound elsewhere since, or not at all.
            lead(row, known.addresses.get(row.member_id or 0))
            return None
        return self._message(row, known) if self._allowed(row, known, now) else None

    def _allowed(self, row: Outgoing, known: Known, now: datetime) -> bool:
        facts = Facts(
            kind=row.kind,
            topic=row.topic,
            expires_at=row.expires_at,
            wishes=known.wishes.get(row.member_id or 0, {}),
            news=known.news.get(row.member_id or 0, ()),
        )
        return _heed(row, judge(facts, self._rules, now))

    def _message(self, row: Outgoing, known: Known) -> Outbound | None:
        """What the row says; None, and the row is settled, where that cannot be told or was told often enough."""
        try:
            message = self._texts.message(row, address_of(row), known.batches)
        except Exception:
            # One row that cannot be read must not keep back all the others.
            log.exception("row_unreadable", row=row.id)
            row.state, row.reason = "failed", "cannot be rendered"
            return None
        if message is None:
            row.state, row.reason = "failed", "its text is gone"
            return None
        if lookups.may_loop(row):
            row.fingerprint = self._texts.fingerprint(row, message)
            if known.said[row.conversation, row.fingerprint] >= _REPEATS:
                log.error("repeated", row=row.id, subject=row.subject)
                row.state, row.reason = "suppressed", "repeated"
                return None
            known.said[row.conversation, row.fingerprint] += 1
        return message

    # --- a channel whose clients fetch what was said

    async def show(self, channel: str, now: datetime) -> Picked:
        """Says what is due on a channel whose clients fetch it: a committed row is there for them to read."""
        limit = Room(all=_SHOWN_AT_ONCE, bulk=_SHOWN_AT_ONCE)
        async with self._database.write() as session:
            await self._database.lock(session, Gate, channel)
            rows = await self._candidates(session, channel, now, limit, dict.fromkeys(_LANES, _SHOWN_AT_ONCE))
            known = await self._known(session, channel, rows, now, Pace(()))
            parcels: list[Parcel] = []
            for row in rows:
                known.busy.clear()
                if parcel := await self._consider(session, row, known, now):
                    parcels.append(parcel)
            await self._alone_in(session, [parcel.row for parcel in parcels])
            for parcel in parcels:
                await _say(session, parcel.row, now)
        return Picked(parcels=parcels, moved=known.moved)

    async def _alone_in(self, session: AsyncSession, rows: Iterable[Outgoing]) -> None:
        """Nothing else is said in these conversations meanwhile: a page reads by position, and skips nothing."""
        if self._database.is_sqlite:
            return
        where = defaultdict(set)
        for row in rows:
            where[row.channel, row.account].add(row.conversation)
        for (channel, account), keys in sorted(where.items()):
            query = select(Conversation.id).where(
                Conversation.channel == channel, Conversation.account == account, Conversation.key.in_(keys)
            )
            # One order for everybody: two who want the same conversations never wait for one another.
            await session.execute(query.order_by(Conversation.id).with_for_update())


async def _say(session: AsyncSession, row: Outgoing, now: datetime) -> None:
    where = {"channel": row.channel, "account": row.account, "conversation": row.conversation}
    row.position = await next_position(session, now, **where)
    row.state, row.sent_at, row.worker = "sent", now, ""
    await session.flush()


def _heed(row: Outgoing, verdict: Verdict) -> bool:
    match verdict:
        case Never(state=state, rule=rule):
            row.state, row.reason = state, rule
        case Later(until=until, rule=rule):
            row.due_at, row.reason = until, rule
        case Now():
            return True
    return False


def _members(rows: Iterable[Outgoing]) -> set[int]:
    return {row.member_id for row in rows if row.member_id is not None}


def _handing(row: Outgoing, now: datetime) -> Handing:
    return Handing(channel=row.channel, account=row.account, conversation=row.conversation, at=now)
