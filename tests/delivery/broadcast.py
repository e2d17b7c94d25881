"""A broadcast to many over real processes, for the tests that kill and for the bench.

A store gets members whom only the recording platform reaches; workers are child processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.core.batches import Mailing, Tally, add_members, open_batch, tally
from actions.core.commands import SYSTEM
from actions.core.tables import Account, Member, Outgoing
from bot import app as root
from bot.settings import ROOT, DatabaseSettings, Settings, VaultSettings
from bot.understanding import NO_NLU
from tests.delivery.platform import CHANNEL, Platform
from tests.peers.server import VAULT_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bot.app import App
    from tests.peers.server import Store

#: Longer than any worker needs to take over.
PATIENCE = 120.0
#: Messages a second on a machine that is busy with much else.
SLOWEST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a broadcast ended: the ledger, who was missed, who got it twice, whom the ledger names as doubtful.

    `seconds` from the first arrival to the last; `recovered` from the last death until the last doubtful one had been
    said again.
    """

    ledger: Tally
    missed: int
    repeated: set[int]
    doubted: set[int]
    seconds: float
    recovered: float


@contextlib.asynccontextmanager
async def opened(store: Store) -> AsyncIterator[App]:
    """The assistant on a store, in this process, with no channel of ours: it writes and reads, and sends nothing."""
    settings = Settings(
        var_dir=store.var, database=DatabaseSettings(url=store.url), vault=VaultSettings(keys=VAULT_KEY)
    )
    app = root.build(settings, pipeline=NO_NLU)
    await root.prepare(app, demo=False)
    try:
        yield app
    finally:
        await app.house.database.close()


async def populate(app: App, count: int) -> None:
    """So many members whom the platform reaches."""
    now = app.clock()
    async with app.house.database.write() as session:
        members = [Member(staff_id=f"m{number}", name=f"会员{number}", tags=[]) for number in range(count)]
        session.add_all(members)
        await session.flush()
        session.add_all(
            Account(
                channel=CHANNEL, sender=member.staff_id, conversation=member.staff_id, member_id=member.id, heard_at=now
            )
            for member in members
        )


async def announce(app: App, kind: str = "service") -> tuple[int, float]:
    """One message to everybody; the batch, and the seconds for which it kept the writer."""
    mailing = Mailing(title="通知", wording="talk.thanks", kind="news" if kind == "news" else "service")
    async with app.house.database.write() as session:
        began = time.perf_counter()
        context = app.house.context(session, SYSTEM, app.clock())
        batch = await open_batch(context, mailing)
        await add_members(context, batch, select(Member.id))
    return batch.id, time.perf_counter() - began


@dataclass(slots=True)
class Workers:
    """The child processes of a broadcast."""

    store: Store
    platform: Platform
    settings: Mapping[str, str]

    async def start(self) -> asyncio.subprocess.Process:
        """One more worker."""
        env = {**self.store.env, **self.settings}
        arguments = (sys.executable, "-m", "tests.delivery.worker", str(self.platform.port))
        return await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, env=env)


async def end(worker: asyncio.subprocess.Process, number: int = signal.SIGTERM) -> None:
    """Ends a worker by a signal, and waits for it."""
    if worker.returncode is None:
        worker.send_signal(number)
    await worker.wait()


def limits(**given: int) -> dict[str, str]:
    """The setting of the platform's limits."""
    return {"NJR_DELIVERY__LIMITS": json.dumps({CHANNEL: given})}


async def broadcast(
    store: Store, count: int, *, workers: int = 1, kills: int = 0, settings: Mapping[str, str] | None = None
) -> Outcome:
    """Tells everybody, killing workers in the middle so many times; all but the first to die are started again."""
    async with opened(store) as app, Platform().open() as platform:
        await populate(app, count)
        batch, _ = await announce(app)
        team = Workers(store, platform, settings or {})
        running = [await team.start() for _ in range(workers)]
        died = time.monotonic()
        try:
            for number, moment in enumerate(_moments(count, kills)):
                await asyncio.wait_for(platform.until(moment), PATIENCE)
                victim = running.pop(0)
                await end(victim, signal.SIGKILL)
                died = time.monotonic()
                if number or workers == 1:
                    running.append(await team.start())
            await asyncio.wait_for(_settled(app, batch), PATIENCE + count / SLOWEST)
        finally:
            for worker in running:
                await end(worker)
        return await _outcome(app, batch, platform, died)


def _moments(count: int, kills: int) -> Sequence[int]:
    """After how many arrivals somebody dies."""
    chance = random.Random(20261122)
    return sorted(chance.sample(range(count // 20, count * 9 // 10), kills))


async def _settled(app: App, batch: int) -> None:
    while True:
        async with app.house.database.read() as session:
            if not (await tally(session, batch)).waiting:
                return
        await asyncio.sleep(0.2)


async def _outcome(app: App, batch: int, platform: Platform, died: float) -> Outcome:
    async with app.house.database.read() as session:
        ledger = await tally(session, batch)
        doubted = set((await session.execute(select(Outgoing.id).where(Outgoing.doubts > 0))).scalars())
        members = (await session.execute(select(func.count()).select_from(Member))).scalar_one()
    times = [each.at for each in platform.arrived]
    return Outcome(
        ledger=ledger,
        missed=members - len({each.row for each in platform.arrived}),
        repeated=platform.repeated,
        doubted=doubted,
        seconds=max(times) - min(times),
        recovered=max((each.at - died for each in platform.arrived if each.row in doubted), default=0.0),
    )
