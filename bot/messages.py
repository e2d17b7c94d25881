"""What goes in and out of a conversation, and what a channel is: our own frozen types. No SDK objects here.

A channel hands what it takes in to an `Inlet`; what is said comes to its `send` from delivery, replies too. What
`Inlet.receive` returns is for channels that answer on the spot (the page, the terminal).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.errors import DomainError

Chat = Literal["private", "group"]

#: What came and cannot be read; `channels.unread.<kind>` in data/responses says so.
Unread = Literal["voice", "video", "sticker", "place", "person", "poll", "call", "money", "link", "edited", "other"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where something is said: a conversation of a channel's account. `chat` tells whether others read along."""

    channel: str
    account: str = ""
    conversation: str
    chat: Chat = "private"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A picture or file sent along with a message; `kind` is picture or file.

    `id` is that of the file where the channel has handed it over (`FileDesk.keep`); whose it is, the turn looks up.
    `refused` is why it was not kept: the turn says so.
    """

    kind: str
    name: str = ""
    id: str = ""
    refused: DomainError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Inbound:
    """One message. `event_id` is unique per channel and account; the same one twice is answered the same.

    `from_bot` tells that no person wrote it: the assistant's own account, or one that the platform knows for a bot.
    `name` is what the platform calls the sender, for a mention and nothing else. `unread` is what came instead of text.
    `met` is no message: somebody can be spoken to in private from now on (a friend request, /start). They are welcomed,
    or what they asked in a group is gone on with.
    """

    address: Address
    event_id: str
    sender: str
    text: str
    mentioned: bool = False
    from_bot: bool = False
    attachments: tuple[Attachment, ...] = ()
    name: str = ""
    unread: Unread | None = None
    met: bool = False


# --- what happens beside messages


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """Somebody has blocked or removed the assistant: they are not spoken to there until they write again."""

    address: Address
    sender: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """Somebody has joined a group."""

    address: Address
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A group has another id from now on; `address` is the one it had."""

    address: Address
    conversation: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """The groups that a channel sees now, title by id: one that is known by its title alone is found again."""

    channel: str
    account: str = ""
    groups: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The platform vouches for who somebody is: its directory has their 工号, or they scanned a code of their own."""

    address: Address
    sender: str
    staff_id: str


Event = Gone | Joined | Moved | Seen | Known


class Inlet(Protocol):
    """What a channel hands on. Never raises for what somebody wrote; what it raises is a fault of ours."""

    async def receive(self, inbound: Inbound) -> tuple[Outbound, ...]:
        """One message; it may be handed over again, and is answered once."""
        ...

    async def notice(self, event: Event) -> None:
        """Something that happened; it may be handed over again, and counts once."""
        ...


# --- what is said


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An answer to click: `value` is sent as text."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A record at a glance: a title and rows of (label, value). `token` opens its calendar file."""

    title: str
    rows: tuple[tuple[str, str], ...]
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file to open, for those with the right; `kind` is picture or document."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """Who is spoken to in a group: `sender` as in `Inbound`, `name` for those who read along."""

    sender: str
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outbound:
    """One message to be said, rendered.

    `id` is its position in the conversation on channels whose clients fetch what is said, else its row. `reply` tells
    whether it answers a message. `mention` is whom it answers, in a group.
    """

    address: Address
    text: str
    options: tuple[Option, ...] = ()
    link: str = ""
    id: int = 0
    card: Card | None = None
    files: tuple[File, ...] = ()
    reply: bool = False
    mention: Mention | None = None


class SendError(Exception):
    """A channel could not send. `permanent` ones are not tried again.

    `retry_after` is what the platform asked to wait, in seconds: for this conversation, or for `everybody` on the
    channel. The reason names no address and no text.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: float | None = None, everybody: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        self.everybody = everybody


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a platform said of a message that it took; `confirmed` where that means that it was delivered.

    `ref` is what `Channel.recall` takes it back by, where the platform has such a thing.
    """

    confirmed: bool = True
    ref: str = ""


class Sender(Protocol):
    """The sending half of a channel. A `pulled` channel's clients fetch what was said: sending only wakes them."""

    name: str
    pulled: bool

    async def send(self, message: Outbound) -> Receipt | None:
        """Hands a message over; without a receipt it counts as delivered. Raises SendError."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Senders:
    """All senders by channel name."""

    by_channel: Mapping[str, Sender] = field(default_factory=dict)

    def of(self, channel: str) -> Sender:
        """The sender of a channel. Raises SendError for one that is not running."""
        sender = self.by_channel.get(channel)
        if sender is None:
            raise SendError(f"no channel {channel!r} is running", permanent=False)
        return sender


# --- a channel, both halves of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What the messages of a platform can carry. Where there are no `buttons` options are a numbered list.

    `longest` is the length of a text in UTF-16 code units; 0 is no limit. Longer ones are sent in `pieces`.
    """

    buttons: bool = False
    pictures: bool = False
    files: bool = False
    mention: bool = False
    recall: bool = False
    groups: bool = False
    longest: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """How a channel is: `up` while it can take in messages, `state` in a word or two for the operator.

    `counts` are things that came and were not read, by kind; never what they held.
    """

    up: bool
    state: str
    counts: Mapping[str, int] = field(default_factory=dict)


@runtime_checkable
class Channel(Sender, Protocol):
    """A platform on which people talk to the assistant. Building one opens nothing; `send` works without `start`.

    `over_http`: what people write comes to our HTTP interface, so the process that serves it takes it in.
    """

    capabilities: Capabilities
    over_http: bool

    async def start(self, inlet: Inlet) -> None:
        """Takes messages in until `stop` or a fault; the supervisor starts it again whenever it ends."""
        ...

    async def stop(self) -> None:
        """Ends `start`; what was taken in is answered first."""
        ...

    async def recall(self, address: Address, ref: str) -> None:
        """Takes a message back (`Receipt.ref`). Raises SendError, permanent where that cannot be done any more."""
        ...

    def health(self) -> Health:
        """How it is at this moment."""
        ...


def numbered(text: str, options: Sequence[Option], *, first: int = 1) -> str:
    """The text with its options as a numbered list, for channels without buttons; `first` is the first number."""
    lines = [f"{number}. {option.label}" for number, option in enumerate(options, start=first)]
    return "\n".join([text, *lines])


#: Where a long text is best cut: between paragraphs, lines, sentences, parts of a sentence.
_CUTS = (re.compile(r"\n{2,}"), re.compile(r"\n"), re.compile(r"(?<=[。！？!?；;])"), re.compile(r"(?<=[，、, ])"))


def pieces(text: str, longest: int) -> list[str]:
    """A text in pieces of at most so many UTF-16 code units (0: no limit), cut between paragraphs where it can be."""
    found: list[str] = []
    rest = text.strip()
    while longest and _units(rest) > longest:
        head = _head(rest, longest)
        end = next((cut for pattern in _CUTS if (cut := _last_cut(pattern, rest, head))), head)
        found.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*found, rest] if rest else found


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _head(text: str, longest: int) -> int:
    """How many code points of a text fit; at least one."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > longest:
            return max(index, 1)
    return len(text)


def _last_cut(pattern: re.Pattern[str], text: str, head: int) -> int:
    """Where the head of a text is best cut, by one kind of cut; 0 where a piece would be less than a third of it."""
    cut = max((found.start() for found in pattern.finditer(text, 0, head + 1) if found.start() <= head), default=0)
    return cut if cut * 3 >= head else 0
