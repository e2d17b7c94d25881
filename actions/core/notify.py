"""Saying something to a member later or now: a row that delivery renders and sends.

The row is written in the transaction of what it speaks of, so neither is there without the other.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from actions.core.tables import Outgoing, Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from actions.core.commands import Command, Context

# Letters and digits that are not mistaken for one another when read aloud or typed.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An answer that a notification offers: its label runs the command. `asks_reason` takes the words behind it."""

    label: str
    command: Command
    asks_reason: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What is to be said to a member. Without `due` it is said at once; after `expires` it is not said at all."""

    member_id: int
    wording: str
    params: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""
    due: datetime | None = None
    expires: datetime | None = None
    options: Sequence[Option] = ()
    unique_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What is to be said to an address that need not be a member's: an e-mail, or an account that is not bound.

    `member_id` is whom it concerns, where that is known. It expires as a `Notice` does.
    """

    channel: str
    account: str = ""
    conversation: str
    wording: str
    params: Mapping[str, Any] = field(default_factory=dict)
    member_id: int | None = None
    subject: str = ""
    expires: datetime | None = None


async def notify(context: Context, notice: Notice) -> Outgoing:
    """Writes the row (and the prompt of its options); the caller's unit of work commits it."""
    options = await _prompt(context, notice) if notice.options else []
    row = Outgoing(
        member_id=notice.member_id,
        content=_sealed(context, notice.wording, notice.params, options),
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
        content=_sealed(context, letter.wording, letter.params, []),
        subject=letter.subject,
        due_at=context.now,
        expires_at=letter.expires,
    )
    context.session.add(row)
    await context.session.flush()
    return row


def _sealed(context: Context, wording: str, params: Mapping[str, Any], options: list[dict[str, str]]) -> str:
    return context.vault.seal({"parts": [[wording, dict(params)]], "options": options}, about="outgoing")


async def _prompt(context: Context, notice: Notice) -> list[dict[str, str]]:
    code = "".join(secrets.choice(_ALPHABET) for _ in range(5))
    options = {
        option.label: {
            "command": option.command.name,
            "arguments": option.command.model_dump(mode="json"),
            "asks_reason": option.asks_reason,
        }
        for option in notice.options
    }
    context.session.add(
        Prompt(
            code=code,
            member_id=notice.member_id,
            options=context.vault.seal(options, about="prompt"),
            subject=notice.subject,
            expires_at=notice.expires,
        )
    )
    return [{"label": label, "value": f"{label} {code}"} for label in options]


async def cancel_notices(context: Context, subject: str) -> None:
    """Takes back what has not been said about a record yet, and closes its open options."""
    await context.session.execute(
        update(Outgoing)
        .where(Outgoing.subject == subject, Outgoing.state == "queued", Outgoing.turn_id.is_(None))
        .values(state="cancelled")
    )
    await close_prompts(context, subject)


async def close_prompts(context: Context, subject: str) -> None:
    """Closes the open options about a record: it has been decided."""
    await context.session.execute(
        update(Prompt).where(Prompt.subject == subject, Prompt.closed_at.is_(None)).values(closed_at=context.now)
    )


async def open_prompts(context: Context, member_id: int) -> list[Prompt]:
    """Prompts that wait for a member's answer, oldest first."""
    rows = (
        await context.session.execute(
            select(Prompt).where(Prompt.member_id == member_id, Prompt.closed_at.is_(None)).order_by(Prompt.id)
        )
    ).scalars()
    return [row for row in rows if row.expires_at is None or row.expires_at > context.now]
