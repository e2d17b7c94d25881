"""A small union hall for the tests: a real database, the real lives and services, two counsellors, two rooms."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from actions.appointments import AppointmentRecords, Appointments
from actions.appointments.commands import Book, JoinWaitlist
from actions.blocks.vault import AesVault
from actions.core.catalogue import Catalogue, load_catalogue
from actions.core.commands import SYSTEM, Actor, Bus, Context, actor_for
from actions.core.database import Database
from actions.core.tables import Account, Base, Member, Offering, RoleGrant, Unit
from actions.core.zones import at
from actions.records import OwnRecords
from actions.safety import Safety, SafetyRules
from bot.wording import Wording, load_wording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Command, Outcome
    from actions.core.life import Choice, Resolved

DATA = Path(__file__).resolve().parents[2] / "data"
#: A Monday; the whole week consists of working days.
NOW = at(date(2026, 11, 23), time(9))
WEDNESDAY, THURSDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27)
_CONSENTS = {"counseling": {"consent": True, "contact": "林母 13900000001"}}
_SERVICES = ("counseling", "health_room", "my_items", "status", "withdraw", "reschedule")


@cache
def wording() -> Wording:
    """The sentences of these two modules, as the assistant says them."""
    union = SimpleNamespace(name="校工会", phone="0516-0000-0001（示例）", office="工会办公室（示例）")
    with _copies("responses", "records", "safety") as folder:
        return load_wording(folder, {"union": union})


@cache
def services() -> Catalogue:
    """The services that the tests use: the others belong to lives that are not here."""
    with _copies("services", *_SERVICES) as folder:
        return load_catalogue(folder, {life.name: life.rules for life in (Appointments, OwnRecords)})


@contextmanager
def _copies(kind: str, *names: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            shutil.copy(DATA / kind / f"{name}.yml", folder)
        yield Path(folder)


@dataclass(kw_only=True)
class World:
    """The hall. `people` and `rooms` are ids by name."""

    database: Database
    catalogue: Catalogue
    wording: Wording
    own: OwnRecords
    safety: Safety
    bus: Bus
    vault: AesVault = field(default_factory=lambda: AesVault({"test": bytes(32)}))
    people: dict[str, int] = field(default_factory=dict)
    rooms: dict[str, int] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def context(self, session: AsyncSession, actor: Actor, now: datetime = NOW) -> Context:
        """A unit of work's context."""
        return Context(
            session=session,
            actor=actor,
            now=now,
            database=self.database,
            catalogue=self.catalogue,
            vault=self.vault,
            bus=self.bus,
            lives={"appointment": Appointments(), "records": self.own},
            records=(AppointmentRecords(),),
        )

    async def actor(self, session: AsyncSession, name: str, **origin: Any) -> Actor:
        """A member as the one who acts; somebody not bound where the name is not known."""
        if name not in self.people:
            return Actor(**{"channel": "web", "sender": name, **origin})
        member = await session.get(Member, self.people[name])
        assert member is not None
        return await actor_for(session, member, **{"channel": "web", "sender": name, **origin})

    async def run(self, command: Command, name: str, now: datetime = NOW, **origin: Any) -> Outcome:
        """Runs a command in a unit of work of its own."""
        async with self.database.write() as session:
            context = self.context(session, await self.actor(session, name, **origin), now)
            return await self.bus.execute(command, context)

    async def sweep(self, now: datetime) -> int:
        """What falls due at a moment."""
        async with self.database.write() as session:
            return await self.safety.sweep(self.context(session, SYSTEM, now))

    def say(self, outcome: Outcome) -> str:
        """What an outcome reads like."""
        return self.wording.text(outcome.wording, outcome.params)

    async def add_person(self, name: str, *, unit: int | None = None, reachable: bool = True, **facts: Any) -> int:
        """A member; a reachable one has an account with a private chat."""
        async with self.database.write() as session:
            number = next(self._numbers)
            member = Member(staff_id=f"2018{number:04}", name=name, unit_id=unit, **facts)
            session.add(member)
            await session.flush()
            if reachable:
                session.add(Account(channel="web", sender=name, conversation=name, member_id=member.id, heard_at=NOW))
            self.people[name] = member.id
            return member.id

    async def grant(self, name: str, role: str, service: str = "") -> None:
        """Gives a role."""
        async with self.database.write() as session:
            session.add(RoleGrant(member_id=self.people[name], role=role, service=service))

    async def add_room(self, service: str, title: str, **spec: Any) -> int:
        """An open calendar."""
        async with self.database.write() as session:
            offering = Offering(service=service, title=title, spec=spec)
            session.add(offering)
            await session.flush()
            self.rooms[title] = offering.id
            return offering.id

    async def book(self, who: str, title: str, start: datetime, now: datetime = NOW, **more: Any) -> str:
        """A booking; returns its ref."""
        async with self.database.read() as session:
            offering = await session.get(Offering, self.rooms[title])
            assert offering is not None
        service = offering.service
        command = Book(
            service=service, offering_id=offering.id, starts_at=start, consent=_CONSENTS.get(service, {}), **more
        )
        return (await self.run(command, who, now)).subject

    async def wait(self, who: str, service: str, low: datetime, high: datetime | None = None, **more: Any) -> str:
        """A place on the waitlist for a time, or for any that begins until `high`; returns its ref."""
        command = JoinWaitlist(
            service=service,
            window_start=low,
            window_end=high or low + timedelta(minutes=1),
            consent=_CONSENTS.get(service, {}),
            **more,
        )
        return (await self.run(command, who)).subject

    async def resolve(
        self, service: str, who: str, values: Mapping[str, Any], *changed: str, now: datetime = NOW
    ) -> Resolved:
        """What becomes of a form's values; all of them were just said where `changed` names none."""
        async with self.database.write() as session:
            context = self.context(session, await self.actor(session, who), now)
            return await self.own.resolve(context, self.catalogue[service], values, changed or tuple(values))

    async def choices(
        self, service: str, who: str, values: Mapping[str, Any], key: str, now: datetime = NOW
    ) -> tuple[Choice, ...]:
        """What is offered for a field."""
        async with self.database.write() as session:
            context = self.context(session, await self.actor(session, who), now)
            return await self.own.choices(context, self.catalogue[service], values, key)

    async def begin(self, service: str, who: str, now: datetime = NOW) -> Mapping[str, Any]:
        """Opens a service."""
        async with self.database.write() as session:
            return await self.own.begin(
                self.context(session, await self.actor(session, who), now), self.catalogue[service]
            )


