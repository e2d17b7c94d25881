"""What falls due by itself. Rows decide: each step looks for what is due at `now` and is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from actions.appointments import seats, waitlist
from actions.appointments.tables import Appointment, Seat, Waiting
from actions.core.notify import Notice, cancel_notices, notify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from actions.core.catalogue import Declaration
    from actions.core.commands import Context


async def sweep(context: Context) -> int:
    """Holds and offers that expire, appointments that are over, the waitlist, and what must be deleted."""
    done = await expire(context)
    done += await _finish(context)
    done += await _end_waiting(context)
    for service in context.catalogue:
        if service.life == "appointment":
            done += await waitlist.fill(context, service)
            done += await _forget(context, service)
    return done


async def expire(context: Context, service: str | None = None) -> int:
    """Ends holds and offers whose time is over; of a hold nothing remains."""
    rows = await _due(
        context,
        Appointment.state.in_(("held", "offered")),
        Appointment.expires_at <= context.now,
        *([Appointment.service == service] if service else []),
    )
    for row in rows:
        if row.state == "held":
            await seats.free(context, row)
            await context.session.delete(row)
            await context.session.flush()
            continue
        await _tell_expired(context, row)
        await waitlist.withdraw_offer(context, row, "expired")
    for name in {row.service for row in rows if row.state == "held"}:
        await waitlist.fill(context, context.catalogue[name])
    return len(rows)


async def _tell_expired(context: Context, row: Appointment) -> None:
    short = context.catalogue[row.service].short
    await notify(
        context,
        Notice(member_id=row.member_id, wording="notices.offer_expired", params={"service": short}),
    )


async def _due(context: Context, *conditions: ColumnElement[bool]) -> Sequence[Appointment]:
    query = select(Appointment).where(*conditions).order_by(Appointment.id)
    if not context.database.is_sqlite:
        query = query.with_for_update(of=Appointment, skip_locked=True)
    return (await context.session.execute(query)).unique().scalars().all()


async def _finish(context: Context) -> int:
    """An appointment is over at its end: the confidential word goes, and the member may book again."""
    rows = await _due(context, Appointment.state.in_(("booked", "pending")), Appointment.ends_at <= context.now)
    for row in rows:
        row.state = "done" if row.state == "booked" else "refused"
        row.limit_key, row.confidential = None, ""
        await seats.free(context, row)
        await cancel_notices(context, row.subject)
    return len(rows)


async def _end_waiting(context: Context) -> int:
    query = select(Waiting).where(Waiting.state == "waiting", Waiting.window_end <= context.now)
    rows = (await context.session.execute(query)).unique().scalars().all()
    for row in rows:
        row.state, row.limit_key, row.confidential = "over", None, ""
        short = context.catalogue[row.service].short
        await notify(
            context,
            Notice(member_id=row.member_id, wording="notices.waiting_over", params={"service": short}),
        )
    return len(rows)


async def _forget(context: Context, service: Declaration) -> int:
    """Deletes records past the service's retention."""
    if service.retention_days is None:
        return 0
    limit = context.now - timedelta(days=service.retention_days)
    old = select(Appointment.id).where(
        Appointment.service == service.id,
        Appointment.ends_at < limit,
        Appointment.state.in_(("done", "no_show", "cancelled", "refused", "expired")),
    )
    ids = list((await context.session.execute(old)).scalars())
    if not ids:
        return 0
    await context.session.execute(update(Appointment).where(Appointment.series_id.in_(ids)).values(series_id=None))
    await context.session.execute(delete(Seat).where(Seat.appointment_id.in_(ids)))
    await context.session.execute(delete(Appointment).where(Appointment.id.in_(ids)))
    waits = Waiting.service == service.id, Waiting.window_end < limit, Waiting.limit_key.is_(None)
    used = select(Appointment.waiting_id).where(Appointment.waiting_id.is_not(None))
    await context.session.execute(delete(Waiting).where(*waits, Waiting.id.not_in(used)))
    return len(ids)
