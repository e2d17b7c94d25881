"""What a Wechaty gateway tells, as our own values; nothing of its packages goes further than this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.wire import State

EventKind = Literal[
    "message",
    "friendship",
    "room-invite",
    "room-join",
    "room-leave",
    "room-topic",
    "scan",
    "ready",
    "login",
    "logout",
    "dirty",
]
#: The numbers of wechaty/puppet/event.proto; the others tell us nothing that we need.
EVENTS: Mapping[int, EventKind] = {
    2: "message",
    17: "friendship",
    18: "room-invite",
    19: "room-join",
    20: "room-leave",
    21: "room-topic",
    22: "scan",
    23: "ready",
    25: "login",
    26: "logout",
    27: "dirty",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something happened; `data` is what the gateway wrote, and may be anything."""

    kind: EventKind
    data: Mapping[str, Any]

    def text(self, name: str) -> str:
        """An entry that is to be a text; empty where it is none."""
        value = self.data.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """An entry that is to be a list of texts."""
        value = self.data.get(name)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message. `type` is the number of the gateway's own enumeration (Text is 7), not that of its proto file."""

    id: str
    type: int
    talker: str
    listener: str = ""
    room: str = ""
    text: str = ""
    filename: str = ""
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """An account. `person` is false for official ones."""

    name: str = ""
    person: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A group."""

    title: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Friendship:
    """Somebody asks to be a friend (`asks`), or is one from now on."""

    contact: str
    asks: bool
    confirmed: bool


class GatewayError(Exception):
    """Something was not done; the reason names no address and no text."""


class AwayError(GatewayError):
    """There is no connection: it was not done, for sure."""


class RefusedError(GatewayError):
    """The gateway, or WeChat behind it, did not do it. `state` is what that says of the connection."""

    def __init__(self, reason: str, state: State = "away") -> None:
        super().__init__(reason)
        self.state: State = state


class DoubtError(GatewayError):
    """The connection broke, or nothing was answered in time: it may have been done."""


class TooLargeError(GatewayError):
    """A file is larger than we take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the gateway is. With `tls`, `ca` is a file of certificates to believe (empty: the machine's)."""

    host: str
    port: int
    token: str = field(repr=False)
    tls: bool = False
    ca: str = ""
    tls_name: str = ""
