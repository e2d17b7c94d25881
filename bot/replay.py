"""`bot replay`: plays dialogues on a fresh temporary database that holds the demo world, with a clock of its own."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from actions.core.commands import SYSTEM
from actions.core.errors import ConfigurationError
from actions.core.tables import Outgoing
from actions.core.yamlfile import YamlFile
from bot.app import App, build, prepare
from bot.messages import Address, Attachment, Inbound, Outbound
from bot.world import World, load_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from actions.safety import Told
    from bot.gateway.turn import Understanding
    from bot.settings import Settings

Chat = Literal["private", "group"]

_GROUP = "群聊"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# Fine at first, where offers and holds run out, coarse later, coarser over weeks; what is due in between is looked up.
_STEPS = (
    (timedelta(hours=6), timedelta(minutes=5)),
    (timedelta(days=3), timedelta(hours=1)),
    (timedelta.max, timedelta(hours=6)),
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TurnSpec(_Part):
    """One message; `after` lets time pass first ("90m", "2h", "1d")."""

    text: str
    who: str = ""
    chat: Chat | None = None
    after: str = Field("", pattern=r"^(\d+(\.\d+)?[smhdw])?$")
    picture: bool = False
    expect: Any = None

    @property
    def pause(self) -> timedelta:
        """How much time passes first."""
        return timedelta(**{_UNITS[self.after[-1]]: float(self.after[:-1])}) if self.after else timedelta()


class Given(_Part):
    """Who speaks, and where, unless a turn says otherwise."""

    chat: Chat = "private"
    who: str = ""
    now: datetime | None = None


class Dialogue(_Part):
    """One dialogue of a replay file; `expect` is read by the project's own tests."""

    name: str
    given: Given = Given()
    turns: tuple[str | TurnSpec, ...]
    expect: Any = None


class _File(_Part):
    dialogues: tuple[Dialogue, ...]


def read_dialogues(path: Path) -> tuple[Dialogue, ...]:
    """Reads a replay file. Raises ConfigurationError with file and line."""
    file = YamlFile(path)
    if not isinstance(file.data, list):
        raise ConfigurationError(f"{path}:1: expected a list of dialogues")
    try:
        return file.validate(_File, {"dialogues": file.data}).dialogues
    except ConfigurationError as error:
        raise ConfigurationError(str(error).replace("dialogues.", "")) from error


@dataclass(slots=True)
class _MovableClock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


