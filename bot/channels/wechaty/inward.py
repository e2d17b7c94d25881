"""From what the gateway tells to what the assistant is told: each message once, in order within its conversation."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.channels.wechaty import reading
from bot.channels.wechaty.link import LinkError, Unwelcome
from bot.channels.wechaty.notices import Notices
from bot.channels.wechaty.pace import pause
from bot.channels.wechaty.seen import Contact, GatewayError, RefusedError, TooLargeError
from bot.wire import Said

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Awaitable, Callable

    from bot.channels.wechaty.gateway import Connection
    from bot.channels.wechaty.link import Link
    from bot.channels.wechaty.pace import Time
    from bot.channels.wechaty.puppet import Puppet
    from bot.channels.wechaty.seen import Event
    from bot.wire import Wired

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

#: What waits to be read, or to be told: more is not kept.
_MOST_WAITING = 10_000
_MOST_SEEN = 20_000
_MOST_KNOWN = 5_000
_LANES = 4
#: The gateway is asked again for what it refused; a connection that is gone is waited for so many seconds.
_REFUSALS, _WAIT_FOR_IT = 3, 300.0
#: An assistant that is away is waited for so many seconds: a later answer would answer nobody.
_TOO_LATE = 3_600.0
_NAMES_KEPT = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What the account does by itself: accepts friends, and invitations to groups; `most` bytes of a file."""

    accept_friends: bool = True
    accept_rooms: bool = False
    most: int = 10 * 2**20


