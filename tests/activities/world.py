"""A small union field: the real declarations, the real bus, a real database; a lecture, events, a cup, a club."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select

from actions.activities import Activities, ActivityRecords
from actions.activities.allotting import Allotment
from actions.activities.commands import Register
from actions.activities.contests import Rounds
from actions.activities.doors import Doors
from actions.activities.life import BLOCKS
from actions.activities.reporting import Reports
from actions.activities.surveys import Surveys
from actions.activities.tables import Entry, Place
from actions.blocks.materials_made import Shelf
from actions.blocks.vault import AesVault
from actions.core import offerings
from actions.core.commands import SYSTEM, Actor, Bus, Context, actor_for
from actions.core.database import Database
from actions.core.errors import DomainError
from actions.core.tables import Base, Member, Offering, Outgoing, RoleGrant, Unit
from actions.core.zones import at
from bot.files import FolderStore
from bot.lives import load_services
from bot.settings import ROOT, Settings
from bot.wording import Wording, load_wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.blocks import Block
    from actions.core.catalogue import Catalogue
    from actions.core.commands import Command, Outcome

T = TypeVar("T", bound=Base)

#: A Monday; the lecture is on Wednesday, the festival in two weeks.
NOW = at(date(2026, 11, 23), time(9))
LECTURE_AT = at(date(2026, 11, 25), time(14, 30))
FESTIVAL_AT = at(date(2026, 12, 5), time(8, 30))
CHOICE_ENDS = at(date(2026, 12, 1), time(17))
OFFICER, UNIT_OFFICER, LEADER, OWNER = "周涛", "陈静", "赵磊", "罗永康"
#: name: sex, unit. 文学院 has five members, 机电学院 four.
PEOPLE: Mapping[str, tuple[str, str]] = {
    "林一帆": ("男", "文学院"),
    UNIT_OFFICER: ("女", "文学院"),
    "张建国": ("男", "文学院"),
    "朱思远": ("男", "文学院"),
    "郑凯文": ("男", "文学院"),
    "王敏": ("女", "机电学院"),
    "李秀芳": ("女", "机电学院"),
    "刘志强": ("男", "机电学院"),
    LEADER: ("男", "机电学院"),
    OFFICER: ("男", "校工会"),
    OWNER: ("女", "校工会"),
}
_ROLES = ((OFFICER, "union_officer", ""), (UNIT_OFFICER, "unit_officer", "文学院"), (LEADER, "club_leader", ""))


def _session(start: datetime, hours: float = 2) -> dict[str, str]:
    return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=hours)).isoformat(), "place": "报告厅"}


_FESTIVAL = {
    "group": "体育文化节",
    "sessions": [_session(FESTIVAL_AT)],
    "closes_at": (FESTIVAL_AT - timedelta(days=5)).isoformat(),
}
OFFERINGS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "讲座": ("lectures", {"sessions": [_session(LECTURE_AT)], "quota": {"total": 3, "unit": 2}}),
    "团辅": ("group_counseling", {"sessions": [_session(LECTURE_AT)], "quota": {"total": 1}}),
    "插花": ("tailored", {"sessions": [_session(LECTURE_AT)], "eligibility": {"sexes": ["女"]}}),
    "联谊": ("singles", {"sessions": [_session(LECTURE_AT)]}),
    "青教赛": ("contests", {"quota": {"unit": 1}}),
    "辅导员赛": (
        "contests",
        {
            "sessions": [_session(FESTIVAL_AT), _session(FESTIVAL_AT + timedelta(days=7))],
            "closes_at": (FESTIVAL_AT - timedelta(days=2)).isoformat(),
            "rounds": [{"title": "初赛", "through": 2}, {"title": "复审", "by": "pass", "honour": "拟推荐人选"}],
        },
    ),
    "跳绳": ("sports_festival", _FESTIVAL),
    "男子100米": ("sports_festival", {**_FESTIVAL, "eligibility": {"sexes": ["男"]}}),
    "双打": ("sports_festival", {**_FESTIVAL, "entry": "pair", "quota": {"total": 1}}),
    "接力": ("sports_festival", {**_FESTIVAL, "entry": "relay", "team": {"minimum": 2, "maximum": 3}}),
    "篮球": (
        "gardener_cup",
        {
            **_FESTIVAL,
            "entry": "team",
            "team": {"minimum": 2, "maximum": 4, "at_least": {"女": 1}, "joint_under": 5},
            "locks_at": (FESTIVAL_AT - timedelta(days=3)).isoformat(),
        },
    ),
    "羽毛球协会": ("clubs", {"standing": True}),
    "元旦福利": (
        "benefits",
        {
            "closes_at": CHOICE_ENDS.isoformat(),
            "pickup_from": (CHOICE_ENDS + timedelta(days=3)).isoformat(),
            "eligibility": {"enrolled_by": "2026-11-01"},
            "options": [{"title": "粮油", "default": True}, {"title": "坚果", "stock": 1}, {"title": "牛奶"}],
        },
    ),
    "推进会": (
        "meetings",
        {
            "sessions": [_session(FESTIVAL_AT)],
            "closes_at": CHOICE_ENDS.isoformat(),
            "eligibility": {"roles": ["unit_officer", "union_officer"], "staff_ids": ["20180005"]},
            "quota": {"total": 2},
        },
    ),
}
#: No file is made on a field.
NO_SHELF = Shelf(FolderStore(ROOT / "var" / "none"))
#: Who answers for which offering.
OWNERS = {
    "羽毛球协会": LEADER,
    "团辅": OWNER,
    "讲座": OWNER,
    "元旦福利": OWNER,
    "联谊": OWNER,
    "推进会": OWNER,
    "辅导员赛": OWNER,
}


@functools.cache
def catalogue() -> Catalogue:
    """The services of this life, as they are declared."""
    every = load_services(Settings())
    return type(every)({service.id: service for service in every if service.life == "activity"})


@functools.cache
def wording() -> Wording:
    """Every sentence of the assistant."""
    union = {"name": "校工会", "phone": "0516-0000-0001（示例）", "office": "工会办公室（示例）"}
    return load_wording(ROOT / "data" / "responses", {"union": union})


def blocks() -> tuple[Block, ...]:
    """The blocks that make no files."""
    return (
        *BLOCKS,
        Doors(),
        Reports(wording().text, NO_SHELF),
        Rounds(wording().text, NO_SHELF),
        Surveys(),
        Allotment(),
    )


@dataclass(kw_only=True)
class Field:
    """The field; `people` and `things` are ids by name, `now` is moved by the test."""

    database: Database
    life: Activities = field(default_factory=lambda: Activities(blocks()))
    vault: AesVault = field(default_factory=lambda: AesVault({"test": bytes(32)}))
    people: dict[str, int] = field(default_factory=dict)
    staff: dict[str, str] = field(default_factory=dict)
    things: dict[str, int] = field(default_factory=dict)
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
            catalogue=catalogue(),
            vault=self.vault,
            bus=self.bus,
            lives={"activity": self.life},
            records=(ActivityRecords(),),
        )

    async def actor(self, session: Any, name: str) -> Actor:
        """A member, or the system for an empty name."""
        if not name:
            return SYSTEM
        return await actor_for(session, await session.get(Member, self.people[name]), channel="web", sender=name)

    async def run(self, command: Command, who: str = "") -> Outcome:
        """Runs a command in a unit of work of its own; what it says can be said."""
        async with self.database.write() as session:
            outcome = await self.bus.execute(command, self.context(session, await self.actor(session, who)))
        said = [(outcome.wording, outcome.params), *outcome.more]
        self.reply = "\n".join(wording().text(key, params) for key, params in said)
        return outcome

    async def refused(self, command: Command, who: str = "") -> str:
        """The code with which a command is refused ("" where it is not); what is said of it can be said."""
        try:
            await self.run(command, who)
        except DomainError as error:
            self.reply = wording().text(f"errors.{error.code}", error.params)
            return error.code
        return ""

    def enrolment(self, title: str, *people: str, **more: Any) -> Register:
        """The command that signs up for an offering: who acts, or the people."""
        return Register(
            service=OFFERINGS[title][0],
            offering_id=self.things[title],
            people=tuple(self.staff[name] for name in people),
            **more,
        )

    async def enrol(self, who: str, title: str, *people: str, **more: Any) -> int:
        """Signs up; returns the entry's id."""
        outcome = await self.run(self.enrolment(title, *people, **more), who)
        return int(outcome.subject.partition(":")[2])

    async def sweep(self) -> int:
        """What falls due by itself."""
        async with self.database.write() as session:
            return await self.life.sweep(self.context(session, SYSTEM))

    # --- looking

    async def all(self, table: type[T], *where: Any) -> Sequence[T]:
        """Rows in the order of their keys."""
        async with self.database.read() as session:
            query = select(table).where(*where).order_by(*table.__mapper__.primary_key)
            return list((await session.execute(query)).unique().scalars())

    async def state(self, entry_id: int) -> str:
        """State of an entry."""
        return (await self.all(Entry, Entry.id == entry_id))[0].state

    async def states(self, title: str) -> list[str]:
        """States of an offering's entries, in their order."""
        return [row.state for row in await self.all(Entry, Entry.offering_id == self.things[title])]

    async def places(self, title: str) -> int:
        """How many places of an offering are taken."""
        return len(await self.all(Place, Place.offering_id == self.things[title]))

    async def texts(self, who: str, key: str = "enrolment.") -> list[str]:
        """What a member is going to read."""
        found = []
        for row in await self.all(Outgoing, Outgoing.state == "queued", Outgoing.member_id == self.people[who]):
            name, params = self.vault.open(row.content, about="outgoing")["parts"][0]
            if name.startswith(key):
                found.append(wording().text(name, params))
        return found

    async def fill(self) -> Field:
        """Makes the tables, the people and the offerings."""
        async with self.database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with self.database.write() as session:
            units = {name: Unit(name=name) for name in sorted({unit for _sex, unit in PEOPLE.values()})}
            session.add_all(units.values())
            await session.flush()
            for number, (name, (sex, unit)) in enumerate(PEOPLE.items()):
                member = Member(staff_id=f"2018{number:04}", name=name, sex=sex, unit_id=units[unit].id)
                session.add(member)
                await session.flush()
                self.people[name], self.staff[name] = member.id, member.staff_id
            session.add_all(
                RoleGrant(member_id=self.people[name], role=role, unit_id=units[unit].id if unit else None)
                for name, role, unit in _ROLES
            )
            for title, (service, spec) in OFFERINGS.items():
                owner = self.people.get(OWNERS.get(title, ""))
                checked = self.life.spec.model_validate(spec).model_dump(mode="json")
                offering = Offering(service=service, title=title, spec=checked, owner_id=owner, example=True)
                session.add(offering)
                await session.flush()
                self.things[title] = offering.id
        return self


async def open_field(url: str = "sqlite+aiosqlite://") -> Field:
    """A field on a database that is empty yet."""
    return await Field(database=Database(url)).fill()
