"""A small union hall: the real declarations, the real bus, a real database; two counsellors and three rooms."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, select, update

from actions.appointments import AppointmentRecords, Appointments
from actions.appointments.commands import Book, Hold, JoinWaitlist
from actions.appointments.tables import Appointment, Seat, Waiting
from actions.blocks.vault import AesVault
from actions.core import offerings
from actions.core.catalogue import Catalogue
from actions.core.commands import SYSTEM, Actor, Bus, Context, actor_for
from actions.core.database import Database
from actions.core.errors import DomainError
from actions.core.tables import Audit, Base, Member, Offering, Outgoing, Prompt, RoleGrant
from actions.core.zones import at
from bot.lives import load_services
from bot.settings import ROOT, Settings
from bot.wording import Wording, load_wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.commands import Command, Outcome

T = TypeVar("T", bound=Base)

#: A Monday; the whole week consists of working days.
NOW = at(date(2026, 11, 23), time(9))
TUESDAY, WEDNESDAY, THURSDAY = date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 26)
CONSENT = {"consent": True, "contact": "林母 13900000001"}
SECRET = "最近睡不好"
OFFICER, LEADER = "周涛", "赵磊"
#: Who answers for which calendar.
OWNERS = {"何医生": "何医生", "高老师": "高老师", "多功能室": "黄海涛"}
MEMBERS = ("林一帆", "王敏", "陈静", "孙悦", "刘洋", "张建国")
_ROLES = {OFFICER: "union_officer", LEADER: "club_leader"}
_AFTERNOON = {"hours": [{"start": "14:00", "end": "16:00"}]}
CALENDARS: dict[str, tuple[str, dict[str, Any]]] = {
    "何医生": ("counseling", {**_AFTERNOON, "allows": {"mode": ["线上", "线下"], "campus": ["南湖校区"]}}),
    "高老师": ("counseling", {**_AFTERNOON, "allows": {"mode": ["线上", "线下"], "campus": ["南湖校区", "文昌校区"]}}),
    "多功能室": ("health_room", {**_AFTERNOON, "works": "daily", "capacity": 60, "key": "钥匙找值班室"}),
    "阅览室": ("health_room", {**_AFTERNOON, "works": "daily", "capacity": 6, "shared": True}),
    "瑜伽室": ("health_room", {**_AFTERNOON, "works": "daily", "capacity": 20}),
}


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of a day in Shanghai."""
    return at(day, time(hour, minute))


