"""A post office: members, a queue, and a platform in the same process that keeps what it is given."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import Environment
from sqlalchemy import select

from actions.blocks.vault import AesVault
from actions.core.batches import Mailing, Tally, add_members, open_batch, tally
from actions.core.catalogue import Catalogue
from actions.core.commands import SYSTEM, Bus, Context
from actions.core.database import Database
from actions.core.notify import Notice, notify
from actions.core.tables import Account, Base, Member, Outgoing
from actions.core.zones import SHANGHAI
from bot.channels.web import WebChannel
from bot.delivery import Delivery
from bot.messages import Receipt, SendError, Senders
from bot.wording import Sentence, Wording
from tests.conftest import MovableClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncSession

    from bot.delivery import Limits, Rules
    from bot.messages import Outbound, Sender

CHANNEL = "post"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)
WORDING = Wording(Environment(autoescape=True), {"say": Sentence(text="{{ text }}", place="here")})


@dataclass(kw_only=True)
class Recorder:
    """A channel that keeps what it took, and when. `refuse` may raise what the platform says of a message."""

    clock: MovableClock
    refuse: Callable[[Outbound], None] = lambda _message: None
    name: str = CHANNEL
    pulled: bool = False
    confirmed: bool = True
    took: list[tuple[datetime, str, str]] = field(default_factory=list)
    calls: int = 0
    gate: asyncio.Event | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, message: Outbound) -> Receipt:
        """Takes a message; while there is a gate that is shut, it takes its time."""
        self.calls += 1
        await self._tell()
        if self.gate is not None:
            await self.gate.wait()
        self.refuse(message)
        self.took.append((self.clock(), message.address.conversation, message.text))
        await self._tell()
        return Receipt(confirmed=self.confirmed)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Waits until something has happened here."""
        async with self.changed:
            await self.changed.wait_for(reached)

    @property
    def texts(self) -> list[str]:
        """What was said, in order."""
        return [text for _, _, text in self.took]

    @property
    def heard(self) -> Counter[str]:
        """How many messages each conversation got."""
        return Counter(conversation for _, conversation, _ in self.took)


@dataclass(kw_only=True)
class Office:
    """The database with its members, the clock, and the platform."""

    database: Database
    clock: MovableClock
    platform: Recorder
    vault: AesVault = field(default_factory=lambda: AesVault({"test": bytes(32)}))
    people: list[int] = field(default_factory=list)

    def delivery(
        self, *, limits: Limits | None = None, rules: Rules | None = None, also: tuple[Sender, ...] = ()
    ) -> Delivery:
        """One more worker."""
        senders = {sender.name: sender for sender in (self.platform, *also)}
        return Delivery(
            self.database,
            self.vault,
            WORDING,
            Senders(by_channel=senders),
            self.clock,
            text_hours=24,
            rules=rules,
            limits={CHANNEL: limits} if limits else None,
        )

    def context(self, session: AsyncSession) -> Context:
        return Context(
            session=session,
            actor=SYSTEM,
            now=self.clock(),
            database=self.database,
            catalogue=Catalogue({}),
            vault=self.vault,
            bus=Bus([]),
            lives={},
            records=(),
        )

    async def populate(self, count: int, *, channel: str = CHANNEL) -> None:
        """So many members, bound on the channel."""
        async with self.database.write() as session:
            first = len(self.people)
            members = [Member(staff_id=f"m{n}", name=f"会员{n}", tags=[]) for n in range(first, first + count)]
            session.add_all(members)
            await session.flush()
            session.add_all(
                Account(channel=channel, sender=m.staff_id, conversation=m.staff_id, member_id=m.id, heard_at=NOON)
                for m in members
            )
        self.people += [member.id for member in members]

    async def say(self, text: str, who: int = 0, **more: Any) -> int:
        """A notice to one member; the row's id."""
        async with self.database.write() as session:
            notice = Notice(member_id=self.people[who], wording="say", params={"text": text}, **more)
            return (await notify(self.context(session), notice)).id

    async def announce(self, text: str = "通知", **more: Any) -> int:
        """A batch to everybody; its id."""
        async with self.database.write() as session:
            context = self.context(session)
            mailing = Mailing(title=text, wording="say", params={"text": text}, **more)
            batch = await open_batch(context, mailing)
            await add_members(context, batch, select(Member.id))
            return batch.id

    async def rows(self, *where: Any) -> list[Outgoing]:
        async with self.database.read() as session:
            return list((await session.execute(select(Outgoing).where(*where).order_by(Outgoing.id))).scalars())

    async def states(self) -> Mapping[str, int]:
        return Counter(row.state for row in await self.rows())

    async def tally(self, batch: int) -> Tally:
        async with self.database.read() as session:
            return await tally(session, batch)


def refusing(**how: Any) -> Callable[[Outbound], None]:
    """A platform that refuses everything."""

    def refuse(_message: Outbound) -> None:
        raise SendError("no", **how)

    return refuse


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.peer)])
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    """An office on either store, at noon, with three members."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'office.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").create_database()
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    clock = MovableClock(NOON)
    made = Office(database=database, clock=clock, platform=Recorder(clock=clock))
    await made.populate(3)
    yield made
    await database.close()


@pytest.fixture
def web() -> WebChannel:
    """The page."""
    return WebChannel()