@asynccontextmanager
async def new_world(folder: Path, url: str = "") -> AsyncIterator[World]:
    """A hall with two members and nobody on the duty list; `url` is a database other than a file in the folder."""
    database = Database(url or f"sqlite+aiosqlite:///{folder / 'hall.db'}")
    own = OwnRecords([AppointmentRecords()])
    safety = Safety(SafetyRules(campus_line="0516-0000-0000（示例）"), wording().text)
    bus = Bus([*Appointments().registrations(), *own.registrations(), *safety.registrations()])
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        world = World(database=database, catalogue=services(), wording=wording(), own=own, safety=safety, bus=bus)
        async with database.write() as session:
            session.add_all([Unit(id=1, name="文学院"), Unit(id=2, name="机电学院")])
        await world.add_person("林一帆", unit=1, phone="13800000001")
        await world.add_person("王敏", unit=2, phone="13800000002")
        yield world
    finally:
        await database.close()


_COUNSELLING = {"hours": [{"start": "09:00", "end": "11:00"}, {"start": "14:00", "end": "18:00"}]}
_DAILY = {"hours": [{"start": "08:00", "end": "22:00"}], "works": "daily"}


async def furnish(world: World) -> None:
    """何医生 and 高老师, who see people on working days; the yoga room and a hall that needs approval when full."""
    await world.add_room("counseling", "何医生", **_COUNSELLING)
    await world.add_room("counseling", "高老师", **_COUNSELLING)
    await world.add_room("health_room", "瑜伽室", capacity=10, **_DAILY)
    await world.add_room("health_room", "多功能室", capacity=60, **_DAILY)


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of a day in Shanghai."""
    return at(day, time(hour, minute))


def wish(start: datetime, end: datetime | None = None, text: str = "", **more: Any) -> dict[str, Any]:
    """A time mention as forms hold it: a point where there is no end."""
    return {
        "start": start.isoformat(),
        "end": (end or start).isoformat(),
        "kind": "span" if end else "point",
        "text": text or f"{start:%m-%d %H:%M}{'起' if end else ''}",
        "day_named": True,
        "clock_named": end is None,
        **more,
    }


def whole(day: date, text: str = "", **more: Any) -> dict[str, Any]:
    """A mention of a whole day."""
    return wish(at(day, time()), at(day, time()) + timedelta(days=1), text, **more)
