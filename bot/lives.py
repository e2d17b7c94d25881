"""What the assistant can do, put together: the lives and the rest of actions/, their commands and what they sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actions.announcements import AnnouncementRecords, Announcements, load_calendar, load_topics
from actions.appointments import AppointmentRecords, AppointmentRegistrants, Appointments
from actions.core import offerings, waiting
from actions.core.catalogue import Catalogue, load_catalogue
from actions.core.commands import Bus
from actions.core.schedules import Schedules
from actions.handover import HandoverDesk, HandoverRules
from actions.membership import BindingRecords, Membership
from actions.records import OwnRecords
from actions.safety import Safety, SafetyRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.core.hearing import Listener
    from actions.core.life import Life, Records, Sweeper
    from bot.settings import Settings
    from bot.wording import Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Lives:
    """The lives by name, the catalogue of their services, and what goes with them."""

    catalogue: Catalogue
    by_name: Mapping[str, Life]
    records: tuple[Records, ...]
    sweepers: tuple[Sweeper, ...]
    listeners: tuple[Listener, ...]
    safety: Safety
    bus: Bus


def lives_of(settings: Settings, wording: Wording) -> Lives:
    """The lives and the rest of actions/, with their commands. Raises ConfigurationError."""
    appointments, membership = Appointments(), Membership()
    topics = load_topics(settings.data_dir)
    announcements = Announcements(topics, wording.text, registrants=(AppointmentRegistrants(),))
    calendar = load_calendar(settings.data_dir, topics)
    records: tuple[Records, ...] = (AppointmentRecords(), BindingRecords(), AnnouncementRecords())
    safety = Safety(SafetyRules(**settings.safety.model_dump()), wording.text)
    handover = HandoverDesk(HandoverRules(**settings.handover.model_dump()), wording.text)
    lives: tuple[Life, ...] = (appointments, membership, announcements, OwnRecords(records))
    return Lives(
        catalogue=load_services(settings),
        by_name={life.name: life for life in lives},
        records=records,
        sweepers=(
            appointments,
            membership,
            safety,
            handover,
            announcements,
            Schedules(announcements.schedules(calendar)),
        ),
        listeners=(announcements.listener,),
        safety=safety,
        bus=Bus(
            [
                *(item for life in lives for item in life.registrations()),
                *offerings.registrations(),
                *waiting.registrations(),
                *safety.registrations(),
                *handover.registrations(),
            ]
        ),
    )


def load_services(settings: Settings) -> Catalogue:
    """The service catalogue with the settings of each service. Raises ConfigurationError."""
    rules = {life.name: life.rules for life in (Appointments, Membership, Announcements, OwnRecords)}
    return load_catalogue(settings.data_dir / "services", rules, settings.services)
