"""The assistant's half of the channel: what the bridge tells goes to the inlet, what is said waits for the bridge."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from actions.core.errors import DomainError
from bot.channels.intake import refused, taken
from bot.channels.wechaty.writing import LONGEST, job_of
from bot.messages import (
    Address,
    Attachment,
    Capabilities,
    Gone,
    Health,
    Inbound,
    Joined,
    Moved,
    Receipt,
    Seen,
    SendError,
)
from bot.wire import (
    Befriended,
    BridgeTakenError,
    Done,
    GroupJoined,
    GroupMoved,
    GroupsSeen,
    Job,
    Left,
    Said,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from bot.files import FileDesk
    from bot.messages import Event, Inlet, Outbound
    from bot.wire import Asked, Report, State

log = structlog.get_logger(__name__)

NAME = "wechaty"
#: Seconds: delivery gives a call sixty, the bridge takes forty for a message.
_PATIENCE = 50.0
#: A bridge that was not heard of for so long is gone; it asks again every twenty-five seconds.
_GONE_AFTER = 45.0
_AGAIN = 1.0
#: What the operator reads in /readyz.
STATES: dict[State, str] = {
    "away": "no gateway",
    "taken": "another client holds the gateway",
    "refused": "the gateway refuses the token",
    "starting": "starting",
    "scan": "waiting for the code to be scanned",
    "logged_out": "logged out",
    "ready": "ready",
}


@dataclass(kw_only=True, slots=True)
class _Entry:
    """A job that waits for its end, whether the bridge has it, and the message that it says."""

    job: Job
    message: Outbound | None
    ended: asyncio.Future[Done]
    handed: bool = False


@dataclass(kw_only=True, slots=True)
class _Bridge:
    """The bridge that is at work, when it was heard of last, and what it told in its last report."""

    name: str = ""
    number: int = 0
    seen: float = 0.0
    state: State = "away"
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the channel stands: where files are handed over, and what it says by itself (`say`, of data/responses)."""

    files: FileDesk
    say: Callable[[str, Mapping[str, Any]], str]
    public_url: str = ""


