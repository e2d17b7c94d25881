"""A small union hall: a real database, the real declaration and wording, members who are bound and who are not."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from actions.appointments import AppointmentRecords, Appointments
from actions.blocks.vault import AesVault
from actions.core import offerings
from actions.core.catalogue import Catalogue, load_catalogue
from actions.core.commands import SYSTEM, Actor, Bus, Context, Outcome, actor_for
from actions.core.database import Database
from actions.core.errors import DomainError
from actions.core.tables import Account, Base, Member, Outgoing, RoleGrant, Unit
from actions.core.zones import at
from actions.membership import BindingRecords, Membership, passwords
from bot.wording import Wording, load_wording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.catalogue import Declaration
    from actions.core.commands import Command
    from actions.core.life import Snapshot

DATA = Path(__file__).resolve().parents[2] / "data"
#: Refusals whose sentences are not membership's.
OF_CORE = ("forbidden", "no_such_member", "unknown_service", "not_bound")
#: The hasher as it is used: the fixtures put a cheap one in its place.
REAL_HASHER = passwords._HASHER
NOW = at(date(2026, 11, 23), time(9))

# 工号, name, unit, mailbox, status, role of the unit or of all
PEOPLE = (
    ("20180312", "林一帆", "文学院", "lin@example.edu.cn", "active", ""),
    ("20210107", "孙悦", "图书馆", "sun@example.edu.cn", "active", ""),
    ("20150001", "吴敏", "图书馆", "", "active", ""),
    ("19990009", "许老", "图书馆", "xu@example.edu.cn", "left", ""),
    ("20120008", "陈静", "文学院", "", "active", "unit_officer"),
    ("20110007", "何馆", "图书馆", "", "active", "unit_officer"),
    ("20100903", "周涛", "校工会", "", "active", "union_officer"),
    ("20090001", "郑管", "校工会", "", "active", "administrator"),
)
BOUND = ("林一帆", "陈静", "何馆", "周涛", "郑管")
STAFF_ID = {name: staff_id for staff_id, name, *_ in PEOPLE}


@cache
def sentences() -> Wording:
    """The sentences of membership, as the assistant says them."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("membership", "appointments"):
            shutil.copy(DATA / "responses" / f"{name}.yml", folder)
        union = SimpleNamespace(name="校工会", phone="0516-0000-0001（示例）", office="工会办公室（示例）")
        return load_wording(Path(folder), {"union": union})


@dataclass(kw_only=True)
class World:
    """The hall. `now` is the clock of everything that happens in it."""

    database: Database
    folder: Path
    catalogue: Catalogue
    bus: Bus
    wording: Wording = field(default_factory=sentences)
    life: Membership = field(default_factory=Membership)
    vault: AesVault = field(default_factory=lambda: AesVault({"test": bytes(32)}))
    now: datetime = NOW

    @property
    def service(self) -> Declaration:
        return self.catalogue["membership"]

    def rule(self, **overrides: Any) -> None:
        """Sets rules as settings.yml would."""
        self.catalogue = catalogue_of(self.folder, overrides)

    def later(self, **passed: float) -> None:
        """Time passes."""
        self.now += timedelta(**passed)

    def context(self, session: AsyncSession, actor: Actor) -> Context:
        return Context(
            session=session,
            actor=actor,
            now=self.now,
            database=self.database,
            catalogue=self.catalogue,
            vault=self.vault,
            bus=self.bus,
            lives={"membership": self.life, "appointment": Appointments()},
            records=(AppointmentRecords(), BindingRecords()),
        )

    async def actor(self, session: AsyncSession, name: str) -> Actor:
        """A member at their own account, or the operator at the machine."""
        if name == "operator":
            return SYSTEM
        member = (await session.execute(select(Member).where(Member.name == name))).unique().scalar_one()
        return await actor_for(session, member, channel="telegram", sender=f"tg-{STAFF_ID.get(name, name)}")

    async def run(self, command: Command, name: str = "operator") -> Outcome:
        """Runs a command in a unit of work of its own; what it says can be said."""
        async with self.database.write() as session:
            context = self.context(session, await self.actor(session, name))
            outcome = await self.bus.execute(command, context)
        if command.name.startswith("membership."):
            assert self.wording.text(outcome.wording, outcome.params)
        return outcome

    async def refused(self, command: Command, name: str = "operator") -> str:
        """The code with which a command is refused; its sentence can be said, if it is one of membership's own."""
        with pytest.raises(DomainError) as caught:
            await self.run(command, name)
        error = caught.value
        if error.code not in OF_CORE:
            assert self.wording.text(f"errors.{error.code}", error.params)
        return error.code

    async def sweep(self) -> int:
        async with self.database.write() as session:
            return await self.life.sweep(self.context(session, SYSTEM))

    async def snapshots(self) -> Sequence[Snapshot]:
        async with self.database.read() as session:
            return await BindingRecords().snapshots(self.context(session, SYSTEM))

    async def rows(self, table: type[Base], *conditions: Any) -> list[Any]:
        async with self.database.read() as session:
            return list((await session.execute(select(table).where(*conditions))).unique().scalars())

    async def member(self, name: str) -> Member:
        found: Member = (await self.rows(Member, Member.name == name))[0]
        return found

    async def bound_to(self, sender: str) -> str:
        """Name of the member an account is bound to, or nothing."""
        account: Account = (await self.rows(Account, Account.sender == sender))[0]
        if account.member_id is None:
            assert account.bound_at is None
            return ""
        assert account.bound_at is not None
        return str((await self.rows(Member, Member.id == account.member_id))[0].name)

    async def said(self, wording: str = "") -> list[Said]:
        """What waits to be sent, rendered."""
        found = []
        for row in await self.rows(Outgoing, Outgoing.state == "queued"):
            content = self.vault.open(row.content, about="outgoing")
            key, params = content["parts"][0]
            text = self.wording.text(key, params)
            labels = [option["label"] for option in content["options"]]
            found.append(Said(row=row, wording=key, params=params, text=text, labels=labels))
        return [one for one in found if wording in ("", one.wording)]