class Memory:
    """The last so many things, each of them once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, None] = OrderedDict()

    def add(self, thing: str) -> bool:
        """Keeps a thing; False where it was there."""
        if thing in self._kept:
            return False
        self._kept[thing] = None
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return True


class Inward:
    """What comes in."""

    def __init__(  # noqa: PLR0913 - called once, where the bridge is put together
        self,
        connection: Connection,
        puppet: Puppet,
        link: Link,
        rules: Rules,
        *,
        time: Time,
        counts: Counter[str],
        echo: Callable[[str, str, str], None] = lambda _conversation, _text, _ref: None,
    ) -> None:
        """Starts nothing yet. `echo(conversation, text, id)` is told of what the account itself has said."""
        self._connection = connection
        self._puppet = puppet
        self._link = link
        self._rules = rules
        self._time = time
        self._counts = counts
        self._echo = echo
        self._events: asyncio.Queue[Event] = asyncio.Queue(_MOST_WAITING)
        self._lanes: list[asyncio.Queue[tuple[Wired, float]]] = [asyncio.Queue(_MOST_WAITING) for _ in range(_LANES)]
        self._seen = Memory(_MOST_SEEN)
        self._contacts: OrderedDict[str, Contact] = OrderedDict()
        self._names: dict[str, tuple[float, frozenset[str]]] = {}
        self._notices = Notices(self)

    @property
    def me(self) -> str:
        """The account's own id."""
        return self._connection.user

    @property
    def puppet(self) -> Puppet:
        """The gateway."""
        return self._puppet

    @property
    def rules(self) -> Rules:
        """What the account does by itself."""
        return self._rules

    @property
    def waiting(self) -> int:
        """How much is still to be read or told."""
        return self._events.qsize() + sum(lane.qsize() for lane in self._lanes)

    def heard(self, event: Event) -> None:
        """Takes an event; it is read later. A message that is told of twice is taken once."""
        if event.kind == "message" and not self._seen.add(event.text("messageId")):
            self._counts["repeated"] += 1
            return
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            self._counts["overflow"] += 1

    async def drained(self) -> None:
        """Waits until all that was heard has been told."""
        await self._events.join()
        for lane in self._lanes:
            await lane.join()

    async def run(self) -> None:
        """Reads and tells, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_always())
            for lane in self._lanes:
                tasks.create_task(self._tell_always(lane))

    # --- reading, one after the other

    async def _read_always(self) -> None:
        while True:
            event = await self._events.get()
            try:
                if event.kind == "message":
                    await self._message(event.text("messageId"))
                else:
                    await self._notices.take(event)
            except GatewayError as error:
                self.count("lost", str(error))
            except Exception as error:
                # What a gateway tells may be anything, and must not keep back what comes after it.
                self.count("nonsense", type(error).__name__)
            finally:
                self._events.task_done()

    async def _message(self, key: str) -> None:
        if not key:
            self.count("nonsense", "a message without id")
            return
        message = await self.patiently(lambda: self._puppet.message(key))
        if gone := reading.left(message, self.me):
            self.tell(gone.sender, gone)
            return
        if reading.silent(message):
            self._counts["recalled" if message.type == reading.RECALLED else "notes"] += 1
            return
        await self._notices.meet(message.room)
        talker = Contact() if message.talker == self.me else await self.contact(message.talker)
        said = reading.said(message, self.me, await self._called(message.room, message.text), talker)
        if message.talker == self.me:
            self._echo(said.conversation, message.text, message.id)
        self.tell(said.conversation, said)

    async def contact(self, key: str) -> Contact:
        """Somebody; who cannot be looked up has no name."""
        known = self._contacts.get(key)
        if known is not None:
            return known
        try:
            found = await self.patiently(lambda: self._puppet.contact(key))
        except RefusedError:
            return Contact()
        self._contacts[key] = found
        if len(self._contacts) > _MOST_KNOWN:
            self._contacts.popitem(last=False)
        return found

    async def _called(self, room: str, text: str) -> frozenset[str]:
        """What the account is called in a group; asked only where somebody is called at all."""
        if not room or "@" not in text:
            return frozenset()
        known = self._names.get(room)
        if known is not None and self._time.now() - known[0] < _NAMES_KEPT:
            return known[1]
        names = {(await self.contact(self.me)).name}
        try:
            names.add(await self.patiently(lambda: self._puppet.alias(room, self.me)))
        except RefusedError:
            self._counts["no_alias"] += 1
        found = frozenset(filter(None, names))
        if len(self._names) > _MOST_KNOWN:
            self._names.clear()
        self._names[room] = self._time.now(), found
        return found

    def forget(self, key: str) -> None:
        """Somebody, or a group, is not what was known any more."""
        self._contacts.pop(key, None)
        self._names.pop(key, None)

    async def patiently(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Asks the gateway again for what it refused or did not answer; waits for a connection. Raises GatewayError."""
        refusals, until = 0, self._time.now() + _WAIT_FOR_IT
        while True:
            try:
                return await call()
            except TooLargeError:
                raise
            except RefusedError:
                refusals += 1
                if refusals >= _REFUSALS:
                    raise
                await self._time.sleep(0.5 * refusals)
            except GatewayError:
                if self._time.now() > until:
                    raise
                await self._time.sleep(0.5)

    # --- telling, in order within a conversation

    def tell(self, conversation: str, happening: Wired) -> None:
        """Has the assistant told."""
        lane = self._lanes[hash(conversation) % _LANES]
        try:
            lane.put_nowait((happening, self._time.now()))
        except asyncio.QueueFull:
            self._counts["overflow"] += 1

    async def _tell_always(self, lane: asyncio.Queue[tuple[Wired, float]]) -> None:
        while True:
            happening, since = await lane.get()
            try:
                await self._tell(happening, since)
            except Exception as error:
                self.count("untold", type(error).__name__)
            finally:
                lane.task_done()

    async def _tell(self, happening: Wired, since: float) -> None:
        content = None
        if isinstance(happening, Said) and happening.file is not None:
            happening, content = await self._with_file(happening)
        tries = 0
        while self._time.now() - since < _TOO_LATE:
            try:
                await self._link.tell(happening, content)
            except Unwelcome as error:
                self.count("unwelcome", str(error))
                return
            except LinkError as error:
                if tries % 20 == 0:
                    log.warning("wechaty_untold", reason=str(error), waiting=self.waiting)
                await self._time.sleep(pause(tries, 0.5))
                tries += 1
            else:
                return
        self.count("too_late", "the assistant was away")

    async def _with_file(self, said: Said) -> tuple[Said, bytes | None]:
        """The message with its file; without it where it is too large, or cannot be had, and in a group."""
        if said.from_bot or said.chat == "group":
            return said, None
        try:
            return said, await self.patiently(lambda: self._puppet.file(said.event, most=self._rules.most))
        except TooLargeError:
            enclosed = said.file.model_copy(update={"too_large": True}) if said.file else None
            return said.model_copy(update={"file": enclosed}), None
        except GatewayError as error:
            self.count("file_lost", str(error))
            return said.model_copy(update={"file": None, "unread": "other"}), None

    def count(self, what: str, why: str) -> None:
        """Something was not read, or not told."""
        self._counts[what] += 1
        log.warning("wechaty_dropped", what=what, why=why)
