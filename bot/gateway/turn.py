"""From a message to its replies: duplicates dropped, parsed outside the transaction, everything committed once."""

from __future__ import annotations

import asyncio
import re
import time
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from actions.blocks.cards import MASK, masked
from actions.blocks.identity import said
from actions.core.notify import LANES, next_position
from actions.core.tables import Conversation, Outgoing, Turn
from bot.gateway import hearing, loops, numbers, rows, threads
from bot.gateway.answering import LONGEST, SAYS_SOMETHING, Answerer
from bot.gateway.events import heed
from bot.gateway.folding import fold
from bot.gateway.saying import Saying
from bot.gateway.second import SecondOpinion, idle
from nlu.types import Parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Context
    from actions.core.tables import Account
    from actions.knowledge import Draft
    from bot.gateway.house import House
    from bot.messages import Address, Event, Inbound, Outbound

log = structlog.get_logger(__name__)

_TRIES = 3
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class Understanding(Protocol):
    """The NLU pipeline."""

    async def parse(self, text: str, now: datetime) -> Parse:
        """What a message says. Never raises."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A finished turn: its replies, and what a replay or a log tells of it."""

    replies: tuple[Outbound, ...]
    intent: str = ""
    service: str = ""
    repeated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Heard:
    """A message as it is meant. `from_group`: what was asked in a group goes on here; `draft` may answer it."""

    inbound: Inbound
    parse: Parse
    from_group: bool = False
    draft: Draft | None = None


