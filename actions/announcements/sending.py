"""Sending an announcement and steering it: whom it reaches is looked up when its time has come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from actions.announcements import segments as s
from actions.announcements import store
from actions.announcements.audience import resolve
from actions.announcements.commands import LONGEST, Correct, Pause, Progress, Resume, Withdraw
from actions.announcements.groups import hush
from actions.announcements.rules import Office, broadcast_rules
from actions.blocks import materials
from actions.core import batches
from actions.core.batches import Mailing, Place, add_members, add_places, open_batch
from actions.core.commands import Outcome
from actions.core.notify import Notice, Option, offer
from actions.core.tables import Batch, Outgoing
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from actions.announcements.tables import Announcement, ChatGroup
    from actions.core.batches import Tally
    from actions.core.commands import Context

#: Rows of an announcement that somebody has read, or may have.
_GOT = ("sent", "accepted", "sending", "unknown")


async def send(context: Context, office: Office, row: Announcement) -> None:
    """Writes the rows of everybody it is for. Raises DomainError where its segment does not hold any more."""
    row.state, row.sent_at = "sent", context.now
    if row.corrects_id is not None:
        await _send_correction(context, row)
        return
    audience = await resolve(context, office.sources, s.from_json(row.segment))
    if audience.members is not None:
        batch = await open_batch(context, await mailing(context, row))
        await _with_pictures(context, row, batch)
        await add_members(context, batch, audience.members)
    if audience.groups:
        batch = await open_batch(context, await mailing(context, row, receipt=False))
        await _with_pictures(context, row, batch)
        await tell_groups(context, batch, audience.groups)


async def mailing(
    context: Context, row: Announcement, *, wording: str = "announcements.text", receipt: bool = True, **more: Any
) -> Mailing:
    """What recipients are told. A reminder is nothing that a wish or a cap can hold back; news are."""
    _, rules = broadcast_rules(context.catalogue)
    content = store.opened(context, row)
    answer_by = local(row.answer_by).isoformat() if row.answer_by is not None and receipt else ""
    params = {**content, "number": row.id, "answer_by": answer_by, **more}
    days = rules.news_days if row.kind == "news" else rules.service_days
    useful = max(row.due_at, context.now) + timedelta(days=days)
    return Mailing(
        title=row.title,
        wording=wording,
        params=params,
        options=[{"label": "收到", "value": f"收到 {row.id}"}] if answer_by else [],
        kind="reminder" if wording == "announcements.correction" else row.kind,  # type: ignore[arg-type] # as it was checked
        topic=row.topic,
        subject=row.subject,
        expires=row.answer_by if row.kind == "news" and row.answer_by else useful,
    )


async def _with_pictures(context: Context, row: Announcement, batch: Batch) -> None:
    """Adds the pictures to what a batch says."""
    pictures = await materials.attached(context, row.subject)
    if pictures:
        content = context.vault.open(batch.content, about="outgoing")
        content["files"] = [{"id": file.id, "name": file.name, "kind": file.kind} for file in pictures]
        batch.content = context.vault.seal(content, about="outgoing")


async def tell_groups(context: Context, batch: Batch, groups: Sequence[ChatGroup]) -> int:
    """Adds groups to a batch; returns how many. In one that is muted it waits for the end of that."""
    places = [Place(channel=each.channel, account=each.account, conversation=each.conversation) for each in groups]
    told = await add_places(context, batch, places)
    for group in groups:
        await hush(context, group)
    return told


# --- a correction


async def _send_correction(context: Context, row: Announcement) -> None:
    """Who got the earlier one is told what is right; who still waited for it gets the right text alone."""
    earlier = await store.one(context, row.corrects_id or 0)
    old = await store.batches(context, earlier)
    await turn_all(context, earlier, batches.cancel)
    earlier.state = "withdrawn"
    await materials.hand_on(context, earlier.subject, row.subject)
    got = or_(Outgoing.state.in_(_GOT), Outgoing.doubts > 0)
    day = local(earlier.sent_at or earlier.due_at).isoformat()
    told = await mailing(context, row, wording="announcements.correction", day=day, title=earlier.title)
    fresh = await mailing(context, row)
    of_members = select(Outgoing.member_id).where(Outgoing.batch_id.in_(old), Outgoing.member_id.is_not(None))
    waited = Outgoing.state == "cancelled", Outgoing.doubts == 0
    places = select(Outgoing).where(Outgoing.batch_id.in_(old), Outgoing.member_id.is_(None))
    for content, which in ((told, (got,)), (fresh, waited)):
        batch = await open_batch(context, content)
        await _with_pictures(context, row, batch)
        await add_members(context, batch, of_members.where(*which))  # type: ignore[arg-type] # none of them is NULL
        rows = (await context.session.execute(places.where(*which))).scalars().all()
        await add_places(
            context, batch, [Place(channel=r.channel, account=r.account, conversation=r.conversation) for r in rows]
        )


async def turn_all(context: Context, row: Announcement, turn: Callable[[Context, int], Awaitable[int]]) -> int:
    """Pauses, resumes or cancels all that is said of an announcement, its reminders among it; how many rows."""
    numbers = [*await store.batches(context, row), *await store.reminders(context, row)]
    return sum([await turn(context, number) for number in numbers])


# --- what its author sees and does


async def controls(
    context: Context, row: Announcement, wording: str, params: dict[str, Any]
) -> Sequence[dict[str, str]]:
    """Opens the answers with which the author steers it; none for the operator at the machine."""
    member = context.actor.member
    if member is None or member.id != row.author_id:
        return ()
    return await offer(context, control_notice(row, wording, params))


def control_notice(row: Announcement, wording: str, params: dict[str, Any]) -> Notice:
    """The notice by which the author steers an announcement; its answers stay open while it goes on."""
    number, sent = row.id, row.state == "sent"
    labels = [Option(label="进度", command=Progress(announcement_id=number))]
    if sent:
        labels += [
            Option(label="暂停", command=Pause(announcement_id=number)),
            Option(label="继续发", command=Resume(announcement_id=number)),
            Option(
                label="更正",
                command=Correct(announcement_id=number),
                asks_reason=True,
                longest=LONGEST,
                coded=True,
            ),
        ]
    labels.append(Option(label="撤回", command=Withdraw(announcement_id=number)))
    return Notice(
        member_id=row.author_id or 0,
        wording=wording,
        params=params,
        subject=f"announcement_control:{number}",
        options=labels,
        again=True,
    )


def progress_outcome(row: Announcement, wording: str, tally: Tally, **more: Any) -> Outcome:
    """An outcome that tells how an announcement stands."""
    numbers = store.counts(tally)
    params = {**numbers, "number": row.id, "title": row.title, "state": row.state, "due": row.due_at, **more}
    data = {**numbers, "announcement_id": row.id, "state": row.state}
    return Outcome(wording=wording, params=params, subject=row.subject, data=data)