def catalogue(overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Catalogue:
    """The two services of this life, as they are declared."""
    every = load_services(Settings(services={name: dict(rules) for name, rules in (overrides or {}).items()}))
    return Catalogue({service.id: service for service in every if service.life == "appointment"})


@functools.cache
def wording() -> Wording:
    """Every sentence of the assistant."""
    union = {"name": "校工会", "phone": "0516-0000-0001（示例）", "office": "工会办公室（示例）"}
    return load_wording(ROOT / "data" / "responses", {"union": union})


@dataclass(kw_only=True)
class Hall:
    """The hall; `people` and `rooms` are ids by name, `now` is moved by the test."""

    database: Database
    catalogue: Catalogue
    life: Appointments = field(default_factory=Appointments)
    vault: AesVault = field(default_factory=lambda: AesVault({"test": bytes(32)}))
    people: dict[str, int] = field(default_factory=dict)
    rooms: dict[str, int] = field(default_factory=dict)
    now: datetime = NOW
    reply: str = ""

    def __post_init__(self) -> None:
        self.bus = Bus([*self.life.registrations(), *offerings.registrations()])

    def context(self, session: Any, actor: Actor) -> Context:
        """A unit of work's context."""
        return Context(
            session=session,
            actor=actor,
            now=self.now,
            database=self.database,
            catalogue=self.catalogue,
            vault=self.vault,
            bus=self.bus,
            lives={"appointment": self.life},
            records=(AppointmentRecords(),),
        )

    async def actor(self, session: Any, name: str) -> Actor:
        """A member, or the system for an empty name."""
        if not name:
            return SYSTEM
        return await actor_for(session, await session.get(Member, self.people[name]), channel="web", sender=name)

    async def run(self, command: Command, who: str = "") -> Outcome:
        """Runs a command in a unit of work of its own."""
        async with self.database.write() as session:
            outcome = await self.bus.execute(command, self.context(session, await self.actor(session, who)))
        self.reply = wording().text(outcome.wording, outcome.params)
        return outcome

    async def refused(self, command: Command, who: str = "") -> str:
        """The code with which a command is refused; what is said of it can be said."""
        try:
            await self.run(command, who)
        except DomainError as error:
            self.reply = wording().text(f"errors.{error.code}", error.params)
            return error.code
        return ""

    async def sweep(self) -> int:
        """What falls due by itself."""
        async with self.database.write() as session:
            return await self.life.sweep(self.context(session, SYSTEM))

    def pass_time(self, **duration: float) -> None:
        """Moves the clock."""
        self.now += timedelta(**duration)

    async def fill(self) -> Hall:
        """Makes the tables, the people and the calendars."""
        async with self.database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with self.database.write() as session:
            for number, name in enumerate((*MEMBERS, *OWNERS.values(), OFFICER, LEADER)):
                member = Member(staff_id=f"2018{number:04}", name=name)
                session.add(member)
                await session.flush()
                self.people[name] = member.id
            session.add_all(RoleGrant(member_id=self.people[name], role=role) for name, role in _ROLES.items())
            for title, (service, spec) in CALENDARS.items():
                owner = self.people.get(OWNERS.get(title, ""))
                offering = Offering(service=service, title=title, spec=dict(spec), owner_id=owner, example=True)
                session.add(offering)
                await session.flush()
                self.rooms[title] = offering.id
        return self

    # --- the short way to the commands

    def service_of(self, title: str) -> str:
        """The service that a calendar belongs to."""
        return CALENDARS[title][0]

    async def hold(self, who: str, title: str, start: datetime, **more: Any) -> Outcome:
        """A hold."""
        command = Hold(service=self.service_of(title), offering_id=self.rooms[title], starts_at=start, **more)
        return await self.run(command, who)

    async def book(self, who: str, title: str, start: datetime, **more: Any) -> int:
        """A booking; returns the appointment's id."""
        service = self.service_of(title)
        command = Book(
            service=service,
            offering_id=self.rooms[title],
            starts_at=start,
            **{"consent": CONSENT if service == "counseling" else {}, **more},
        )
        return int((await self.run(command, who)).subject.partition(":")[2])

    async def wait(self, who: str, service: str, low: datetime, high: datetime, **more: Any) -> int:
        """A place on the waitlist; returns its id."""
        command = JoinWaitlist(
            service=service,
            window_start=low,
            window_end=high,
            **{"consent": CONSENT if service == "counseling" else {}, **more},
        )
        return int((await self.run(command, who)).subject.partition(":")[2])

    # --- looking

    async def all(self, table: type[T], *where: Any) -> Sequence[T]:
        """Rows in the order of their keys."""
        async with self.database.read() as session:
            query = select(table).where(*where).order_by(*table.__mapper__.primary_key)
            return list((await session.execute(query)).unique().scalars())

    async def appointment(self, number: int) -> Appointment:
        """One appointment as it is now."""
        return (await self.all(Appointment, Appointment.id == number))[0]

    async def states(self) -> dict[int, str]:
        """Appointments' states by id."""
        return {row.id: row.state for row in await self.all(Appointment)}

    async def waits(self) -> list[str]:
        """States of the places on the waitlist, in its order."""
        return [row.state for row in await self.all(Waiting)]

    async def seats(self) -> int:
        """How many seats are taken."""
        async with self.database.read() as session:
            return (await session.execute(select(func.count()).select_from(Seat))).scalar_one()

    async def queued(self, wording: str = "", *, ever: bool = False) -> list[tuple[Outgoing, str, dict[str, Any]]]:
        """What waits to be said (what was ever to be said): row, wording and parameters."""
        found = []
        for row in await self.all(Outgoing, *(() if ever else (Outgoing.state == "queued",))):
            key, params = self.vault.open(row.content, about="outgoing")["parts"][0]
            if key.startswith(wording):
                found.append((row, key, params))
        return found

    async def told(self, who: str, wording: str = "notices.") -> list[str]:
        """Wordings that wait for a member."""
        return [key for row, key, _params in await self.queued(wording) if row.member_id == self.people[who]]

    async def texts(self, who: str, key: str = "notices.") -> list[str]:
        """What a member is going to read."""
        rows = await self.queued(key)
        return [wording().text(name, params) for row, name, params in rows if row.member_id == self.people[who]]

    async def reminders(self, number: int) -> list[datetime]:
        """When an appointment's reminders are due."""
        rows = await self.queued("notices.remind")
        return sorted(row.due_at for row, _key, _params in rows if row.subject == f"appointment:{number}")

    async def open_prompts(self, who: str) -> list[Prompt]:
        """Questions that a member can answer."""
        mine = Prompt.member_id == self.people[who], Prompt.closed_at.is_(None)
        return list(await self.all(Prompt, *mine))

    async def audit(self) -> list[Audit]:
        """The audit, oldest first."""
        return list(await self.all(Audit))

    async def change(self, table: type[Base], key: int, **values: Any) -> None:
        """Sets columns past the commands, as a test's beginning."""
        async with self.database.write() as session:
            await session.execute(update(table).where(table.__mapper__.primary_key[0] == key).values(**values))


async def open_hall(url: str = "sqlite+aiosqlite://", services: Catalogue | None = None) -> Hall:
    """A hall on a database that is empty yet."""
    return await Hall(database=Database(url), catalogue=services or catalogue()).fill()
