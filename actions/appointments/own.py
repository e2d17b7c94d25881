"""A member's own appointments and places on the waitlist: looked at, withdrawn, moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from actions.appointments import commands as c
from actions.appointments import notices, store
from actions.appointments.availability import Wish, bookable_window, busy, free_slots, rules_of
from actions.appointments.tables import KEEPING, Appointment, Waiting
from actions.blocks import consent
from actions.core.life import Choice, Item, Snapshot
from actions.core.zones import local, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.catalogue import Declaration
    from actions.core.commands import Command, Context

_KINDS = {"held": "hold", "offered": "offer"}
_MOST = 8


class AppointmentRecords:
    """Records of the life appointment."""

    kinds = ("appointment", "waiting")

    async def items(self, context: Context, member_id: int) -> Sequence[Item]:
        """Open appointments and waitlist places, soonest first."""
        booked = (
            select(Appointment)
            .where(
                Appointment.member_id == member_id,
                Appointment.state.in_(("pending", "booked", "offered")),
                Appointment.ends_at > context.now,
                or_(Appointment.expires_at.is_(None), Appointment.expires_at > context.now),
            )
            .order_by(Appointment.starts_at)
        )
        rows = (await context.session.execute(booked)).unique().scalars().all()
        waits = select(Waiting).where(
            Waiting.member_id == member_id, Waiting.state == "waiting", Waiting.window_end > context.now
        )
        waiting = (await context.session.execute(waits)).unique().scalars().all()
        return [*(_item(context, row) for row in rows), *(_waiting_item(context, row) for row in waiting)]

    async def item(self, context: Context, ref: str) -> Item | None:
        """One of the actor's own open records."""
        own = await self.items(context, context.actor.member_id)
        return next((item for item in own if item.ref == ref), None)

    async def may_read(self, context: Context, subject: str) -> bool:
        """Files of an appointment: for who answers for its calendar; where it is not private, for officers too."""
        kind, number = subject.split(":")
        appointment = await context.session.get(Appointment, int(number)) if kind == "appointment" else None
        return appointment is not None and store.may_manage(context, appointment)

    def withdrawal(self, ref: str) -> Command:
        """Cancel an appointment, decline an offer is by its options; leave the waitlist."""
        kind, number = ref.split(":")
        if kind == "waiting":
            return c.LeaveWaitlist(waiting_id=int(number))
        return c.Cancel(appointment_id=int(number))

    async def moves(self, context: Context, ref: str, wanted: Mapping[str, Any] | None) -> tuple[Choice, ...]:
        """Free times with the same calendar first; where the wish leaves none there, with the others."""
        appointment = await context.session.get(Appointment, int(ref.split(":")[1]))
        if appointment is None:
            return ()
        service = context.catalogue[appointment.service]
        low, high = _window(service, context.now, wanted)
        same = await _slots(context, service, appointment, low, high, {appointment.offering.title})
        slots = same or await _slots(context, service, appointment, low, high, None)
        if wanted and wanted["kind"] == "point":
            exact = [slot for slot in slots if slot[0] == datetime.fromisoformat(wanted["start"])]
            slots = exact or slots
        return tuple(
            Choice(value=f"{offering}@{start.isoformat()}", label=f"{spoken(start)} {title}")
            for start, offering, title in slots[:_MOST]
        )

    def move(self, ref: str, value: str) -> Command:
        """`value` is one of `moves`."""
        offering, start = value.split("@")
        return c.Move(
            appointment_id=int(ref.split(":")[1]),
            offering_id=int(offering),
            starts_at=datetime.fromisoformat(start),
        )

    async def snapshots(self, context: Context) -> Sequence[Snapshot]:
        """Everything that is left in the database, for a replay."""
        rows = (await context.session.execute(select(Appointment).order_by(Appointment.id))).unique().scalars().all()
        waits = (await context.session.execute(select(Waiting).order_by(Waiting.id))).unique().scalars().all()
        return [
            *[await _snapshot(context, row) for row in rows],
            *(_waiting_snapshot(context, row) for row in waits),
        ]