class Stage:
    """The world that dialogues are played in: prepared once, copied for each dialogue."""

    def __init__(self, settings: Settings, pipeline: Understanding, now: datetime) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._now = now
        self._world: World = load_world(settings.data_dir)
        self._folder = Path(tempfile.mkdtemp(prefix="niangjiaren-replay-"))
        self._templates: dict[datetime, Path] = {}

    def close(self) -> None:
        """Removes everything that was written."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def play(self, dialogue: Dialogue) -> dict[str, Any]:
        """Plays one dialogue; the result has the shape that the contract fixes."""
        now = dialogue.given.now or self._now
        var = self._folder / "dialogue"
        shutil.rmtree(var, ignore_errors=True)
        shutil.copytree(await self._template(now), var)
        app = self._build(var, clock := _MovableClock(now))
        try:
            player = _Player(app, self._world, clock, dialogue.given)
            before = await _records(app)
            turns = [await player.turn(number, spec) for number, spec in enumerate(_specs(dialogue), 1)]
            return {"name": dialogue.name, "turns": turns, "records": _left(before, await _records(app))}
        finally:
            await app.house.database.close()

    async def _template(self, now: datetime) -> Path:
        if now not in self._templates:
            var = self._folder / f"template-{len(self._templates)}"
            app = self._build(var, _MovableClock(now))
            await prepare(app, demo=True)
            await app.house.database.close()
            self._templates[now] = var
        return self._templates[now]

    def _build(self, var: Path, clock: _MovableClock) -> App:
        settings = self._settings.model_copy(
            update={"var_dir": var, "database": self._settings.database.model_copy(update={"url": ""})}
        )
        return build(settings, pipeline=self._pipeline, clock=clock)


def _specs(dialogue: Dialogue) -> list[TurnSpec]:
    return [TurnSpec(text=turn) if isinstance(turn, str) else turn for turn in dialogue.turns]


class _Player:
    """Speaks the turns of one dialogue, and notes what is answered to whom."""

    def __init__(self, app: App, world: World, clock: _MovableClock, given: Given) -> None:
        self._app = app
        self._world = world
        self._clock = clock
        self._given = given
        self._names = {member.staff_id: member.name for member in world.members}

    async def turn(self, number: int, spec: TurnSpec) -> dict[str, Any]:
        before = max((alert.id for alert in await self._alerts(0)), default=0)
        meanwhile = await self._pass(spec.pause)
        who = spec.who or self._given.who or self._world.default
        answered = await self._app.gateway.answer(self._inbound(number, spec, who))
        replies = [*meanwhile, *answered.replies, *await self._app.delivery.flush()]
        await self._app.sweep()
        replies += await self._app.delivery.flush()
        return {
            "text": spec.text,
            "intent": answered.intent,
            "service": answered.service,
            "replies": [self._told(reply) for reply in replies],
            "alerts": [
                {"kind": alert.kind, "to": list(alert.to), "text": alert.text} for alert in await self._alerts(before)
            ],
        }

    def _inbound(self, number: int, spec: TurnSpec, who: str) -> Inbound:
        try:
            sender = self._world.sender(who)
        except KeyError as error:
            raise ConfigurationError(f"nobody in the demo world is called {who!r}") from error
        chat = spec.chat or self._given.chat
        address = Address(channel="web", conversation=_GROUP if chat == "group" else sender, chat=chat)
        return Inbound(
            address=address,
            event_id=f"replay-{number}",
            sender=sender,
            text=spec.text,
            mentioned=True,
            attachments=(Attachment(kind="picture"),) if spec.picture else (),
        )

    async def _pass(self, pause: timedelta) -> list[Outbound]:
        """Lets time pass: what falls due is done and sent at its own time."""
        said: list[Outbound] = []
        begun, target = self._clock.now, self._clock.now + pause
        while self._clock.now < target:
            step = next(step for until, step in _STEPS if self._clock.now - begun < until)
            moments = [target, self._clock.now + step, *await self._next_due()]
            self._clock.now = min(moments)
            await self._app.sweep()
            said += await self._app.delivery.flush()
        return said

    async def _next_due(self) -> list[datetime]:
        query = select(func.min(Outgoing.due_at)).where(Outgoing.state == "queued", Outgoing.due_at > self._clock.now)
        async with self._app.house.database.read() as session:
            due = (await session.execute(query)).scalar_one()
        return [] if due is None else [due.astimezone(self._clock.now.tzinfo)]

    def _told(self, message: Outbound) -> dict[str, Any]:
        group = message.address.conversation == _GROUP
        conversation = message.address.conversation
        return {
            "to": "group" if group else self._names.get(conversation, conversation),
            "chat": "group" if group else "private",
            "text": message.text,
            "options": [{"label": option.label, "value": option.value} for option in message.options],
        }

    async def _alerts(self, after: int) -> list[Told]:
        house = self._app.house
        async with house.database.read() as session:
            return await self._app.safety.alerts_since(house.context(session, SYSTEM, self._clock.now), after)


async def _records(app: App) -> list[dict[str, Any]]:
    async with app.house.database.read() as session:
        context = app.house.context(session, SYSTEM, app.clock())
        found = [snapshot for records in app.house.records for snapshot in await records.snapshots(context)]
    return [
        {
            "service": snapshot.service,
            "kind": snapshot.kind,
            "state": snapshot.state,
            "member": snapshot.member,
            "fields": dict(snapshot.fields),
        }
        for snapshot in found
    ]


def _left(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a dialogue left: the records that were not there, as they are, when it began."""
    known = list(before)
    left = []
    for record in after:
        if record in known:
            known.remove(record)
        else:
            left.append(record)
    return left


async def play_file(
    path: Path, settings: Settings, pipeline: Understanding, now: datetime
) -> AsyncIterator[dict[str, Any]]:
    """Plays every dialogue of a file, one after the other."""
    stage = Stage(settings, pipeline, now)
    try:
        for dialogue in read_dialogues(path):
            yield await stage.play(dialogue)
    finally:
        stage.close()
