"""What the ledger says of rows that were handed over, and of workers: who lives, and what the dead had in hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import bindparam, delete, select, update

from actions.core.tables import Batch, Gate, Handing, Outgoing, UtcDateTime, Worker
from bot.delivery.holding import put_off
from bot.messages import SendError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.database import Database

log = structlog.get_logger(__name__)

#: A worker is seen this often, and dead when it was not seen for so long: with the next look at the dead, what it had
#: in hand is taken over within 25 seconds.
BEAT = timedelta(seconds=5)
DEAD_AFTER = timedelta(seconds=15)

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=30)
#: With these pauses a day and a half.
_MOST_TRIES = 80
#: So many failures in a row, and the platform is taken for away: it is left alone, longer each time.
_AWAY_AFTER = 5
_LONGEST_AWAY = timedelta(minutes=2)

_UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How handing a row over ended at a moment; `state` is sent or accepted where there was no error.

    `call` is what the limits count; it was picked earlier than it was `begun`.
    """

    row: Outgoing
    call: Handing
    begun: datetime
    at: datetime
    state: str = "sent"
    error: SendError | None = None


def back_off(tries: int) -> timedelta:
    """How long a row waits after so many failures: 15 s, twice as long each time, half an hour at most."""
    doubled: int = 2 ** min(tries - 1, 10)
    return min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE)


_BEGUN = (
    update(Handing)
    .where(Handing.__table__.c.id == bindparam("call"))
    .values(at=bindparam("begun", type_=UtcDateTime()))
)


class Ledger:
    """The rows that one worker has in hand."""

    def __init__(self, database: Database, worker: str, longest: timedelta) -> None:
        """`longest` is how far back any limit looks."""
        self._database = database
        self._worker = worker
        self._longest = longest
        self._failures: Counter[str] = Counter()

    # --- how it ended

    async def settle(self, results: Sequence[Result]) -> None:
        """Writes how rows ended, in one transaction. What another worker has taken over meanwhile is left to it."""
        failed = [result for result in results if result.error is not None]
        closed = self._closures(results)
        async with self._database.write() as session:
            # One order for everybody: gates, batches, rows.
            for channel, until in sorted(closed.items()):
                await self._close(session, channel, until)
            states = await self._states_of_batches(session, (result.row for result in failed))
            done = [_done(result) for result in results if result.error is None]
            changes = [*done, *(_failure(result, states) for result in failed)]
            connection = await session.connection()
            await connection.execute(self._statement(), changes)
            # A busy process hands over later than it picks: windows are counted from when a message left.
            calls = [{"call": result.call.id, "begun": result.begun} for result in results if result.call.id]
            if calls:
                await connection.execute(_BEGUN, calls)
            for row, until in _hushed(failed):
                await put_off(session, row, until)

    def _statement(self) -> Any:
        table = Outgoing.__table__
        fields = ("state", "sent_at", "reason", "due_at", "attempts")
        return (
            update(Outgoing)
            .where(table.c.id == bindparam("row"), table.c.worker == self._worker, table.c.state == "sending")
            .values({"worker": "", **{name: _parameter(name) for name in fields}})
        )

    def _closures(self, results: Iterable[Result]) -> dict[str, datetime]:
        """Channels that are left alone for a while: they asked for it, or are away."""
        closed: dict[str, datetime] = {}
        for result in results:
            channel, error = result.row.channel, result.error
            if error is None or error.permanent:
                self._failures[channel] = 0
                continue
            if error.retry_after is not None:
                if error.everybody:
                    closed[channel] = max(closed.get(channel, result.at), result.at + _seconds(error))
                continue
            self._failures[channel] += 1
            over = self._failures[channel] - _AWAY_AFTER
            if over >= 0:
                away = min(timedelta(seconds=2 ** min(over + 1, 10)), _LONGEST_AWAY)
                closed[channel] = max(closed.get(channel, result.at), result.at + away)
        return closed

    async def _close(self, session: AsyncSession, channel: str, until: datetime) -> None:
        gate = await self._database.lock(session, Gate, channel)
        if gate is not None and (gate.closed_until is None or gate.closed_until < until):
            gate.closed_until = until
            await session.flush()

    async def _states_of_batches(self, session: AsyncSession, rows: Iterable[Outgoing]) -> dict[int, str]:
        """Locked: a row that goes back to wait waits as its batch does."""
        states = {}
        for batch_id in sorted({row.batch_id for row in rows if row.batch_id is not None}):
            batch = await self._database.lock(session, Batch, batch_id)
            states[batch_id] = batch.state if batch is not None else "running"
        return states

    # --- who lives

    async def beat(self, now: datetime) -> None:
        """Tells the others that this worker lives; forgets calls that no limit looks back to."""
        async with self._database.write() as session:
            worker = await session.get(Worker, self._worker)
            if worker is None:
                session.add(Worker(name=self._worker, seen_at=now))
            else:
                worker.seen_at = now
            await session.execute(delete(Handing).where(Handing.at < now - self._longest))
            await session.execute(delete(Worker).where(Worker.seen_at < now - timedelta(days=1)))

    async def leave(self) -> None:
        """Tells that this worker has nothing in hand any more."""
        async with self._database.write() as session:
            await session.execute(delete(Worker).where(Worker.name == self._worker))

    async def take_over(self, now: datetime) -> int:
        """What dead workers had in hand may have arrived or not: it waits again, marked; returns how many rows."""
        alive = select(Worker.name).where(Worker.seen_at > now - DEAD_AFTER)
        orphans = select(Outgoing).where(Outgoing.state == "sending", Outgoing.worker.not_in(alive))
        async with self._database.read() as session:
            if (await session.execute(orphans.limit(1))).first() is None:
                return 0
        if not self._database.is_sqlite:
            orphans = orphans.with_for_update(skip_locked=True)
        async with self._database.write() as session:
            # The batches first, as everywhere; rows that are orphaned meanwhile are seen at the next look.
            found = (await session.execute(select(Outgoing).where(Outgoing.state == "sending"))).scalars().all()
            states = await self._states_of_batches(session, found)
            rows = (await session.execute(orphans)).scalars().all()
            for row in rows:
                row.state, row.worker, row.due_at = _waits(row, states, _UNKNOWN), "", now
                row.doubts += 1
                row.reason = _UNKNOWN
        log.warning("taken_over", rows=len(rows))
        return len(rows)


