"""What the bridge of a channel and the assistant say to one another over HTTP: plain JSON, checked on both sides.

The bridge tells what happens, asks what is to be sent, and reports how that went. It opens no database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from bot.messages import Chat, Unread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Under which the interface has it.
PREFIX = "/api/v1/bridge/wechaty"
#: Seconds that a question for what is to be sent is kept open, at most.
LONGEST_WAIT = 30.0
#: Code points of a message that are handed on: the assistant reads less, and says so.
LONGEST_TEXT = 20_000

# As the columns that keep them; no control characters.
_Id = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]


class Wired(BaseModel):
    """What goes over the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_SAID: dict[str, Any] = {
    "kind": "said",
    "event": "7301846",
    "conversation": "wxid_lin",
    "chat": "private",
    "sender": "wxid_lin",
    "text": "下周三下午想约心理咨询",
}
_REPORT: dict[str, Any] = {"bridge": "b1", "number": 3, "state": "ready", "done": [{"key": "182", "ref": "m-9"}]}


class Enclosed(Wired):
    """The file of a message: sent along with it, or (`too_large`) not even fetched."""

    name: _Name
    kind: Literal["picture", "file"]
    too_large: bool = False


class Said(Wired):
    """Somebody said something. `unread` is what came instead of text, `name` what the platform calls the sender."""

    model_config = ConfigDict(json_schema_extra={"example": _SAID})

    kind: Literal["said"] = "said"
    event: _Id
    conversation: _Id
    chat: Chat
    sender: _Id
    name: _Name = ""
    text: str = Field("", max_length=LONGEST_TEXT)
    mentioned: bool = False
    from_bot: bool = False
    unread: Unread | None = None
    file: Enclosed | None = None


class Befriended(Wired):
    """Somebody can be spoken to in private from now on."""

    kind: Literal["befriended"] = "befriended"
    event: _Id
    sender: _Id


class Left(Wired):
    """Somebody has blocked or removed the account."""

    kind: Literal["left"] = "left"
    sender: _Id


class GroupJoined(Wired):
    """Somebody has joined a group."""

    kind: Literal["joined"] = "joined"
    conversation: _Id
    names: tuple[_Name, ...] = Field((), max_length=100)


class GroupMoved(Wired):
    """A group goes by another id from now on."""

    kind: Literal["moved"] = "moved"
    before: _Id
    conversation: _Id


class GroupsSeen(Wired):
    """The groups that the account is in, title by id."""

    kind: Literal["seen"] = "seen"
    groups: dict[_Id, _Name] = Field(max_length=5_000)


Happening = Annotated[
    Said | Befriended | Left | GroupJoined | GroupMoved | GroupsSeen,
    Field(discriminator="kind"),
]
HAPPENING: TypeAdapter[Any] = TypeAdapter(Happening)

#: away: no connection to the gateway; taken: another client holds it; refused: it does not know our token; starting,
#: scan (somebody has to scan the code with the account's phone), logged_out, ready.
State = Literal["away", "taken", "refused", "starting", "scan", "logged_out", "ready"]


class Mentioned(Wired):
    """Whom a message in a group is for."""

    sender: str
    name: str = ""


class Enclosure(Wired):
    """A file to be fetched and sent along."""

    id: str
    name: str


class Job(Wired):
    """Something to be done once: texts and files to be sent one after the other, or a message to be taken back.

    `key` is the same whenever the same row is handed over again: what was done is not done again.
    """

    key: Key
    conversation: str
    texts: tuple[str, ...] = ()
    mention: Mentioned | None = None
    files: tuple[Enclosure, ...] = ()
    recall: str = ""


class Done(Wired):
    """How a job ended. `ref` is what it is taken back by; `error` names no address and no text."""

    key: Key
    ref: str = Field("", max_length=2_000)
    confirmed: bool = True
    error: str = Field("", max_length=200)
    permanent: bool = False
    retry_after: float | None = Field(None, ge=0, le=3_600)


class Report(Wired):
    """How the bridge is, and what it has done since it was last heard of.

    `bridge` is one running process, `number` grows with each of its reports: they go over several connections, and the
    last one to arrive need not be the last one to be sent. `counts` are things that came and were not read, by kind.
    """

    model_config = ConfigDict(json_schema_extra={"example": _REPORT})

    bridge: Key
    number: int = Field(ge=1)
    state: State
    counts: dict[str, int] = Field(default_factory=dict, max_length=100)
    done: tuple[Done, ...] = Field((), max_length=500)


class Asked(Report):
    """The bridge asks for more; jobs that it `has` in hand already are not handed over again."""

    model_config = ConfigDict(json_schema_extra={"example": {**_REPORT, "has": [], "wait": 25}})

    has: tuple[Key, ...] = Field((), max_length=5_000)
    wait: float = Field(25.0, ge=0, le=LONGEST_WAIT)


class Jobs(Wired):
    """What is to be done now."""

    model_config = ConfigDict(json_schema_extra={"example": {"jobs": []}})

    jobs: tuple[Job, ...] = ()


class BridgeTakenError(Exception):
    """Another bridge is at work: two of them would send everything twice."""


@runtime_checkable
class Desk(Protocol):
    """The assistant's half, as the interface sees it. `own_key` is for a bridge that this process starts itself."""

    own_key: str

    def knows(self, key: str) -> bool:
        """Whether a bearer key is the one that this process gave to its own bridge."""
        ...

    async def take(self, happening: Any, file: BinaryIO | None = None) -> bool:
        """One of `Happening`; False where nothing is taken in at the moment."""
        ...

    async def hand_out(self, asked: Asked) -> Sequence[Job]:
        """What is to be done, waiting a while for something. Raises BridgeTakenError."""
        ...

    def reported(self, report: Report) -> None:
        """Takes note. Raises BridgeTakenError."""
        ...

    def hung_up(self, bridge: str) -> None:
        """The bridge's question was cut off."""
        ...

    async def enclosure(self, key: str, file: str) -> Path | None:
        """Where a file of a job lies; None for what is no file of an open job."""
        ...
