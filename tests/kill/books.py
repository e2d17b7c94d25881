"""What must hold in the database whenever the process died: nothing half done, nothing done twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from actions.appointments.tables import KEEPING, Appointment, Seat
from actions.core.tables import Audit, Outgoing, Turn
from actions.core.zones import to_utc
from bot.lives import load_services
from bot.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.orm import Session

    from tests.peers.server import Store

REMINDERS = {"notices.remind_day": timedelta(hours=24), "notices.remind_hours": timedelta(hours=2)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One sentence of an outgoing row."""

    row: Outgoing
    wording: str
    params: dict[str, Any]

    @property
    def starts_at(self) -> datetime:
        """The time that the sentence speaks of."""
        return to_utc(datetime.fromisoformat(self.params["starts_at"]))


def faults(store: Store) -> list[str]:
    """What does not hold, in words; of appointments that were booked days ahead, and of none that was cancelled."""
    with store.session() as session:
        appointments = list(session.scalars(select(Appointment)).unique())
        said = list(_said(session, store))
        return [
            *_turns(session),
            *_bookings(appointments, said),
            *_seats(session, appointments),
            *_reminders(appointments, said),
            *_owners(appointments, said),
            *_audit(session, appointments),
        ]


def _said(session: Session, store: Store) -> Iterator[Said]:
    vault = store.vault
    for row in session.scalars(select(Outgoing)):
        for wording, params in vault.open(row.content, about="outgoing")["parts"]:
            yield Said(row=row, wording=wording, params=params)


def _booked(appointments: Iterable[Appointment]) -> list[Appointment]:
    return [each for each in appointments if each.state == "booked"]


def _differing(what: str, wanted: Counter[Any], found: Counter[Any]) -> list[str]:
    missing = [f"{what} missing: {key}" for key in (wanted - found).elements()]
    return missing + [f"{what} too many: {key}" for key in (found - wanted).elements()]


def _turns(session: Session) -> list[str]:
    """Every turn has its one reply."""
    replies = func.count(Outgoing.id)
    query = select(Turn.id, replies).outerjoin(Outgoing, Outgoing.turn_id == Turn.id).group_by(Turn.id)
    return [f"turn {turn} has {count} replies" for turn, count in session.execute(query.having(replies != 1))]


def _bookings(appointments: list[Appointment], said: list[Said]) -> list[str]:
    """No booking without the reply that tells it, no such reply without the booking."""
    told = [each for each in said if each.wording == "appointments.booked" and each.row.turn_id is not None]
    return _differing(
        "reply to a booking",
        Counter((each.member.staff_id, each.starts_at) for each in _booked(appointments)),
        Counter((each.row.conversation, each.starts_at) for each in told),
    )


def _seats(session: Session, appointments: list[Appointment]) -> list[str]:
    """No slot is kept twice, and what is kept has its seat."""
    kept = [each for each in appointments if each.state in KEEPING]
    slots = Counter((each.offering.title, each.starts_at) for each in kept)
    twice = [f"kept twice: {slot}" for slot, count in slots.items() if count > 1]
    seats = Counter(session.scalars(select(Seat.appointment_id)))
    return twice + _differing("seat", Counter(each.id for each in kept), seats)


def _reminders(appointments: list[Appointment], said: list[Said]) -> list[str]:
    """Each booking has each reminder once, at its time; nothing else has any."""
    return _differing(
        "reminder",
        Counter(
            (each.subject, wording, each.starts_at - before)
            for each in _booked(appointments)
            for wording, before in REMINDERS.items()
        ),
        Counter((each.row.subject, each.wording, each.row.due_at) for each in said if each.wording in REMINDERS),
    )


def _owners(appointments: list[Appointment], said: list[Said]) -> list[str]:
    """Who answers for a calendar is told once of each booking, where the service says so."""
    told = [each for each in said if each.wording == "notices.owner_booked"]
    told_of = {service.id for service in load_services(Settings()) if getattr(service.rules, "tell_owner", False)}
    owned = [each for each in _booked(appointments) if each.offering.owner_id is not None and each.service in told_of]
    return _differing(
        "word to the owner",
        Counter((each.offering.owner_id, each.starts_at) for each in owned),
        Counter((each.row.member_id, each.starts_at) for each in told),
    )


def _audit(session: Session, appointments: list[Appointment]) -> list[str]:
    """Each booking has its entry, once."""
    entries = session.scalars(select(Audit.subject).where(Audit.command == "appointments.book"))
    return _differing("audit entry", Counter(each.subject for each in _booked(appointments)), Counter(entries))