def _parameter(name: str) -> Any:
    return bindparam(f"new_{name}", type_=UtcDateTime() if name.endswith("_at") else None)


def _change(row: Outgoing, **values: Any) -> dict[str, Any]:
    kept = {"sent_at": None, "due_at": row.due_at, "attempts": row.attempts, "reason": ""}
    return {"row": row.id, **{f"new_{name}": value for name, value in {**kept, **values}.items()}}


def _done(result: Result) -> dict[str, Any]:
    # An earlier try may have arrived as well: the ledger goes on telling so.
    reason = _UNKNOWN if result.row.doubts else ""
    return _change(result.row, state=result.state, sent_at=result.at, reason=reason)


def _failure(result: Result, states: dict[int, str]) -> dict[str, Any]:
    row, error = result.row, result.error or SendError("")
    log.warning("send_failed", row=row.id, channel=row.channel, reason=error.reason, attempt=row.attempts + 1)
    reason = error.reason[:120]
    if error.retry_after is not None and not error.permanent:
        # Being told to wait is no failure: it is not counted.
        due = result.at + _seconds(error)
        return _change(row, state=_waits(row, states), due_at=due, reason=reason)
    tries = row.attempts + 1
    if error.permanent or tries >= _MOST_TRIES:
        return _change(row, state="failed", attempts=tries, reason=reason)
    return _change(row, state=_waits(row, states), due_at=result.at + back_off(tries), attempts=tries, reason=reason)


def _hushed(failed: Iterable[Result]) -> list[tuple[Outgoing, datetime]]:
    """A row of each conversation in which the platform asked to wait, and until when, in one order for everybody."""
    found: dict[tuple[str, str, str], tuple[Outgoing, datetime]] = {}
    for result in failed:
        row, error = result.row, result.error
        if error is None or error.permanent or error.everybody or error.retry_after is None:
            continue
        until = result.at + _seconds(error)
        key = row.channel, row.account, row.conversation
        if key not in found or found[key][1] < until:
            found[key] = row, until
    return [found[key] for key in sorted(found)]


def _waits(row: Outgoing, states: dict[int, str], running: str = "queued") -> str:
    """How a row waits again: as its batch does."""
    state = states.get(row.batch_id or 0, "running")
    return running if state == "running" else state


def _seconds(error: SendError) -> timedelta:
    return timedelta(seconds=max(error.retry_after or 0, 0))
