"""What the HTTP interface is built from; the composition root gives it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from actions.core.tables import KEY_PER_MINUTE
from bot.api.errors import ApiError
from bot.api.limits import Limiter, Limits
from bot.api.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from fastapi import APIRouter

    from actions.core.database import Database
    from actions.core.entries import CalendarEntry
    from bot.api.sessions import Sessions
    from bot.api.signing_in import SingleSignOn
    from bot.files import FileDesk
    from bot.gateway import House
    from bot.gateway.native import NativeForms
    from bot.messages import Address, Channel, Inbound, Outbound
    from bot.settings import Settings
    from bot.supervisor import Supervisor
    from bot.wire import Desk
    from nlu.rasa.client import Reserve


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Seconds of an event stream.

    Between looks at the database that nothing woke (a safety net), between heartbeats, for a commit to follow its wake,
    and until a client that takes nothing is given up.
    """

    poll: float = 30.0
    heartbeat: float = 20.0
    settle: float = 0.3
    stall: float = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiParts:
    """Everything that the HTTP interface needs.

    Attributes:
        receive: one turn; returns the replies, already committed.
        since: what was said in a conversation after a position, oldest first, at most so many. `Outbound.id` is the
            position; it grows in the order in which things are *said*, for a reminder is written long before.
        before: the last things that were said in a conversation before a position, oldest first, at most so many.
        subscribe: an event that is set when something is said in a conversation, for as long as the block lasts.
        wake: sets the events of a conversation.
        calendar: the calendar entry of a token, None for one that is over; raises DomainError for no token of ours.
        ready: the checks of /readyz by name.
        say: renders a sentence of data/responses (`Wording.text`).
        house: catalogue, commands and records, for what is asked of them without words.
        after_commit: called when a command has been committed: what it says can go out.
        people: (name, sender) of the demo's people; empty outside the demo.
        routers: what channels and the console export.
        files: where files are handed over, and fetched.
        takes_files: whether there is any form that asks for some; else the page does not offer it.
        sso: the university's sign-in, where it is set.
        native: the forms that a Rasa dialogue may call.
        reserve: Rasa with the engine that stands in for it, where Rasa is the engine.
        channels: those whose messages this process takes in.
        supervisor: what keeps them running.
        bridge: what the bridge of WeChat groups speaks to, where there is one.
        stopping: set when the process is told to stop; event streams end then.

    """

    settings: Settings
    database: Database
    now: Callable[[], datetime]
    receive: Callable[[Inbound], Awaitable[tuple[Outbound, ...]]]
    since: Callable[[Address, int, int], Awaitable[Sequence[Outbound]]]
    before: Callable[[Address, int, int], Awaitable[Sequence[Outbound]]]
    subscribe: Callable[[Address], AbstractContextManager[asyncio.Event]]
    wake: Callable[[Address], None]
    calendar: Callable[[str], Awaitable[CalendarEntry | None]]
    ready: Callable[[], Awaitable[Mapping[str, bool]]]
    say: Callable[[str, Mapping[str, Any]], str]
    sessions: Sessions
    metrics: Metrics = field(default_factory=Metrics)
    house: House | None = None
    after_commit: Callable[[], None] = lambda: None
    people: Sequence[tuple[str, str]] = ()
    routers: Sequence[APIRouter] = ()
    files: FileDesk | None = None
    takes_files: bool = False
    sso: SingleSignOn | None = None
    native: NativeForms | None = None
    reserve: Reserve | None = None
    channels: Sequence[Channel] = ()
    supervisor: Supervisor | None = None
    bridge: Desk | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What the running interface remembers: its parts, and who knocked how often."""

    parts: ApiParts
    messages: Limiter
    new_sessions: Limiter
    keys: Limiter
    streams: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: ApiParts) -> State:
        """A fresh state."""
        return cls(
            parts=parts,
            messages=Limiter(parts.limits.messages_per_minute, 60, parts.now),
            new_sessions=Limiter(parts.limits.sessions_per_hour, 3600, parts.now),
            keys=Limiter(KEY_PER_MINUTE, 60, parts.now),
        )


def house_of(api: State) -> House:
    """The house. Raises ApiError where there is none behind this interface."""
    if api.parts.house is None:
        raise ApiError(404, "not_found")
    return api.parts.house


def _state(request: Request) -> State:
    state: State = request.app.state.api
    return state


#: The state of the interface, for routes.
Api = Annotated[State, Depends(_state)]