def _window(service: Declaration, now: datetime, wanted: Mapping[str, Any] | None) -> tuple[datetime, datetime]:
    if wanted is None:
        return bookable_window(rules_of(service), now)
    low, high = datetime.fromisoformat(wanted["start"]), datetime.fromisoformat(wanted["end"])
    return (low, high) if high > low else (low, low + timedelta(seconds=1))


async def _slots(
    context: Context,
    service: Declaration,
    appointment: Appointment,
    low: datetime,
    high: datetime,
    titles: set[str] | None,
) -> list[tuple[datetime, int, str]]:
    wish = Wish(low=low, high=high, titles=titles, fields=appointment.fields, party=appointment.party)
    spans = (await busy(context, [appointment.member_id])).get(appointment.member_id, ())
    others = [span for span in spans if span.appointment_id != appointment.id]
    return [
        (slot.starts_at, slot.offering_id, slot.title)
        for slot in await free_slots(context, service, wish)
        if not any(span.touches(slot.starts_at, slot.ends_at) for span in others)
    ]


def _item(context: Context, row: Appointment) -> Item:
    service = context.catalogue[row.service]
    settled = row.state in ("pending", "booked")
    limit = timedelta(minutes=rules_of(service).cancel_until_minutes)
    in_time = row.state == "pending" or context.now <= row.starts_at - limit
    return Item(
        ref=row.subject,
        service=row.service,
        title=f"{service.short} {spoken(row.starts_at)} {row.offering.title}",
        state=row.state,
        starts_at=local(row.starts_at),
        withdrawable=settled,
        movable=settled and in_time,
        params=notices.facts(context, row),
        calendar=notices.entry(context, row),
    )


def _waiting_item(context: Context, row: Waiting) -> Item:
    service = context.catalogue[row.service]
    return Item(
        ref=row.subject,
        service=row.service,
        title=f"{service.short} 候补 {spoken(row.window_start)}起",
        state="waiting",
        starts_at=local(row.window_start),
        withdrawable=True,
    )


async def _snapshot(context: Context, row: Appointment) -> Snapshot:
    service = context.catalogue[row.service]
    fields = _keys(service, local(row.starts_at).isoformat(), row.offering.title, row.party)
    sealed = context.vault.open(row.confidential, about="appointment") if row.confidential else {}
    entrusted = await _entrusted(context, service, row.member_id) if row.state in KEEPING else {}
    return Snapshot(
        service=row.service,
        kind=_KINDS.get(row.state, "appointment"),
        state=row.state,
        member=row.member.name,
        fields={**fields, **row.fields, **sealed, **entrusted},
    )


async def _entrusted(context: Context, service: Declaration, member_id: int) -> dict[str, Any]:
    purpose = rules_of(service).consent
    given = await consent.find(context, member_id, purpose) if purpose else None
    return consent.details(context, given) if given else {}


def _keys(service: Declaration, time: str, calendar: str, party: int) -> dict[str, Any]:
    """Values under the keys of the declaration's own fields."""
    fields: dict[str, Any] = {}
    for item in service.form:
        if item.type == "slot":
            fields[item.key] = time
        elif item.type == "offering":
            fields[item.key] = calendar
        elif item.key == rules_of(service).party_field:
            fields[item.key] = party
    return fields


def _waiting_snapshot(context: Context, row: Waiting) -> Snapshot:
    service = context.catalogue[row.service]
    fields = _keys(service, local(row.window_start).isoformat(), ",".join(row.titles), row.party)
    until = local(row.window_end).isoformat()
    return Snapshot(
        service=row.service,
        kind="waitlist",
        state=row.state,
        member=row.member.name,
        fields={**fields, **row.fields, "until": until},
    )
