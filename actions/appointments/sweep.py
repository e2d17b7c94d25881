"""What falls due by itself. Rows decide: each step looks for what is due at `now` and is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from actions.appointments import booking, offers, papers, seats, store
from actions.appointments.availability import rules_of
from actions.appointments.tables import KEEPING, Appointment, Seat, Waiting
from actions.blocks import consent, materials
from actions.core.notify import Notice, forget_prompts, notify
from actions.core.tables import Member

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

_OVER = ("done", "no_show", "cancelled", "refused", "expired")


async def sweep(context: Context) -> int:
    """Holds, offers and requests that lapse, appointments that are over, the waitlist, and what must be deleted.

    Costs a handful of queries where nothing is due. Returns how much was done.
    """
    await seats.alone(context)
    free = await offers.expire(context)
    done = len(free)
    gone = await _let_go(context)
    left, waited_for = await _end_waiting(context)
    for name in sorted(free | gone | waited_for):
        done += await offers.fill(context, context.catalogue[name])
    for service in context.catalogue:
        if service.life == "appointment":
            done += await _forget(context, service)
    return done + len(gone) + left


async def _let_go(context: Context) -> set[str]:
    """Who has left the university keeps no time; returns the services in which something became free."""
    kept = select(Appointment).join(Appointment.member).where(Appointment.state.in_(KEEPING), Member.status == "left")
    rows = await store.rows(context, kept)
    for row in rows:
        if row.state == "held":
            await store.drop(context, row)
        elif row.state == "offered":
            await offers.withdraw(context, row, "left")
        else:
            await booking.call_off(context, row)
    return {row.service for row in rows}


async def _end_waiting(context: Context) -> tuple[int, set[str]]:
    """A place is over when nothing in its window can be booked any more, and when the member has left.

    Returns how many are over, and the services that are still waited for.
    """
    done, services = 0, set()
    for waiting in await store.rows(context, select(Waiting).where(Waiting.state == "waiting")):
        service = context.catalogue[waiting.service]
        if waiting.member.status == "left":
            await papers.leave(context, waiting, "left")
        elif waiting.window_end <= context.now + timedelta(minutes=rules_of(service).notice_minutes):
            await papers.leave(context, waiting, "over")
            params = {"service": "" if service.private else service.short}
            await notify(context, Notice(member_id=waiting.member_id, wording="notices.waiting_over", params=params))
        else:
            services.add(service.id)
            continue
        done += 1
    return done, services


async def _forget(context: Context, service: Declaration) -> int:
    """Deletes records past the service's retention, and the consent of who has none left."""
    if service.retention_days is None:
        return 0
    limit = context.now - timedelta(days=service.retention_days)
    old = select(Appointment.id).where(
        Appointment.service == service.id, Appointment.ends_at < limit, Appointment.state.in_(_OVER)
    )
    ids = list((await context.session.execute(old)).scalars())
    for number in ids:
        await materials.drop(context, f"appointment:{number}")
    if ids:
        await context.session.execute(update(Appointment).where(Appointment.series_id.in_(ids)).values(series_id=None))
        await context.session.execute(delete(Seat).where(Seat.appointment_id.in_(ids)))
        await context.session.execute(delete(Appointment).where(Appointment.id.in_(ids)))
        await forget_prompts(context, [f"appointment:{number}" for number in ids])
    waits = Waiting.service == service.id, Waiting.window_end < limit, Waiting.limit_key.is_(None)
    used = select(Appointment.waiting_id).where(Appointment.waiting_id.is_not(None))
    await context.session.execute(delete(Waiting).where(*waits, Waiting.id.not_in(used)))
    if purpose := rules_of(service).consent:
        came = select(Appointment.member_id).where(Appointment.service == service.id)
        await consent.forget(context, purpose, before=limit, but=came)
    return len(ids)