@dataclass(frozen=True, kw_only=True)
class Said:
    row: Outgoing
    wording: str
    params: dict[str, Any]
    text: str
    labels: list[str]


class Sitting:
    """Somebody unbound who fills the form, as the dialogue runs it. Lines are codes; a question is `?key`."""

    def __init__(self, world: World, sender: str) -> None:
        self.world = world
        self.sender = sender
        self.values: dict[str, Any] = {}
        self.facts: dict[str, Any] = {}

    def _actor(self) -> Actor:
        return Actor(channel="telegram", sender=self.sender)

    async def begin(self) -> str:
        """Opens the form; the code of a refusal, or nothing."""
        async with self.world.database.write() as session:
            self.values = {}
            known = select(Account).where(Account.sender == self.sender)
            if (await session.execute(known)).first() is None:
                session.add(_account(self.sender, None, self.world.now))
                await session.flush()
            context = self.world.context(session, self._actor())
            try:
                self.facts = dict(await self.world.life.begin(context, self.world.service))
            except DomainError as error:
                return self._refusal(error)
        return ""

    async def say(self, **answers: str) -> list[str]:
        """One message that fills these fields, and what it is answered."""
        async with self.world.database.write() as session:
            context = self.world.context(session, self._actor())
            service = self.world.service
            self.values |= answers
            resolved = await self.world.life.resolve(context, service, self.values, answers.keys())
            self.values = dict(resolved.values)
            lines = [self._refusal(refusal) for refusal in resolved.refusals]
            for item in service.form:
                if item.key not in self.values and item.applies(self.values, self.facts):
                    return [*lines, f"?{item.key}"]
            return [*lines, await self._commit(context, service)]

    async def _commit(self, context: Context, service: Declaration) -> str:
        command = self.world.life.commit(service, self.values)
        self.values = {}
        try:
            async with context.session.begin_nested():
                outcome = await context.bus.execute(command, context)
        except DomainError as error:
            return self._refusal(error)
        assert self.world.wording.text(outcome.wording, outcome.params)
        return outcome.wording

    def _refusal(self, error: DomainError) -> str:
        assert self.world.wording.text(f"errors.{error.code}", error.params)
        return error.code

    async def try_pair(self, staff_id: str, name: str) -> list[str]:
        """Opens the form and gives both; what it is answered."""
        refusal = await self.begin()
        return [refusal] if refusal else await self.say(staff_id=staff_id, name=name)


def _account(sender: str, member_id: int | None, now: datetime) -> Account:
    return Account(
        channel="telegram",
        account="",
        sender=sender,
        conversation=f"chat-{sender}",
        member_id=member_id,
        bound_at=now if member_id else None,
        heard_at=now,
    )


def catalogue_of(folder: Path, overrides: dict[str, Any]) -> Catalogue:
    rules = {life.name: life.rules for life in (Membership, Appointments)}
    return load_catalogue(folder, rules, {"membership": overrides})


async def build(url: str) -> None:
    """Fills an empty database with the hall."""
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await _furnish(database)
    await database.close()


async def open_world(folder: Path, url: str) -> AsyncIterator[World]:
    """The hall in a database that was built before."""
    services = folder / "services"
    services.mkdir()
    for name in ("membership", "health_room"):
        shutil.copy(DATA / "services" / f"{name}.yml", services)
    lives = (Membership(), Appointments())
    bus = Bus([*(item for life in lives for item in life.registrations()), *offerings.registrations()])
    world = World(database=Database(url), folder=services, catalogue=catalogue_of(services, {}), bus=bus)
    yield world
    await world.database.close()


async def _furnish(database: Database) -> None:
    async with database.write() as session:
        units = {title: Unit(name=title) for _, _, title, *_ in PEOPLE}
        session.add_all(units.values())
        for staff_id, name, unit, email, status, role in PEOPLE:
            member = Member(staff_id=staff_id, name=name, unit=units[unit], email=email, status=status, tags=[])
            session.add(member)
            await session.flush()
            if role:
                unit_id = units[unit].id if role == "unit_officer" else None
                session.add(RoleGrant(member_id=member.id, role=role, unit_id=unit_id))
            if name in BOUND:
                session.add(_account(f"tg-{staff_id}", member.id, NOW))
