"""Saying something to a member later or now: a row that delivery renders and sends.

The row is written in the transaction of what it speaks of, so neither is there without the other.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sqlalchemy import delete, func, select, update

from actions.core.entries import card_content
from actions.core.tables import Outgoing, Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Command, Context
    from actions.core.entries import CalendarEntry

Kind = Literal["reply", "alert", "service", "reminder", "news"]

#: Who is served first, where several wait for one channel. Within a lane the older one is.
#:
#: reply     answers a message; said at once, at any hour
#: alert     cannot wait: danger, a person who is talking to one, a code that was just asked for
#: service   what a member asked for or has to know: decisions, offers; at any hour, as it follows what somebody did
#: reminder  a service message that was set long ago: waits until the quiet hours are over, if it is still useful then
#: news      what the union would like them to know: quiet hours, the cap, and what the member wants are kept
LANES: dict[Kind, int] = {"reply": 0, "alert": 0, "service": 1, "reminder": 1, "news": 2}

#: States of a row that is still to be handed over, for the first time or (in doubt) again: it can be taken back.
WAITING = ("queued", "paused", "unknown")

# Letters and digits that are not mistaken for one another when read aloud or typed.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
# A conversation that goes on adds to its prompt: so many sentences are kept to be shown again.
_MOST_KEPT = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An answer that a notification offers: its label runs the command.

    `asks_reason` takes the words behind it, `longest` code points of them at most. `coded`: it counts with the
    notification's code alone, because words for somebody else must not reach the wrong one.
    """

    label: str
    command: Command
    asks_reason: bool = False
    longest: int = 200
    coded: bool = False


class Handed(Protocol):
    """A file of a record; whoever opens it has their right looked up then."""

    @property
    def id(self) -> str:
        """What it is fetched with."""
        ...

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def kind(self) -> str:
        """`picture` or `document`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What is to be said to a member. Without `due` it is said at once; after `expires` it is not said at all.

    `calendar` is the record that it speaks of, shown as a card; `files` are shown to open. `again` adds to the
    member's open prompt about the subject, whose code stays as it is. `kind` decides who is served first and at which
    hours (see `LANES`); news name their `topic`.
    """

    member_id: int
    wording: str
    params: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    due: datetime | None = None
    expires: datetime | None = None
    options: Sequence[Option] = ()
    unique_key: str | None = None
    calendar: CalendarEntry | None = None
    files: Sequence[Handed] = ()
    again: bool = False
    kind: Kind = "service"
    topic: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What is to be said to an address that need not be a member's: an e-mail, or an account that is not bound.

    `member_id` is whom it concerns, where that is known. It expires as a `Notice` does. `chat` tells whether others
    read along.
    """

    channel: str
    account: str = ""
    conversation: str
    wording: str
    params: Mapping[str, Any] = field(default_factory=dict)
    member_id: int | None = None
    subject: str = ""
    due: datetime | None = None
    expires: datetime | None = None
    kind: Kind = "alert"
    topic: str = ""
    chat: Literal["private", "group"] = "private"
    unique_key: str | None = None


async def notify(context: Context, notice: Notice) -> Outgoing:
    """Writes the row (and the prompt of its options); the caller's unit of work commits it."""
    options = await offer(context, notice) if notice.options else []
    row = Outgoing(
        member_id=notice.member_id,
        kind=notice.kind,
        lane=LANES[notice.kind],
        topic=notice.topic,
        content=_sealed(context, notice.wording, notice.params, options, notice.calendar, notice.files),
        subject=notice.subject,
        unique_key=notice.unique_key,
        due_at=notice.due or context.now,
        expires_at=notice.expires,
    )
    context.session.add(row)
    await context.session.flush()
    return row


async def send_letter(context: Context, letter: Letter) -> Outgoing:
    """Writes a row that carries its own address; the caller's unit of work commits it."""
    row = Outgoing(
        member_id=letter.member_id,
        channel=letter.channel,
        account=letter.account,
        conversation=letter.conversation,
        chat=letter.chat,
        kind=letter.kind,
        lane=LANES[letter.kind],
        topic=letter.topic,
        content=_sealed(context, letter.wording, letter.params, []),
        subject=letter.subject,
        unique_key=letter.unique_key,
        due_at=letter.due or context.now,
        expires_at=letter.expires,
    )
    context.session.add(row)
    await context.session.flush()
    return row


