"""What the assistant can do, put together: the lives and the rest of actions/, their commands and what they sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actions.activities import Activities, ActivityRecords, ActivityRegistrants, ActivityRosters
from actions.activities.allotting import Allotment
from actions.activities.certificates import CertificateListener, Certificates
from actions.activities.closing import Closing
from actions.activities.contest_listening import ContestListener
from actions.activities.contests import Rounds
from actions.activities.deciding_listening import DecidingListener
from actions.activities.doors import DoorListener, Doors
from actions.activities.draws import Draws
from actions.activities.jielong import JielongDesk
from actions.activities.jielong_listening import JielongListener
from actions.activities.life import BLOCKS
from actions.activities.listening import AskingListener
from actions.activities.report_form import ReportForm
from actions.activities.reporting import Reports
from actions.activities.results import Results
from actions.activities.roster_listening import RosterListener
from actions.activities.sports_facts import SportsFacts
from actions.activities.surveys import Surveys
from actions.announcements import AnnouncementRecords, Announcements, load_calendar, load_topics
from actions.appointments import AppointmentRecords, AppointmentRegistrants, Appointments
from actions.blocks.materials_made import Shelf
from actions.cases import CaseRecords, Cases
from actions.core import offerings, waiting
from actions.core.catalogue import Catalogue, load_catalogue
from actions.core.commands import Bus
from actions.core.schedules import Schedules
from actions.core.tables import Base
from actions.core.yamlfile import YamlFile
from actions.fixtures.sports import load_sports
from actions.handover import HandoverDesk, HandoverRules
from actions.held import HeldData, load_kinds
from actions.knowledge import KnowledgeRules, Library, Questions
from actions.membership import BindingRecords, Membership, PreferenceListener, load_channel_names
from actions.records import OwnRecords
from actions.safety import Safety, SafetyRules
from bot.files import FolderStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from actions.activities.blocks import Block
    from actions.core.hearing import Listener
    from actions.core.life import Life, Records, Sweeper
    from bot.settings import Settings
    from bot.wording import Wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Lives:
    """The lives by name, the catalogue of their services, and what goes with them.

    `questions` know the passages.
    """

    catalogue: Catalogue
    by_name: Mapping[str, Life]
    records: tuple[Records, ...]
    sweepers: tuple[Sweeper, ...]
    listeners: tuple[Listener, ...]
    safety: Safety
    bus: Bus
    questions: Questions


def lives_of(settings: Settings, wording: Wording) -> Lives:
    """The lives and the rest of actions/, with their commands. Raises ConfigurationError."""
    appointments, membership = Appointments(), Membership()
    registrants = (ActivityRegistrants(), AppointmentRegistrants())
    topics = load_topics(settings.data_dir)
    shelf = Shelf(FolderStore(settings.files_dir))
    activities = Activities((*BLOCKS, Doors(shelf), *_of_events(settings, wording, shelf)))
    announcements = Announcements(
        topics, wording.text, shelf=shelf, registrants=registrants, rosters=(ActivityRosters(),)
    )
    calendar = load_calendar(settings.data_dir, topics)
    cases = Cases(encode)
    records: tuple[Records, ...] = (
        AppointmentRecords(),
        ActivityRecords(),
        CaseRecords(),
        BindingRecords(),
        AnnouncementRecords(),
    )
    safety = Safety(SafetyRules(**settings.safety.model_dump()), wording.text)
    handover = HandoverDesk(HandoverRules(**settings.handover.model_dump()), wording.text)
    questions = _questions(settings, wording)
    own = OwnRecords(records)
    lives: tuple[Life, ...] = (activities, appointments, cases, membership, announcements, questions, own)
    return Lives(
        catalogue=load_services(settings),
        by_name={life.name: life for life in lives},
        records=records,
        sweepers=(
            activities,
            appointments,
            cases,
            membership,
            safety,
            handover,
            announcements,
            questions,
            Schedules(announcements.schedules(calendar)),
        ),
        listeners=(
            DoorListener(),
            JielongListener(),
            AskingListener(),
            DecidingListener(),
            ContestListener(),
            RosterListener(),
            CertificateListener(),
            announcements.listener,
            PreferenceListener(load_channel_names(settings.data_dir)),
        ),
        safety=safety,
        bus=Bus(
            [
                *(item for life in lives for item in life.registrations()),
                *offerings.registrations(),
                *waiting.registrations(),
                *safety.registrations(),
                *handover.registrations(),
                *HeldData(load_kinds(settings.data_dir, Base.metadata), Base.metadata, shelf).registrations(),
            ]
        ),
        questions=questions,
    )


def _of_events(settings: Settings, wording: Wording, shelf: Shelf) -> tuple[Block, ...]:
    """Draws and results, 接龙, closing: what officers do around an activity."""
    sports = load_sports(settings.data_dir)
    return (
        Draws(sports, wording.text),
        Results(sports, wording.text),
        JielongDesk(wording.text, shelf, settings.http.public_url),
        Closing(sports, wording.text, shelf),
        Surveys(wording.text, shelf),
        Allotment(shelf),
        Rounds(wording.text, shelf),
        Reports(wording.text, shelf),
        ReportForm(),
        Certificates(wording.text, shelf),
    )


def _questions(settings: Settings, wording: Wording) -> Questions:
    """Answers out of data/knowledge and, of sport, out of the records; labels are written into var/, for review."""
    library = Library(settings.data_dir / "knowledge", encode, settings.var_dir / "knowledge")
    rules = KnowledgeRules(**settings.knowledge.model_dump())
    intents = YamlFile(settings.data_dir / "intents.yml").data["intents"]
    meanings = {name: entry["means"] for name, entry in intents.items()}
    facts = SportsFacts(load_sports(settings.data_dir), wording.text)
    return Questions(library, rules, intents=meanings, folder=settings.var_dir / "review", sources=(facts,))


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """The NLU's sentence vectors, as the passages are searched with."""
    from nlu import vectors  # noqa: PLC0415 - numpy and the weights are for those who are asked
    from nlu.text import normalise  # noqa: PLC0415

    return vectors.shipped().encode([normalise(text) for text in texts])


def load_services(settings: Settings) -> Catalogue:
    """The service catalogue with the settings of each service. Raises ConfigurationError."""
    lives = (Activities, Appointments, Cases, Membership, Announcements, Questions, OwnRecords)
    return load_catalogue(settings.data_dir / "services", {life.name: life.rules for life in lives}, settings.services)
