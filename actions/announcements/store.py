"""Looking announcements up: one by its number, its sealed text, its batches and how they stand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.announcements.rights import OFFICERS
from actions.announcements.rules import broadcast_rules
from actions.announcements.tables import Announcement
from actions.blocks import materials
from actions.core.batches import SETTLED, Tally, tally
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import WAITING
from actions.core.tables import Batch, Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.blocks.materials import MaterialView
    from actions.core.commands import Context

_ABOUT = "announcement"
_TITLE = 40
_STATES = (*WAITING, "sending", *SETTLED)


def sealed(context: Context, text: str, link: str) -> str:
    """Text and link as the row keeps them."""
    return context.vault.seal({"text": text, "link": link}, about=_ABOUT)


def opened(context: Context, row: Announcement) -> dict[str, Any]:
    """{"text", "link"} of a row."""
    content: dict[str, Any] = context.vault.open(row.content, about=_ABOUT)
    return content


def title_of(text: str) -> str:
    """What a list shows of a text without a title: the beginning of its first line."""
    first = text.strip().splitlines()[0].strip()
    return first if len(first) <= _TITLE else f"{first[: _TITLE - 1]}…"


async def one(context: Context, number: int) -> Announcement:
    """An announcement, locked. Raises DomainError("no_such_announcement")."""
    row = await context.database.lock(context.session, Announcement, number)
    if row is None:
        raise DomainError("no_such_announcement", number=number)
    return row


async def managed(context: Context, number: int) -> Announcement:
    """One that the actor may steer: its author, or an officer of the union. Raises as `one`, and ForbiddenError."""
    row = await one(context, number)
    if not may_manage(context, row):
        raise ForbiddenError
    return row


def may_manage(context: Context, row: Announcement) -> bool:
    """Whether the actor may steer an announcement, and read how it went."""
    actor, (service, _rules) = context.actor, broadcast_rules(context.catalogue)
    author = actor.member is not None and actor.member.id == row.author_id and actor.member.status != "left"
    return author or any(actor.holds(role, service=service) for role in OFFICERS)


async def author_name(context: Context, row: Announcement) -> str:
    """Who wrote it; empty for the operator at the machine."""
    author = await context.session.get(Member, row.author_id) if row.author_id is not None else None
    return author.name if author else ""


async def batches(context: Context, row: Announcement) -> list[int]:
    """Ids of its batches: what its recipients were told."""
    query = select(Batch.id).where(Batch.subject == row.subject).order_by(Batch.id)
    return list((await context.session.execute(query)).scalars())


def reminder_of(row: Announcement) -> str:
    """How the batch that reminds of a receipt is named."""
    return f"announcement_reminder:{row.id}"


async def reminders(context: Context, row: Announcement) -> list[int]:
    """Ids of the batches that remind its recipients."""
    query = select(Batch.id).where(Batch.subject == reminder_of(row)).order_by(Batch.id)
    return list((await context.session.execute(query)).scalars())


async def is_paused(context: Context, row: Announcement) -> bool:
    """Whether its author, or a correction that waits for a second person, holds it back."""
    query = select(Batch.id).where(Batch.subject == row.subject, Batch.state == "paused")
    return (await context.session.execute(query.limit(1))).first() is not None


async def correction_of(context: Context, row: Announcement) -> Announcement | None:
    """What sets an announcement right, or is about to."""
    stands = Announcement.state.in_(("pending", "scheduled", "sent"))
    query = select(Announcement).where(Announcement.corrects_id == row.id, stands).order_by(Announcement.id.desc())
    return (await context.session.execute(query.limit(1))).scalar_one_or_none()


async def pictures(context: Context, row: Announcement) -> Sequence[MaterialView]:
    """Its pictures; a correction that is not sent yet has those of what it sets right."""
    own = await materials.attached(context, row.subject)
    if own or row.corrects_id is None:
        return own
    return await materials.attached(context, f"announcement:{row.corrects_id}")


async def standing(context: Context, row: Announcement) -> Tally:
    """The ledger's counts over all batches of an announcement."""
    states: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    doubts = 0
    for number in await batches(context, row):
        part = await tally(context.session, number)
        states.update(part.states)
        reasons.update(part.reasons)
        doubts += part.doubts
    return Tally(states=states, reasons=reasons, doubts=doubts)


def counts(standing_now: Tally) -> dict[str, Any]:
    """A tally as sentences and JSON have it: every state by name, and reasons as rows."""
    states = {name: standing_now.states.get(name, 0) for name in _STATES}
    reasons = [
        {"state": state, "reason": reason, "count": number}
        for (state, reason), number in sorted(standing_now.reasons.items())
        if state in ("failed", "suppressed", "queued")
    ]
    return {
        **states,
        "total": standing_now.total,
        "told": states["sent"] + states["accepted"],
        "waiting": standing_now.waiting,
        "doubts": standing_now.doubts,
        "reasons": reasons,
    }
