"""From what the assistant wants sent to what the gateway sends: each job once, its parts in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.channels.wechaty.link import LinkError, Unwelcome
from bot.channels.wechaty.pace import pause
from bot.channels.wechaty.seen import AwayError, DoubtError, RefusedError
from bot.wire import Asked, Done, Report

if TYPE_CHECKING:
    from collections import Counter

    from bot.channels.wechaty.gateway import Connection
    from bot.channels.wechaty.link import Link
    from bot.channels.wechaty.pace import Time
    from bot.channels.wechaty.puppet import Puppet
    from bot.wire import Enclosure, Job

log = structlog.get_logger(__name__)

_K = TypeVar("_K")
_V = TypeVar("_V")

_MOST_REMEMBERED = 20_000
#: What WeChat refuses so often it will not take: to try on is what accounts are banned for.
_REFUSALS = 3
#: Seconds: after an outage the assistant may try again at once; WeChat's own echo of a message is waited for.
_AGAIN, _ECHO = 1.0, 5.0


@dataclass(kw_only=True, slots=True)
class _Progress:
    """How far a job has come: the ids of its parts that were sent, and how often one was refused."""

    refs: list[str] = field(default_factory=list)
    refusals: int = 0


class Outward:
    """What goes out."""

    def __init__(
        self, name: str, connection: Connection, puppet: Puppet, link: Link, *, time: Time, counts: Counter[str]
    ) -> None:
        """Starts nothing yet. `name` is that of this process, which no other has."""
        self._name = name
        self._connection = connection
        self._puppet = puppet
        self._link = link
        self._time = time
        self._counts = counts
        self._hands: dict[str, asyncio.Task[None]] = {}
        self._progress: OrderedDict[str, _Progress] = OrderedDict()
        self._finished: OrderedDict[str, Done] = OrderedDict()
        self._unreported: dict[str, Done] = {}
        self._echoes: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._news = asyncio.Event()
        self._reports = 0

    def changed(self) -> None:
        """The state of the connection has changed: the assistant is told."""
        self._news.set()

    def echo(self, conversation: str, text: str, ref: str) -> None:
        """WeChat has shown us a message of our own: it was sent."""
        _keep(self._echoes, (conversation, text), ref)

    async def run(self) -> None:
        """Asks for what is to be done, does it, and reports, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._ask_always())
                tasks.create_task(self._report_always())
        finally:
            for task in self._hands.values():
                task.cancel()
            await asyncio.gather(*self._hands.values(), return_exceptions=True)

    async def _ask_always(self) -> None:
        tries = 0
        while True:
            has = (*self._hands, *self._unreported)
            asked = Asked(**self.report().model_dump(), has=has)
            try:
                jobs = await self._link.ask(asked)
            except (LinkError, Unwelcome) as error:
                if tries % 20 == 0:
                    log.warning("wechaty_no_assistant", reason=str(error))
                await self._time.sleep(pause(tries, 0.5))
                tries += 1
                continue
            tries = 0
            self._reported(asked)
            for job in jobs:
                self._begin(job)

    async def _report_always(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            report = self.report()
            # What cannot be told now is told with the next question.
            with contextlib.suppress(LinkError, Unwelcome):
                await self._link.report(report)
                self._reported(report)

    def report(self, *, leaving: bool = False) -> Report:
        """How things are now, or that the bridge is about to end."""
        self._reports += 1
        return Report(
            bridge=self._name,
            number=self._reports,
            state="away" if leaving else self._connection.state,
            counts=dict(self._counts),
            done=tuple(self._unreported.values())[:500],
        )

    def _reported(self, report: Report) -> None:
        for done in report.done:
            if self._unreported.get(done.key) == done:
                del self._unreported[done.key]

    # --- one job

    def _begin(self, job: Job) -> None:
        known = self._finished.get(job.key)
        if known is not None:
            # The assistant has not learnt of it, and asks again: it is not sent again.
            self._end(known)
        elif job.key not in self._hands:
            self._hands[job.key] = asyncio.create_task(self._work(job))

    async def _work(self, job: Job) -> None:
        try:
            done = await self._attempt(job)
        finally:
            self._hands.pop(job.key, None)
        if not done.error:
            _keep(self._finished, job.key, done)
            self._progress.pop(job.key, None)
        self._end(done)

    def _end(self, done: Done) -> None:
        self._unreported[done.key] = done
        self._news.set()

    async def _attempt(self, job: Job) -> Done:
        retry_after, permanent = None, False
        try:
            return await self._do(job)
        except (AwayError, LinkError) as error:
            reason, retry_after = str(error), _AGAIN
        except DoubtError as error:
            self._counts["in_doubt"] += 1
            reason, retry_after = str(error), _AGAIN
        except RefusedError as error:
            progress = self._of(job)
            progress.refusals += 1
            self._counts["send_refused"] += 1
            reason, permanent = str(error), progress.refusals >= _REFUSALS
        except Unwelcome:
            reason, permanent = "a file of it is gone", True
        except Exception as error:
            # Without its trace: that may hold what was said.
            reason = type(error).__name__
            self._counts["job_failed"] += 1
        return Done(key=job.key, error=reason[:200], permanent=permanent, retry_after=retry_after)

    def _of(self, job: Job) -> _Progress:
        found = self._progress.get(job.key) or _Progress()
        _keep(self._progress, job.key, found)
        return found

    async def _do(self, job: Job) -> Done:
        if job.recall:
            taken_back = [await self._puppet.recall(ref) for ref in job.recall.split()]
            if not all(taken_back):
                return Done(key=job.key, error="cannot be taken back any more", permanent=True)
            return Done(key=job.key)
        refs = self._of(job).refs
        parts: list[str | Enclosure] = [*job.texts, *job.files]
        for part in parts[len(refs) :]:
            first = not refs
            refs.append(await (self._say(job, part, first=first) if isinstance(part, str) else self._file(job, part)))
        return Done(key=job.key, ref=" ".join(filter(None, refs))[:2_000], confirmed=all(refs))

    async def _say(self, job: Job, text: str, *, first: bool) -> str:
        mentions: tuple[str, ...] = ()
        if first and job.mention is not None:
            # The name is for those who read along, the id is what makes the phone ring.
            mentions = (job.mention.sender,)
            text = f"@{job.mention.name}\u2005{text}" if job.mention.name else text
        self._echoes.pop((job.conversation, text), None)
        try:
            return await self._puppet.say(job.conversation, text, mentions)
        except DoubtError:
            if found := await self._echoed(job.conversation, text):
                return found
            raise

    async def _echoed(self, conversation: str, text: str) -> str:
        """The id of a message that was sent all the same, where the line holds and WeChat shows it to us."""
        until = self._time.now() + _ECHO
        while self._connection.connected.is_set() and self._time.now() < until:
            if found := self._echoes.get((conversation, text)):
                return found
            await self._time.sleep(0.2)
        return ""

    async def _file(self, job: Job, file: Enclosure) -> str:
        content = await self._link.fetch(job.key, file.id)
        return await self._puppet.send_file(job.conversation, file.name, content)


def _keep(where: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    where[key] = value
    where.move_to_end(key)
    if len(where) > _MOST_REMEMBERED:
        where.popitem(last=False)
