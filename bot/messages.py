"""What goes in and out of a conversation: our own frozen types. SDK objects stop in bot/channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Chat = Literal["private", "group"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where something is said: a conversation of a channel's account. `chat` tells whether others read along."""

    channel: str
    account: str = ""
    conversation: str
    chat: Chat = "private"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """Something sent along with a message; `kind` is picture, file, voice or video.

    `id` is that of the file where the channel has handed it over (`FileDesk.keep`); whose it is, the turn looks up.
    """

    kind: str
    name: str = ""
    id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inbound:
    """One message. `event_id` is unique per channel and account; the same one twice is answered the same.

    `from_bot` tells that no person wrote it: the assistant's own account, or one that the platform knows for a bot.
    """

    address: Address
    event_id: str
    sender: str
    text: str
    mentioned: bool = False
    from_bot: bool = False
    attachments: tuple[Attachment, ...] = ()


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
class Outbound:
    """One message to be said, rendered.

    `id` is its position in the conversation on channels whose clients fetch what is said, else its row. `reply` tells
    whether it answers a message.
    """

    address: Address
    text: str
    options: tuple[Option, ...] = ()
    link: str = ""
    id: int = 0
    card: Card | None = None
    files: tuple[File, ...] = ()
    reply: bool = False


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
    """What a platform said of a message that it took; `confirmed` where that means that it was delivered."""

    confirmed: bool = True


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


def numbered(text: str, options: Sequence[Option], *, first: int = 1) -> str:
    """The text with its options as a numbered list, for channels without buttons; `first` is the first number."""
    lines = [f"{number}. {option.label}" for number, option in enumerate(options, start=first)]
    return "\n".join([text, *lines])
