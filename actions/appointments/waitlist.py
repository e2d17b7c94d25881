"""The waitlist: who waits longest is offered what becomes free, and an offer that is not taken goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.appointments import notices, store
from actions.appointments.availability import Slot, Wish, clashing, free_slots, rules_of
from actions.appointments.commands import AcceptOffer, DeclineOffer, JoinWaitlist, LeaveWaitlist
from actions.appointments.tables import KEEPING, Appointment, Waiting
from actions.blocks import consent
from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, Option, cancel_notices, close_prompts, notify
from actions.core.tables import Member

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration


async def join(command: JoinWaitlist, context: Context) -> Outcome:
    """Raises DomainError: no_waitlist, one_open_booking, consent_needed."""
    service = store.declared(context, command.service)
    rules = rules_of(service)
    if not rules.waitlist:
        raise DomainError("no_waitlist")
    await store.refuse_second(context, service)
    member_id = context.actor.member_id
    if rules.consent and command.consent:
        await consent.give(context, member_id, rules.consent, command.consent)
    await _replace_own(context, service, member_id)
    waiting = Waiting(
        service=service.id,
        member_id=member_id,
        window_start=command.window_start,
        window_end=command.window_end,
        party=command.party,
        fields={**command.fields, "_titles": command.titles, "_avoid": command.avoid},
        confidential=context.vault.seal(command.confidential, about="appointment") if command.confidential else "",
        state="waiting",
        limit_key=f"{service.id}:{member_id}",
        created_at=context.now,
    )
    context.session.add(waiting)
    await context.session.flush()
    await context.session.refresh(waiting, ["member"])
    await fill(context, service)
    return Outcome(
        wording="appointments.waiting",
        params={
            "service": service.short,
            "offer_minutes": rules.offer_minutes,
            "ahead": await _ahead(context, waiting),
        },
        subject=waiting.subject,
    )


async def _replace_own(context: Context, service: Declaration, member_id: int) -> None:
    query = select(Waiting).where(Waiting.limit_key == f"{service.id}:{member_id}")
    for row in (await context.session.execute(query)).unique().scalars():
        row.state, row.limit_key, row.confidential = "left", None, ""
    await context.session.flush()


async def _ahead(context: Context, waiting: Waiting) -> int:
    query = select(Waiting.id).where(
        Waiting.service == waiting.service, Waiting.state == "waiting", Waiting.id < waiting.id
    )
    return len((await context.session.execute(query)).all())


async def leave(command: LeaveWaitlist, context: Context) -> Outcome:
    """Raises DomainError("not_found") where there is no such place, ForbiddenError where it is somebody else's."""
    waiting = await context.database.lock(context.session, Waiting, command.waiting_id)
    if waiting is None or waiting.state != "waiting":
        raise DomainError("not_found")
    if waiting.member_id != context.actor.member_id:
        raise ForbiddenError
    waiting.state, waiting.limit_key, waiting.confidential = "left", None, ""
    return Outcome(wording="appointments.left_waitlist", subject=waiting.subject)


async def fill(context: Context, service: Declaration) -> int:
    """Offers what is free to those who wait, in the order of the list; returns how many offers were made."""
    query = (
        select(Waiting)
        .where(Waiting.service == service.id, Waiting.state == "waiting", Waiting.window_end > context.now)
        .order_by(Waiting.id)
    )
    offers = 0
    for waiting in (await context.session.execute(query)).unique().scalars().all():
        slot = await _slot_for(context, service, waiting)
        if slot is not None:
            await _offer(context, service, waiting, slot)
            offers += 1
    return offers


async def _slot_for(context: Context, service: Declaration, waiting: Waiting) -> Slot | None:
    if await _has_open(context, waiting) or waiting.member.status == "left":
        return None
    slots = await free_slots(context, service, wish_of(waiting))
    for slot in slots:
        if not await clashing(context, waiting.member_id, slot.starts_at, slot.ends_at):
            return slot
    return None


def wish_of(waiting: Waiting) -> Wish:
    """What somebody on the list waits for."""
    return Wish(
        low=waiting.window_start,
        high=waiting.window_end,
        titles=waiting.fields.get("_titles") or None,
        avoid=waiting.fields.get("_avoid") or (),
        fields=waiting.fields,
        party=waiting.party,
    )


async def _has_open(context: Context, waiting: Waiting) -> bool:
    if not rules_of(context.catalogue[waiting.service]).one_open_booking:
        return False
    query = select(Appointment.id).where(
        Appointment.limit_key == f"{waiting.service}:{waiting.member_id}", Appointment.state.in_(KEEPING)
    )
    return (await context.session.execute(query.limit(1))).scalar_one_or_none() is not None


async def _offer(context: Context, service: Declaration, waiting: Waiting, slot: Slot) -> None:
    rules = rules_of(service)
    await context.database.lock(context.session, Member, waiting.member_id)
    appointment = store.new_appointment(context, service, slot, waiting.member_id)
    appointment.state, appointment.party = "offered", waiting.party
    appointment.fields = {key: value for key, value in waiting.fields.items() if not key.startswith("_")}
    appointment.confidential = waiting.confidential
    appointment.waiting_id = waiting.id
    appointment.expires_at = min(context.now + timedelta(minutes=rules.offer_minutes), slot.starts_at)
    await store.add(context, appointment, slot)
    waiting.state = "offered"
    await notify(
        context,
        Notice(
            member_id=waiting.member_id,
            wording="notices.offer",
            params={**notices.facts(context, appointment), "until": appointment.expires_at},
            subject=appointment.subject,
            expires=appointment.expires_at,
            options=(
                Option(label="接受", command=AcceptOffer(appointment_id=appointment.id)),
                Option(label="放弃", command=DeclineOffer(appointment_id=appointment.id)),
            ),
        ),
    )


async def accept(command: AcceptOffer, context: Context) -> Outcome:
    """Raises DomainError("offer_gone") where it has expired; ForbiddenError where it was somebody else's."""
    appointment = await _offered(context, command.appointment_id)
    service = context.catalogue[appointment.service]
    appointment.state, appointment.expires_at = "booked", None
    await _settle(context, appointment, "accepted")
    await close_prompts(context, appointment.subject)
    await notices.tell_booked(context, service, appointment)
    return Outcome(
        wording="appointments.booked",
        params={**notices.facts(context, appointment), "weeks": 1, "skipped": []},
        subject=appointment.subject,
    )


async def decline(command: DeclineOffer, context: Context) -> Outcome:
    """Raises as `accept` does."""
    appointment = await _offered(context, command.appointment_id)
    await withdraw_offer(context, appointment, "declined")
    return Outcome(wording="appointments.declined", subject=appointment.subject)


async def _offered(context: Context, appointment_id: int) -> Appointment:
    appointment = await context.database.lock(context.session, Appointment, appointment_id)
    if appointment is None or appointment.state != "offered" or (appointment.expires_at or context.now) <= context.now:
        raise DomainError("offer_gone")
    if appointment.member_id != context.actor.member_id:
        raise ForbiddenError
    return appointment


async def _settle(context: Context, appointment: Appointment, state: str) -> None:
    waiting = await context.session.get(Waiting, appointment.waiting_id)
    if waiting is not None:
        waiting.state, waiting.limit_key, waiting.confidential = state, None, ""


async def withdraw_offer(context: Context, appointment: Appointment, state: str) -> None:
    """Ends an offer that was declined or has expired, and offers the slot to the next."""
    await store.end(context, appointment, "expired")
    await _settle(context, appointment, state)
    await cancel_notices(context, appointment.subject)
    await fill(context, context.catalogue[appointment.service])