class Gateway:
    """Answers messages, one at a time in each conversation."""

    def __init__(
        self,
        house: House,
        pipeline: Understanding,
        clock: Callable[[], datetime],
        after_commit: Callable[[], None] = lambda: None,
        second: SecondOpinion | None = None,
    ) -> None:
        """`second` is asked about what the pipeline did not understand."""
        self._second = second
        self._house = house
        self._pipeline = pipeline
        self._clock = clock
        self._after_commit = after_commit
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def receive(self, inbound: Inbound) -> tuple[Outbound, ...]:
        """The replies to a message; the same event again gives the same replies and does nothing."""
        return (await self.answer(inbound)).replies

    async def notice(self, event: Event) -> None:
        """Takes what a platform tells beside messages: who joined, what moved, who has gone."""
        await heed(self._house, event, self._clock())
        self._after_commit()

    async def answer(self, inbound: Inbound) -> Answered:
        """As `receive`, with what the turn was about.

        In a group only what is said to the assistant is read, and the words that its officer set; bots and the
        assistant itself are never answered.
        """
        inbound = replace(inbound, text=masked(inbound.text))
        addressed = hearing.addressed(self._house, inbound)
        if inbound.from_bot or not (addressed or await hearing.wanted(self._house, inbound, self._clock())):
            return Answered(replies=())
        started = time.perf_counter()
        key = _conversation_key(inbound)
        lock = self._locks.setdefault(f"{inbound.address.channel}:{inbound.address.account}:{key}", asyncio.Lock())
        async with lock:
            self._house.fault("turn.received")
            stored = await self._stored(inbound)
            if stored is not None:
                return stored
            heard = await self._heard(inbound, key) if addressed else _Heard(inbound=inbound, parse=_unread(inbound))
            self._house.fault("turn.parsed")
            answered = await self._with_retries(heard, key)
        self._after_commit()
        log.info(
            "turn",
            channel=inbound.address.channel,
            chat=inbound.address.chat,
            replies=len(answered.replies),
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        return answered

    async def _heard(self, inbound: Inbound, key: str) -> _Heard:
        """A message as it is meant: a number is its option; who came over from a group means what they asked there."""
        inbound = await numbers.meant(self._house, inbound, key)
        waiting = await threads.pending(self._house, inbound, self._clock())
        parse = await self._understand(inbound)
        if not waiting or not threads.came_over(self._house, inbound, parse):
            return await self._helped(_Heard(inbound=inbound, parse=parse), key)
        inbound = replace(inbound, text=waiting, met=False)
        return _Heard(inbound=inbound, parse=await self._understand(inbound), from_group=True)

    async def _helped(self, heard: _Heard, key: str) -> _Heard:
        """With what a second opinion adds; it is asked here, where no lock is held."""
        second, parse, now = self._second, heard.parse, self._clock()
        if (
            second is None
            or parse.crisis is not None
            or said(parse.text) is not None
            or not await idle(self._house, heard.inbound, key, now)
        ):
            return heard
        if second.wanted(parse):
            return replace(heard, parse=await second.on(parse))
        return replace(heard, draft=await second.draft(parse, now))

    async def _understand(self, inbound: Inbound) -> Parse:
        text = clean(inbound.text)
        for name in self._house.names:
            text = text.replace(f"@{name}", "").strip()
        if inbound.address.chat == "group":
            # 娘家人，帮助: its name says that it is spoken to, and nothing more.
            text = hearing.heard_of(self._house, inbound, text).text or text
        if len(text) > LONGEST or not SAYS_SOMETHING.search(text):
            return Parse(text=text, intent="out_of_scope", confidence=0.0)
        return await self._pipeline.parse(text, self._clock())

    async def _with_retries(self, heard: _Heard, key: str) -> Answered:
        """A turn that lost a race (a deadlock, the same event elsewhere) is done anew from the start."""
        for attempt in range(_TRIES):
            try:
                return await self._turn(heard, key)
            except (IntegrityError, OperationalError) as error:
                stored = await self._stored(heard.inbound)
                if stored is not None:
                    return stored
                if attempt == _TRIES - 1:
                    raise
                log.warning("turn_retried", attempt=attempt + 1, error=type(error.orig).__name__)
        raise AssertionError

    # --- one transaction

    async def _turn(self, heard: _Heard, key: str) -> Answered:
        house, now, inbound, parse = self._house, self._clock(), heard.inbound, heard.parse
        saying = Saying(address=inbound.address)
        async with house.database.write() as session:
            turn, conversation = await self._begin(session, inbound, key, now)
            account = await rows.account_of(session, inbound, now)
            context = house.context(session, await rows.actor_of(session, inbound, account), now)
            answerer = Answerer(house, context, inbound, parse, from_group=heard.from_group, draft=heard.draft)
            house.fault("turn.begun")
            if inbound.met:
                saying.welcome(context.actor)
                service = ""
            elif inbound.address.chat == "group":
                service = await self._in_group(answerer, context, conversation, saying, account)
            else:
                threads.settle(account)
                service = await answerer.answer(conversation, saying)
            house.fault("turn.handled")
            if parse.crisis is None:
                if MASK in parse.text and saying.parts:
                    saying.parts.insert(0, ("cases.card_masked", {}))
                # What is said in secret leaves no mark of any kind.
                unmarked = saying.secret or said(parse.text) is not None
                await loops.guard(context, turn, saying, "" if unmarked else parse.text)
            row = await self._write_reply(context, inbound, turn, saying)
            house.fault("turn.written")
        house.fault("turn.committed")
        replies = () if row is None else (self._reply(inbound.address, row, saying.content),)
        return Answered(replies=replies, intent=parse.intent, service=self._house.catalogue.whole(service))

    async def _in_group(
        self, answerer: Answerer, context: Context, conversation: Conversation, saying: Saying, account: Account
    ) -> str:
        """Answers where others read along; what goes on in private is queued there. Returns the service."""
        inbound, parse = answerer.inbound, answerer.parse
        if await answerer.heard(saying, alone=True) or not hearing.addressed(self._house, inbound):
            return ""
        service, aside = await answerer.answer_in_group(conversation, saying, account)
        if aside is None and parse.crisis is None:
            aside = fold(self._house, context, saying, account, parse.text)
        if aside is not None and aside.parts:
            context.session.add(self._row(context, aside, turn=None))
        saying.mention = {"sender": inbound.sender, "name": inbound.name}
        return service

    async def _begin(
        self, session: AsyncSession, inbound: Inbound, key: str, now: datetime
    ) -> tuple[Turn, Conversation]:
        conversation = await rows.conversation_at(session, self._house.database, inbound.address, key, now)
        turn = Turn(
            channel=inbound.address.channel,
            account=inbound.address.account,
            event_id=inbound.event_id,
            conversation_id=conversation.id,
            created_at=now,
        )
        session.add(turn)
        await session.flush()
        return turn, conversation

    # --- what goes out

    async def _write_reply(self, context: Context, inbound: Inbound, turn: Turn, saying: Saying) -> Outgoing | None:
        if not saying.parts:
            return None
        row = self._row(context, saying, turn=turn)
        if inbound.address.channel in self._house.pull:
            row.state, row.sent_at = "sent", context.now
            where = {"channel": row.channel, "account": row.account, "conversation": row.conversation}
            row.position = await next_position(context.session, context.now, **where)
        context.session.add(row)
        await context.session.flush()
        return row

    def _reply(self, address: Address, row: Outgoing, content: Mapping[str, Any]) -> Outbound:
        message = self._house.wording.outbound(address, content, row_id=row.position or row.id)
        return replace(message, reply=True)

    def _row(self, context: Context, saying: Saying, *, turn: Turn | None) -> Outgoing:
        # Rendered once here: a sentence that cannot be rendered must fail the turn, not the delivery.
        self._house.wording.outbound(saying.address, saying.content)
        return Outgoing(
            channel=saying.address.channel,
            account=saying.address.account,
            conversation=saying.address.conversation,
            chat=saying.address.chat,
            kind="reply",
            lane=LANES["reply"],
            turn_id=turn.id if turn else None,
            content=self._house.vault.seal(saying.content, about="outgoing"),
            due_at=context.now,
            state="queued",
        )

    async def _stored(self, inbound: Inbound) -> Answered | None:
        """The replies of an event that was answered before."""
        address = inbound.address
        async with self._house.database.read() as session:
            query = select(Turn.id).where(
                Turn.channel == address.channel, Turn.account == address.account, Turn.event_id == inbound.event_id
            )
            turn_id = (await session.execute(query)).scalar_one_or_none()
            if turn_id is None:
                return None
            rows = (await session.execute(select(Outgoing).where(Outgoing.turn_id == turn_id))).scalars().all()
        contents = [(row, self._house.vault.open(row.content, about="outgoing")) for row in rows if row.content]
        replies = tuple(self._reply(address, row, content) for row, content in contents)
        return Answered(replies=replies, repeated=True)


def _unread(inbound: Inbound) -> Parse:
    """What was not said to the assistant is not understood, only held against exact words."""
    return Parse(text=clean(inbound.text), intent="out_of_scope", confidence=0.0)


def _conversation_key(inbound: Inbound) -> str:
    """In a group each person has a conversation of their own with the assistant."""
    address = inbound.address
    return address.conversation if address.chat == "private" else f"{address.conversation}\n{inbound.sender}"


def clean(text: str) -> str:
    """A message without control characters, direction marks and lone surrogates."""
    return _CONTROL.sub("", text.encode("utf-8", "ignore").decode("utf-8")).strip()