def _sealed(
    context: Context,
    wording: str,
    params: Mapping[str, Any],
    options: list[dict[str, str]],
    calendar: CalendarEntry | None = None,
    files: Sequence[Handed] = (),
) -> str:
    content: dict[str, Any] = {"parts": [[wording, dict(params)]], "options": options}
    if calendar is not None:
        content["card"] = card_content(context.vault, calendar)
    if files:
        content["files"] = [{"id": file.id, "name": file.name, "kind": file.kind} for file in files]
    return context.vault.seal(content, about="outgoing")


async def next_position(session: AsyncSession, now: datetime, *, channel: str, account: str, conversation: str) -> int:
    """The position of what is said next in a conversation: microseconds of the clock, after all that was said there.

    Who asks has the conversation for themselves until they commit; else two things may stand in one place.
    """
    query = select(func.max(Outgoing.position)).where(
        Outgoing.conversation == conversation, Outgoing.channel == channel, Outgoing.account == account
    )
    last = (await session.execute(query)).scalar_one() or 0
    return max(last + 1, int(now.timestamp() * 1_000_000))


async def offer(context: Context, notice: Notice) -> list[dict[str, str]]:
    """Opens the prompt of a notice that is not sent but said by the caller; returns the answers to click."""
    prompt = await _standing(context, notice) if notice.again else None
    if prompt is None:
        code = "".join(secrets.choice(ALPHABET) for _ in range(5))
        prompt = Prompt(code=code, member_id=notice.member_id, subject=notice.subject)
        context.session.add(prompt)
    said = [*_kept(context, prompt), [notice.wording, dict(notice.params)]][-_MOST_KEPT:]
    prompt.notice = context.vault.seal(said, about="prompt")
    prompt.options = context.vault.seal(
        {
            option.label: {
                "command": option.command.name,
                "arguments": option.command.model_dump(mode="json"),
                "asks_reason": option.asks_reason,
                "longest": option.longest,
                "coded": option.coded,
            }
            for option in notice.options
        },
        about="prompt",
    )
    prompt.expires_at = notice.expires
    return buttons(context, prompt)


async def _standing(context: Context, notice: Notice) -> Prompt | None:
    mine = await open_prompts(context, notice.member_id)
    return next((prompt for prompt in mine if prompt.subject == notice.subject), None)


def _kept(context: Context, prompt: Prompt) -> list[list[Any]]:
    return list(context.vault.open(prompt.notice, about="prompt")) if prompt.notice else []


def told(context: Context, prompt: Prompt) -> list[tuple[str, dict[str, Any]]]:
    """The sentences of a prompt's notice: (key, parameters)."""
    return [(wording, params) for wording, params in _kept(context, prompt)]


def buttons(context: Context, prompt: Prompt) -> list[dict[str, str]]:
    """The answers of a prompt to click."""
    labels = context.vault.open(prompt.options, about="prompt")
    return [{"label": label, "value": f"{label} {prompt.code}"} for label in labels]


async def cancel_notices(context: Context, subject: str) -> None:
    """Takes back what has not been said about a record yet, and closes its open options."""
    await context.session.execute(
        update(Outgoing)
        .where(Outgoing.subject == subject, Outgoing.state.in_(WAITING), Outgoing.turn_id.is_(None))
        .values(state="cancelled")
    )
    await close_prompts(context, subject)


async def close_prompts(context: Context, subject: str, *, but: int = 0) -> None:
    """Closes the open options about a record: it has been decided. Those of the member `but` stay."""
    await context.session.execute(
        update(Prompt)
        .where(Prompt.subject == subject, Prompt.closed_at.is_(None), Prompt.member_id != but)
        .values(closed_at=context.now, notice="")
    )


async def forget_prompts(context: Context, subjects: Sequence[str]) -> None:
    """Deletes the options about records that are no more."""
    await context.session.execute(delete(Prompt).where(Prompt.subject.in_(subjects)))


async def open_prompts(context: Context, member_id: int) -> list[Prompt]:
    """Prompts that wait for a member's answer, oldest first."""
    rows = (
        await context.session.execute(
            select(Prompt).where(Prompt.member_id == member_id, Prompt.closed_at.is_(None)).order_by(Prompt.id)
        )
    ).scalars()
    return [row for row in rows if row.expires_at is None or row.expires_at > context.now]
