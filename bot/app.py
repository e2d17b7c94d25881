"""The composition root: the only place where the parts of the house are put together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import func, select, text

from actions.blocks.materials import MaterialRules, readers_of, watchers_of
from actions.blocks.materials_intake import Materials
from actions.blocks.vault import AesVault, new_key, parse_keys
from actions.core.commands import SYSTEM, actor_for
from actions.core.database import Database
from actions.core.errors import ConfigurationError, DomainError
from actions.core.tables import Member, Offering, Unit
from bot.channels.chosen import chosen
from bot.channels.email import EmailChannel
from bot.channels.web import WebChannel
from bot.channels.wechat.tokens import Shelf
from bot.clock import Clock
from bot.delivery import PLATFORMS, Delivery, Rules, limits_of
from bot.demo import fill
from bot.dialogue.policy import Registry
from bot.dialogue.words import load_words
from bot.files import FileDesk, FolderStore, scanner
from bot.gateway import Gateway, House
from bot.gateway.native import NativeForms
from bot.gateway.shortcuts import load_shortcuts
from bot.keys import NewKey, create_key
from bot.lives import Lives, lives_of
from bot.llm import LanguageModel, SecondOpinion, connect, know_roster
from bot.messages import Channel, Sender, Senders
from bot.migrations import migrate
from bot.names import gazetteer
from bot.understanding import build_reserve, intent_kinds, intents_of
from bot.wording import Wording, load_wording
from bot.world import load_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.catalogue import Catalogue
    from actions.core.commands import Outcome
    from actions.core.life import Records, Sweeper
    from actions.safety import Safety
    from bot.gateway.turn import Understanding
    from bot.settings import Settings
    from nlu.pipeline import Embedded, Pipeline
    from nlu.rasa.client import Reserve
    from nlu.types import Gazetteer

log = structlog.get_logger(__name__)

_SWEEP_SECONDS = 20
_FORGET_SECONDS = 3600
# By then whoever waits for the first answer after a start has it.
_WARM_SECONDS = 10


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class App:
    """The assistant, put together. `running()` starts what goes on in the background.

    `embedded` is the engine whose model may change, with the name of the one that it began with.
    """

    settings: Settings
    house: House
    gateway: Gateway
    delivery: Delivery
    web: WebChannel
    pipeline: Understanding
    sweepers: Sequence[Sweeper]
    clock: Callable[[], datetime]
    safety: Safety
    files: FileDesk
    native: NativeForms
    channels: Sequence[Channel] = ()
    embedded: tuple[str, Embedded] | None = None
    reserve: Reserve | None = None
    llm: LanguageModel | None = None
    warm: Callable[[], object] = bool

    async def sweep(self) -> None:
        """Does what is due by itself, each part in a transaction of its own, and sends what that gives."""
        for sweeper in self.sweepers:
            async with self.house.database.write() as session:
                await sweeper.sweep(self.house.context(session, SYSTEM, self.clock()))
        await refresh_names(self)
        self.delivery.wake()

    async def forget(self) -> None:
        """Deletes the texts of what was said, and answered over the interface, long enough ago."""
        from bot.api.tables import KEPT, forget_answers  # noqa: PLC0415 - the web framework is for those who serve

        await self.delivery.forget()
        kept = min(KEPT, timedelta(hours=self.settings.privacy.text_hours))
        await forget_answers(self.house.database, self.clock(), kept)

    @contextlib.asynccontextmanager
    async def running(self, *, sweeping: bool = True) -> AsyncIterator[None]:
        """Delivery and clock, for as long as the block lasts; `sweeping`: what falls due by itself is done here too."""
        clock = Clock()
        if sweeping:
            clock.every(_SWEEP_SECONDS, "sweep", self.sweep)
            clock.every(_FORGET_SECONDS, "forget", self.forget)
        clock.start()
        sending = asyncio.create_task(self.delivery.run())
        warming = asyncio.get_running_loop().call_later(_WARM_SECONDS, Thread(target=self.warm, daemon=True).start)
        try:
            yield
        finally:
            warming.cancel()
            clock.stop()
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
            for channel in self.channels:
                await channel.stop()
            if self.reserve is not None:
                await self.reserve.close()
            if self.llm is not None:
                await self.llm.close()
            await self.house.database.close()

    async def ready(self) -> Mapping[str, bool]:
        """The checks of /readyz."""
        try:
            async with self.house.database.read() as session:
                await session.execute(text("select 1"))
        except Exception:
            log.exception("database_not_ready")
            return {"database": False}
        return {"database": True}


def build(
    settings: Settings,
    *,
    pipeline: Understanding | None = None,
    clock: Callable[[], datetime] = utc_now,
    senders: Sequence[Sender] = (),
) -> App:
    """Puts the assistant together; opens nothing yet but files of data/ (and makes the vault's key on the first run).

    `senders` are channels beside the web's and e-mail. Raises ConfigurationError.
    """
    vault = AesVault(_vault_keys(settings))
    database = Database(settings.database_url)
    responses = settings.data_dir / "responses"
    wording = load_wording(responses, {"union": settings.union.model_dump()})
    doing = lives_of(settings, wording)
    shortcuts, person_words = load_shortcuts(responses)
    house = House(
        database=database,
        vault=vault,
        bus=doing.bus,
        catalogue=doing.catalogue,
        lives=doing.by_name,
        records=doing.records,
        registry=Registry(
            catalogue=doing.catalogue,
            words=load_words(responses),
            kinds=intent_kinds(settings.data_dir),
            open_confidence=settings.dialogue.open_confidence,
            clarify_margin=settings.dialogue.clarify_margin,
        ),
        wording=wording,
        shortcuts=shortcuts,
        person_words=person_words,
        names=settings.names,
        idle_minutes=settings.dialogue.idle_minutes,
        draft_days=settings.dialogue.draft_days,
        fault=_fault(settings.fault),
        listeners=doing.listeners,
    )
    materials = _materials(settings, doing.records)
    files = FileDesk(house, materials, clock)
    web = WebChannel()
    shelf = Shelf(database=database, vault=vault, clock=clock)
    taking = [*chosen(settings, files, wording, shelf), *(each for each in senders if isinstance(each, Channel))]
    every: list[Sender] = [web, EmailChannel(settings.mail), *taking, *senders]
    by_channel = {each.name: each for each in every}
    # Channels hand files over to the house's desk: how they are answered is known after it.
    house = replace(
        house,
        pull=frozenset(each.name for each in by_channel.values() if each.pulled),
        numbered=frozenset(each.name for each in taking if not each.capabilities.buttons),
    )
    delivery = Delivery(
        database,
        vault,
        house.wording,
        Senders(by_channel=by_channel),
        clock,
        text_hours=settings.privacy.text_hours,
        rules=Rules(**settings.delivery.model_dump(exclude={"limits"})),
        limits={**PLATFORMS, **{name: limits_of(given) for name, given in settings.delivery.limits.items()}},
        fault=house.fault,
    )
    understanding, embedded, reserve = (pipeline, None, None) if pipeline else _understanding(settings)
    llm = connect(settings.llm, settings.data_dir, database, clock)
    gateway = Gateway(house, understanding, clock, delivery.wake, second=_second(settings, llm, doing))
    return App(
        settings=settings,
        house=house,
        gateway=gateway,
        delivery=delivery,
        web=web,
        pipeline=understanding,
        sweepers=(*doing.sweepers, materials),
        clock=clock,
        safety=doing.safety,
        files=files,
        channels=taking,
        native=NativeForms(house, understanding, clock, gateway.receive, delivery.wake),
        embedded=embedded,
        reserve=reserve,
        llm=llm,
        warm=lambda: _warm(doing, wording),
    )


def _understanding(settings: Settings) -> tuple[Pipeline, tuple[str, Embedded], Reserve | None]:
    """The NLU with the model that ran last; who serves changes it for a newer one meanwhile (`bot.models`)."""
    from bot.models import models_of  # noqa: PLC0415 - numpy and the model are for those who understand
    from nlu.pipeline import Embedded, Pipeline  # noqa: PLC0415

    name, model = models_of(settings).starting()
    embedded = Embedded(model)
    reserve = build_reserve(settings, embedded)
    return Pipeline(reserve or embedded), (name, embedded), reserve


def _warm(doing: Lives, wording: Wording) -> None:
    """Reads early what the first to need it would wait for; a sentence that somebody broke is told now, not then."""
    for fault in wording.faults():
        log.error("sentence_broken", fault=fault)
    _ = doing.questions.library.latest


def _second(settings: Settings, llm: LanguageModel | None, doing: Lives) -> SecondOpinion | None:
    """What a language model adds to a turn."""
    if llm is None:
        return None
    return SecondOpinion(
        llm,
        settings.llm,
        catalogue=doing.catalogue,
        meanings={name: entry["means"] for name, entry in intents_of(settings.data_dir).items()},
        confidence=settings.dialogue.open_confidence,
        sources=lambda text, now, service: doing.questions.sources(text, now, service=service),
    )


def _materials(settings: Settings, records: Sequence[Records]) -> Materials:
    """Files of forms."""
    files = settings.files
    rules = MaterialRules(
        kinds=files.kinds,
        max_bytes=files.max_mb * 2**20,
        max_count=files.max_per_form,
        keep_hours=files.keep_unattached_hours,
    )
    scan = scanner(files.scan_command, files.scan_seconds)
    store, readers, watchers = FolderStore(settings.files_dir), readers_of(records), watchers_of(records)
    return Materials(store, rules, scan=scan, readers=readers, watchers=watchers)


def _vault_keys(settings: Settings) -> dict[str, bytes]:
    """The keys of the settings; on the embedded default a key is made once, in var/, for its owner alone."""
    given = settings.vault.keys.get_secret_value()
    if given:
        return parse_keys(given)
    if not settings.embedded:
        message = "NJR_VAULT__KEYS: must be set where the database is not the embedded one; `bot keys vault` makes one"
        raise ConfigurationError(message)
    path = settings.var_dir / "vault.key"
    if not path.exists():
        settings.var_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"k1:{new_key()}")
    return parse_keys(path.read_text(encoding="ascii"))


def _fault(name: str) -> Callable[[str], None]:
    """The process dies at the fault point of that name: how tests see what a crash leaves behind."""

    def reach(point: str) -> None:
        if name and point == name:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


async def prepare(app: App, *, demo: bool, say: Callable[[str], None] = lambda _line: None) -> bool:
    """Brings the database up to date and, where it is empty and the demo is wanted, fills it; True if it was filled."""
    say("整理数据库…")
    app.settings.var_dir.mkdir(parents=True, exist_ok=True)
    await migrate(app.house.database)
    filled = False
    if demo and await _empty(app.house.database):
        say("放进示例数据（人名、电话都是示例）…")
        await fill(app.house, load_world(app.settings.data_dir), app.clock())
        filled = True
    await refresh_names(app)
    return filled


async def _empty(database: Database) -> bool:
    async with database.read() as session:
        return not (await session.execute(select(func.count()).select_from(Member))).scalar_one()


async def refresh_names(app: App) -> None:
    """Tells the NLU the names that the catalogue and the database know now, and a language model's guard the roster."""
    update = getattr(app.pipeline, "update_gazetteer", None)
    if update is not None:
        async with app.house.database.read() as session:
            update(await _names_of(session, app.house.catalogue))
    if app.llm is not None:
        await know_roster(app.llm, app.house.database)


async def _names_of(session: AsyncSession, catalogue: Catalogue) -> Gazetteer:
    """The names of the catalogue, of units and of what is open."""
    rows = (await session.execute(select(Offering).where(Offering.state == "open"))).scalars().all()
    units = (await session.execute(select(Unit.name))).scalars().all()
    return gazetteer(catalogue, [(row.service, row.title, row.spec) for row in rows], units)


async def execute(app: App, staff_id: str, command: str, arguments: Mapping[str, Any]) -> Outcome:
    """Runs a command as a member (the operator at the machine where `staff_id` is empty), and sends what it says.

    Raises DomainError: no_such_member, unknown_command, bad_arguments, and what the command refuses.
    """
    async with app.house.database.write() as session:
        actor = SYSTEM
        if staff_id:
            query = select(Member).where(Member.staff_id == staff_id)
            member = (await session.execute(query)).unique().scalar_one_or_none()
            if member is None:
                raise DomainError("no_such_member", staff_id=staff_id)
            actor = await actor_for(session, member)
        context = app.house.context(session, actor, app.clock())
        outcome = await app.house.bus.execute(app.house.bus.command(command, arguments), context)
    app.delivery.wake()
    return outcome


async def create_api_key(app: App, name: str, **options: Any) -> str:
    """A new bearer key, with the options of `NewKey`; only its hash is kept. Raises ConfigurationError."""
    return await create_key(app.house.database, NewKey(name=name, **options), app.clock())