class WechatyChannel:
    """WeChat by way of a bridge; where none is at work, what is said waits in its rows."""

    name = NAME
    pulled = False
    capabilities = Capabilities(pictures=True, files=True, mention=True, recall=True, groups=True, longest=LONGEST)

    #: Of the HTTP processes only the one that delivers, too, speaks to the bridge.
    over_http = False

    def __init__(self, place: Place, *, own_key: str = "", now: Callable[[], float] = time.monotonic) -> None:
        """Opens nothing.

        Args:
            place: where the channel stands.
            own_key: the bearer key of a bridge that this process starts itself; empty: there is none.
            now: seconds that only grow.

        """
        self.own_key = own_key
        self._place = place
        self._now = now
        self._inlet: Inlet | None = None
        self._stopped = asyncio.Event()
        self._bridge = _Bridge()
        self._entries: dict[str, _Entry] = {}
        self._news = asyncio.Event()

    # --- a channel

    async def start(self, inlet: Inlet) -> None:
        """Takes in what the bridge tells, until `stop`."""
        self._inlet = inlet
        self._stopped.clear()
        try:
            await self._stopped.wait()
        finally:
            self._inlet = None

    async def stop(self) -> None:
        """Ends `start`; questions of the bridge are answered with nothing."""
        self._stopped.set()
        self._news.set()

    @property
    def ready(self) -> bool:
        """Whether what is said can go out now: a bridge is at work, and signed in."""
        return self._at_work() and self._bridge.state == "ready"

    def health(self) -> Health:
        """How the bridge is, as it told last."""
        state = STATES[self._bridge.state] if self._at_work() else "no bridge"
        return Health(up=self.ready, state=state, counts=dict(self._bridge.counts))

    async def send(self, message: Outbound) -> Receipt:
        """Has the bridge send a message. Raises SendError."""
        done = await self._have(job_of(message, self._calendar), message)
        return Receipt(confirmed=done.confirmed, ref=done.ref)

    async def recall(self, address: Address, ref: str) -> None:
        """Has the bridge take a message back. Raises SendError."""
        await self._have(Job(key=f"recall-{secrets.token_hex(8)}", conversation=address.conversation, recall=ref), None)

    def _calendar(self, token: str) -> str:
        url = self._place.public_url.rstrip("/")
        return self._place.say("wechat.calendar", {"url": f"{url}/api/v1/calendar/{token}.ics"}) if url else ""

    async def _have(self, job: Job, message: Outbound | None) -> Done:
        """Has a job done. Raises SendError."""
        if not self.ready:
            raise SendError("the bridge is away", retry_after=_AGAIN, everybody=True)
        entry = self._entries.get(job.key)
        if entry is None:
            ended: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
            entry = self._entries[job.key] = _Entry(job=job, message=message, ended=ended)
        self._news.set()
        try:
            async with asyncio.timeout(_PATIENCE):
                done = await asyncio.shield(entry.ended)
        except TimeoutError as error:
            raise SendError("the bridge gave no answer in time") from error
        finally:
            self._entries.pop(job.key, None)
        if done.error:
            raise SendError(done.error, permanent=done.permanent, retry_after=done.retry_after)
        return done

    # --- what the bridge asks and reports

    def knows(self, key: str) -> bool:
        """Whether a bearer key is that of the bridge that this process started."""
        return bool(self.own_key) and hmac.compare_digest(key.encode(), self.own_key.encode())

    async def hand_out(self, asked: Asked) -> Sequence[Job]:
        """What is to be done and not in the bridge's hands yet; waits for something. Raises BridgeTakenError."""
        self.reported(asked)
        jobs: Sequence[Job] = ()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(asked.wait):
                while not self._stopped.is_set():
                    self._news.clear()
                    if jobs := self._not_in(asked.has):
                        break
                    await self._news.wait()
        # Not where the question was cut off: then it was not the bridge that was heard of last.
        if self._bridge.name == asked.bridge:
            self._bridge.seen = self._now()
        return jobs

    def _not_in(self, has: Sequence[str]) -> list[Job]:
        entries = [entry for key, entry in self._entries.items() if key not in has and not entry.ended.done()]
        for entry in entries:
            entry.handed = True
        return [entry.job for entry in entries]

    def reported(self, report: Report) -> None:
        """Takes note of the bridge's state, and of the jobs that have ended. Raises BridgeTakenError."""
        if report.bridge != self._bridge.name:
            if self._at_work():
                raise BridgeTakenError
            self._welcome(report.bridge)
        self._bridge.seen = self._now()
        if report.number > self._bridge.number:
            self._know(report)
        for done in report.done:
            entry = self._entries.get(done.key)
            if entry is not None and not entry.ended.done():
                entry.ended.set_result(done)

    def _know(self, report: Report) -> None:
        if report.state != self._bridge.state:
            log.info("wechaty_bridge", state=report.state)
        self._bridge.number, self._bridge.state = report.number, report.state
        self._bridge.counts = dict(report.counts)

    def hung_up(self, bridge: str) -> None:
        """The bridge's question was cut off: that bridge is gone, or asks again in a moment."""
        if bridge == self._bridge.name:
            self._bridge.seen = self._now() - _GONE_AFTER

    def _at_work(self) -> bool:
        return bool(self._bridge.name) and self._now() - self._bridge.seen < _GONE_AFTER

    def _welcome(self, name: str) -> None:
        """Another bridge than before: what the last one had in its hands is tried again."""
        self._bridge = _Bridge(name=name)
        for entry in self._entries.values():
            if entry.handed and not entry.ended.done():
                entry.ended.set_result(Done(key=entry.job.key, error="the bridge went away", retry_after=_AGAIN))

    async def enclosure(self, key: str, file: str) -> Path | None:
        """Where a file of an open job lies."""
        entry = self._entries.get(key)
        if entry is None or entry.message is None:
            return None
        if file not in {each.id for each in entry.job.files}:
            return None
        address = entry.message.address
        try:
            return (await self._place.files.open(address, address.conversation, file)).path
        except DomainError:
            return None

    # --- what the bridge tells

    async def take(self, happening: Any, file: BinaryIO | None = None) -> bool:
        """Hands on what happened; False where nothing is taken in at the moment."""
        inlet = self._inlet
        if inlet is None:
            return False
        if isinstance(happening, Said):
            await inlet.receive(await self._inbound(happening, file))
        elif isinstance(happening, Befriended):
            address, event = _private(happening.sender), happening.event
            await inlet.receive(Inbound(address=address, event_id=event, sender=happening.sender, text="", met=True))
        else:
            await inlet.notice(_event(happening))
        return True

    async def _inbound(self, said: Said, file: BinaryIO | None) -> Inbound:
        address = Address(channel=NAME, conversation=said.conversation, chat=said.chat)
        return Inbound(
            address=address,
            event_id=said.event,
            sender=said.sender,
            text=said.text.replace("\x00", ""),
            mentioned=said.mentioned,
            from_bot=said.from_bot,
            name=said.name,
            unread=said.unread,
            attachments=await self._attachments(address, said, file),
        )

    async def _attachments(self, address: Address, said: Said, file: BinaryIO | None) -> tuple[Attachment, ...]:
        enclosed, files = said.file, self._place.files
        if enclosed is None:
            return ()
        if said.chat == "group":
            # What is shown to everybody is nobody's material.
            return (Attachment(kind=enclosed.kind, name=enclosed.name),)
        if enclosed.too_large or file is None:
            return (refused(files, name=enclosed.name, kind=enclosed.kind),)
        return (await taken(files, address, said.sender, name=enclosed.name, kind=enclosed.kind, source=file),)


def _event(happening: Any) -> Event:
    match happening:
        case Left(sender=sender):
            return Gone(address=_private(sender), sender=sender)
        case GroupJoined(conversation=conversation, names=names):
            return Joined(address=Address(channel=NAME, conversation=conversation, chat="group"), names=names)
        case GroupMoved(before=before, conversation=conversation):
            return Moved(address=Address(channel=NAME, conversation=before, chat="group"), conversation=conversation)
        case GroupsSeen(groups=groups):
            return Seen(channel=NAME, groups=dict(groups))
    raise TypeError(type(happening).__name__)


def _private(sender: str) -> Address:
    return Address(channel=NAME, conversation=sender)
