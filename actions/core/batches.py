"""Telling many the same: a batch, and a row of the ledger for each recipient, written in one transaction.

    batch = await open_batch(context, Mailing(title=…, wording=…, params={"text": …}, topic="lectures"))
    count = await add_members(context, batch, select(Member.id).where(…))  # add_places for groups

Rows are made by the database itself (INSERT … SELECT), so that ten thousand of them keep the writer for a moment only.
Delivery finds each recipient's conversation when their turn comes, and applies the rules that hold then (see
bot/delivery/rules.py): what a member wants, quiet hours, the cap, limits of the platform.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, Select, exists, func, insert, literal, select, update

from actions.core.notify import LANES, WAITING, Kind
from actions.core.tables import Batch, Member, Outgoing, UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Context

#: A batch comes after whatever concerns a single member.
LANE = LANES["news"]
#: States in which nothing more happens to a row.
SETTLED = ("sent", "accepted", "failed", "suppressed", "expired", "cancelled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailing:
    """What many are told: a sentence by its key, with parameters; `more` are further ones, `options` answers to click.

    `kind` is news, or service for what the recipients must know (a match that they entered is moved): no quiet hours,
    cap or wish holds that back. `topic` is what a member can have no more of. It is said from `due` on (at once where
    there is none), and to nobody after `expires`.
    """

    title: str
    wording: str
    params: Mapping[str, Any] = field(default_factory=dict)
    more: Sequence[tuple[str, Mapping[str, Any]]] = ()
    options: Sequence[Mapping[str, str]] = ()
    kind: Kind = "news"
    topic: str = ""
    subject: str = ""
    due: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A conversation that is told as such: a group."""

    channel: str
    account: str = ""
    conversation: str
    chat: Literal["private", "group"] = "group"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How a batch stands: rows by state, and by (state, reason) where there is a reason.

    `doubts` are rows that may have arrived more than once: a worker died while it handed them over.
    """

    states: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    doubts: int

    @property
    def total(self) -> int:
        """All recipients."""
        return sum(self.states.values())

    @property
    def waiting(self) -> int:
        """Recipients whose row is not settled."""
        return sum(count for state, count in self.states.items() if state not in SETTLED)


async def open_batch(context: Context, mailing: Mailing) -> Batch:
    """Writes the batch, without recipients yet; the caller's unit of work commits it."""
    parts = [[mailing.wording, dict(mailing.params)], *([key, dict(params)] for key, params in mailing.more)]
    content = {"parts": parts, "options": [dict(option) for option in mailing.options]}
    batch = Batch(
        title=mailing.title,
        subject=mailing.subject,
        kind=mailing.kind,
        topic=mailing.topic,
        content=context.vault.seal(content, about="outgoing"),
        due_at=mailing.due or context.now,
        expires_at=mailing.expires,
        created_at=context.now,
    )
    context.session.add(batch)
    await context.session.flush()
    return batch


async def add_members(context: Context, batch: Batch, members: Select[int], *, rule: str = "") -> int:
    """Adds the members whose ids a query gives; returns how many rows were written.

    Nobody is added twice, and nobody who has left. `rule` writes them as suppressed by that rule from the start: they
    belong to the audience, and are not told ("left_out").
    """
    there = exists().where(Outgoing.batch_id == batch.id, Outgoing.member_id == Member.id)
    told = select(Member.id).where(Member.id.in_(members), Member.status != "left", ~there).order_by(Member.id)
    state = {"state": "suppressed", "reason": rule} if rule else {"state": _fresh(batch)}
    values = {**_common(batch), **state}
    columns = {name: _literal(name, value) for name, value in values.items()}
    query = told.add_columns(*columns.values())
    statement = insert(Outgoing).from_select(["member_id", *columns], query, include_defaults=True)
    # Of an INSERT the driver's count is thrown away unless asked for (PostgreSQL).
    written = await context.session.execute(statement, execution_options={"preserve_rowcount": True})
    return written.rowcount  # type: ignore[attr-defined,no-any-return]


async def add_places(context: Context, batch: Batch, places: Sequence[Place]) -> int:
    """Adds conversations, each once; returns how many rows were written."""
    keys = {_key(batch, place): place for place in places}
    known = select(Outgoing.unique_key).where(Outgoing.batch_id == batch.id, Outgoing.unique_key.is_not(None))
    there = set((await context.session.execute(known)).scalars())
    new = {key: place for key, place in keys.items() if key not in there}
    common = {**_common(batch), "state": _fresh(batch)}
    context.session.add_all(
        Outgoing(
            **common,
            channel=place.channel,
            account=place.account,
            conversation=place.conversation,
            chat=place.chat,
            unique_key=key,
        )
        for key, place in new.items()
    )
    await context.session.flush()
    return len(new)


def _key(batch: Batch, place: Place) -> str:
    return f"batch:{batch.id}:{place.channel}:{place.account}:{place.conversation}"[:120]


def _fresh(batch: Batch) -> str:
    return {"running": "queued"}.get(batch.state, batch.state)


def _common(batch: Batch) -> dict[str, Any]:
    return {
        "batch_id": batch.id,
        "kind": batch.kind,
        "lane": LANE,
        "topic": batch.topic,
        "subject": batch.subject,
        "content": "",
        "due_at": batch.due_at,
        "expires_at": batch.expires_at,
    }


def _literal(name: str, value: Any) -> ColumnElement[Any]:
    return literal(value, UtcDateTime() if name.endswith("_at") else None).label(name)


async def pause(context: Context, batch_id: int) -> int:
    """Nothing more is handed over until `resume`; returns how many rows wait. What is being sent goes on."""
    return await _turn(context, batch_id, "running", "paused", "paused")


async def resume(context: Context, batch_id: int) -> int:
    """Goes on where `pause` stopped; returns how many rows wait again."""
    return await _turn(context, batch_id, "paused", "running", "queued")


async def cancel(context: Context, batch_id: int) -> int:
    """Takes back what has not been said; returns how many are not told any more."""
    await _turn(context, batch_id, "paused", "running", "queued")
    return await _turn(context, batch_id, "running", "cancelled", "cancelled")


async def _turn(context: Context, batch_id: int, before: str, after: str, row_state: str) -> int:
    """Turns the batch and every row of it that is still to be said, those in doubt among them."""
    # Locked, so that a row that goes back to wait at this moment (a platform that is away) is seen, or sees us.
    batch = await context.database.lock(context.session, Batch, batch_id)
    if batch is None or batch.state != before:
        return 0
    batch.state = after
    waits = (Outgoing.batch_id == batch_id, Outgoing.state.in_(WAITING))
    statement = update(Outgoing).where(*waits).values(state=row_state)
    return (await context.session.execute(statement)).rowcount  # type: ignore[attr-defined,no-any-return]


def tally_query(batch_id: int) -> Select[str, str, int, int]:
    """The ledger of a batch in one query: state, reason, how many rows, how many of them in doubt."""
    doubtful = func.count().filter(Outgoing.doubts > 0)
    query = select(Outgoing.state, Outgoing.reason, func.count(), doubtful).where(Outgoing.batch_id == batch_id)
    return query.group_by(Outgoing.state, Outgoing.reason)


async def tally(session: AsyncSession, batch_id: int) -> Tally:
    """How a batch stands at the moment."""
    states: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    doubts = 0
    for state, reason, count, doubtful in (await session.execute(tally_query(batch_id))).all():
        states[state] += count
        doubts += doubtful
        if reason:
            reasons[state, reason] += count
    return Tally(states=states, reasons=reasons, doubts=doubts)
