"""The demo world: people, units, what runs in it. Everything in it is 示例, and comes from data/demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, RootModel
from sqlalchemy import select

from actions.core.commands import SYSTEM
from actions.core.offerings import CreateOffering
from actions.core.tables import Account, Member, RoleGrant, Unit
from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.database import Database
    from bot.gateway import House

#: Channels on which the demo's people are known by their 工号.
CHANNELS = ("web", "terminal")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemoRole(_Part):
    """A role of somebody in the demo world."""

    role: str
    service: str = ""
    unit: str = ""


class DemoMember(_Part):
    """Somebody in the demo world."""

    staff_id: str
    name: str
    sex: str
    unit: str
    phone: str
    bound: bool = True
    tags: tuple[str, ...] = ()
    roles: tuple[DemoRole, ...] = ()


class DemoOffering(_Part):
    """What runs in the demo world: a calendar, a call, an event; its spec is checked by its life."""

    service: str
    title: str
    campus: str = ""
    owner: str = ""
    spec: dict[str, Any]


class _Offerings(RootModel[tuple[DemoOffering, ...]]):
    """A file of demo/offerings."""


class World(_Part):
    """The whole demo world; `default` is who speaks where nobody is named."""

    units: tuple[str, ...]
    default: str
    members: tuple[DemoMember, ...]
    offerings: tuple[DemoOffering, ...] = ()

    def sender(self, name: str) -> str:
        """The sender of a person, on every channel of the demo. Raises KeyError for nobody of that name."""
        for member in self.members:
            if member.name == name:
                return member.staff_id
        raise KeyError(name)


def load_world(data_dir: Path) -> World:
    """Reads the demo world. Raises ConfigurationError with file and line."""
    people = YamlFile(data_dir / "demo" / "world.yml").validate(World)
    return people.model_copy(update={"offerings": tuple(found for *_, found in read_offerings(data_dir))})


def read_offerings(data_dir: Path) -> Iterator[tuple[YamlFile, int, DemoOffering]]:
    """What runs in the demo world, with its file and its place there. Raises ConfigurationError with file and line."""
    for path in sorted((data_dir / "demo" / "offerings").glob("*.yml")):
        file = YamlFile(path)
        for number, offering in enumerate(file.validate(_Offerings).root):
            yield file, number, offering


async def fill(house: House, world: World, now: datetime) -> None:
    """Fills an empty database with the demo world, in one transaction."""
    async with house.database.write() as session:
        units = {name: Unit(name=name) for name in world.units}
        session.add_all(units.values())
        await session.flush()
        for person in world.members:
            await _add_member(session, person, units, now)
        context = house.context(session, SYSTEM, now)
        for offering in world.offerings:
            await context.bus.execute(CreateOffering(**offering.model_dump(), example=True), context)


async def _add_member(session: AsyncSession, person: DemoMember, units: dict[str, Unit], now: datetime) -> None:
    member = Member(
        staff_id=person.staff_id,
        name=person.name,
        sex=person.sex,
        unit_id=units[person.unit].id,
        phone=person.phone,
        tags=list(person.tags),
    )
    session.add(member)
    await session.flush()
    session.add_all(
        RoleGrant(
            member_id=member.id,
            role=grant.role,
            service=grant.service,
            unit_id=units[grant.unit].id if grant.unit else None,
        )
        for grant in person.roles
    )
    session.add_all(
        _account(channel, person.staff_id, member.id if person.bound else None, now) for channel in CHANNELS
    )


def _account(channel: str, sender: str, member_id: int | None, now: datetime) -> Account:
    """An account whose private conversation is known, as if the person had spoken before."""
    return Account(
        channel=channel,
        account="",
        sender=sender,
        conversation=sender,
        member_id=member_id,
        bound_at=now if member_id else None,
        heard_at=now,
    )


async def is_demo(database: Database, world: World) -> bool:
    """Whether a database holds the demo world and nobody else: only there may a visitor choose who to be."""
    ours = {member.staff_id for member in world.members}
    async with database.read() as session:
        found = set((await session.execute(select(Member.staff_id))).scalars())
    return ours <= found and all(name in ours or name.startswith("demo-") for name in found)


async def add_members(house: House, count: int, now: datetime) -> tuple[str, str]:
    """Adds bound members `demo-1`…`demo-N` of the web channel; returns the first and the last new sender."""
    async with house.database.write() as session:
        names = (await session.execute(select(Member.staff_id).where(Member.staff_id.like("demo-%")))).scalars()
        taken = max((int(name.removeprefix("demo-")) for name in names), default=0)
        numbers = range(taken + 1, taken + count + 1)
        members = [Member(staff_id=f"demo-{n}", name=f"示例{n}", phone=f"1370{n:07d}", tags=[]) for n in numbers]
        session.add_all(members)
        await session.flush()
        session.add_all(_account("web", member.staff_id, member.id, now) for member in members)
    return f"demo-{numbers.start}", f"demo-{numbers.stop - 1}"


#: 工号 and name of the demo's union officer, who gets the first password.
OFFICER = ("20100903", "周涛")
