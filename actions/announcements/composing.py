"""Writing an announcement: whom it is for, whether the author may tell them, and who has to agree."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from actions.announcements import rights, segment_text, store
from actions.announcements import segments as s
from actions.announcements.audience import Audience, Count, count, resolve
from actions.announcements.commands import Approve, Refuse
from actions.announcements.greetings.days import add_working_days
from actions.announcements.rules import Office, broadcast_rules
from actions.announcements.sending import controls, send
from actions.announcements.tables import Announcement
from actions.blocks import materials
from actions.core.commands import Outcome, holders
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, Option, notify
from actions.core.tables import Member
from actions.core.zones import at, local

if TYPE_CHECKING:
    from actions.announcements.commands import Announce, Preview
    from actions.announcements.rules import AnnouncementRules
    from actions.core.commands import Context

# A clock that is a little behind must not refuse "now".
_JUST_NOW = timedelta(minutes=5)
# Until when 收到 is said on the last day.
_CLOSE = time(17)


def segment_of(to: str | dict[str, Any]) -> s.Segment:
    """The segment of a command's `to`. Raises DomainError("segment_unclear")."""
    return segment_text.read(to) if isinstance(to, str) else s.from_json(to)


async def allowed(context: Context, office: Office, segment: s.Segment) -> Audience:
    """The audience of a segment; raises as `resolve`, and ForbiddenError("not_your_audience") for whom it is not."""
    service, _rules = broadcast_rules(context.catalogue)
    reach = await rights.reach_of(context, service)
    if not await rights.covers(context, office.sources, reach, segment):
        raise ForbiddenError("not_your_audience", units=list(reach.units))
    return await resolve(context, office.sources, segment)


async def needs_approval(context: Context, rules: AnnouncementRules, segment: s.Segment, counted: Count) -> bool:
    """Whether a second person has to agree. The operator at the machine needs nobody."""
    if context.actor.system or rules.approval == "never":
        return False
    if rules.approval == "always" or rights.broad(segment):
        return True
    query = select(func.count()).select_from(Member).where(Member.status != "left")
    everyone = (await context.session.execute(query)).scalar_one()
    return everyone > 0 and counted.members > rules.approve_share * everyone


async def preview(command: Preview, context: Context, office: Office) -> Outcome:
    """Raises DomainError as `allowed`."""
    segment = segment_of(command.to)
    counted = await count(context, await allowed(context, office, segment))
    approval = await needs_approval(context, broadcast_rules(context.catalogue)[1], segment, counted)
    facts = {**facts_of(segment, counted), "approval": approval}
    return Outcome(wording="announcements.preview", params=facts, data={**facts, "segment": s.to_json(segment)})


def facts_of(segment: s.Segment, counted: Count) -> dict[str, Any]:
    """Whom it is for, in words and numbers."""
    return {
        "to": segment_text.write(segment),
        "members": counted.members,
        "reachable": counted.reachable,
        "groups": counted.groups,
    }


async def announce(command: Announce, context: Context, office: Office) -> Outcome:
    """Raises DomainError: as `allowed`, audience_empty, send_past, send_too_far, answer_too_early, no_such_topic,
    nobody_to_approve, and what `materials.attach` refuses.
    """
    _, rules = broadcast_rules(context.catalogue)
    segment = segment_of(command.to)
    audience = await allowed(context, office, segment)
    counted = await count(context, audience)
    if not counted.members and not counted.groups:
        raise DomainError("audience_empty", field="audience", to=segment_text.write(segment))
    due = due_at(context, rules, command.at)
    answer_by = _answer_by(command, due)
    if answer_by is not None and answer_by <= due:
        raise DomainError("answer_too_early", field="receipt")
    row = Announcement(
        title=command.title.strip() or store.title_of(command.text),
        segment=s.to_json(segment),
        content=store.sealed(context, command.text, command.link),
        kind=await _kind(command, context, segment),
        topic=_topic(office, command),
        state="scheduled",
        author_id=context.actor.member.id if context.actor.member else None,
        due_at=due,
        answer_by=answer_by,
        created_at=context.now,
    )
    return await commit(context, office, row, counted, files=command.files)


def due_at(context: Context, rules: AnnouncementRules, at: datetime | None) -> datetime:
    """When it is sent. Raises DomainError: send_past, send_too_far."""
    if at is None:
        return context.now
    if at < context.now - _JUST_NOW:
        raise DomainError("send_past", field="time", at=at)
    if at > context.now + timedelta(days=rules.furthest_days):
        raise DomainError("send_too_far", field="time", days=rules.furthest_days)
    return max(at, context.now)


def _answer_by(command: Announce, due: datetime) -> datetime | None:
    if command.answer_by is not None or command.answer_in_days is None:
        return command.answer_by
    return at(add_working_days(local(due).date(), command.answer_in_days), _CLOSE)


def _topic(office: Office, command: Announce) -> str:
    if not command.topic:
        return office.topics.about_what(command.text)
    if all(topic.id != command.topic for topic in office.topics.topics):
        raise DomainError("no_such_topic", field="topic", topic=command.topic)
    return command.topic


async def _kind(command: Announce, context: Context, segment: s.Segment) -> str:
    """What those who take part are told about it is service; all else is news, unless the union says otherwise."""
    service, _rules = broadcast_rules(context.catalogue)
    if command.must_know and not rights.is_union_officer(context, service):
        raise ForbiddenError
    return "service" if command.must_know or rights.asked_for(segment) else "news"


async def commit(
    context: Context, office: Office, row: Announcement, counted: Count, *, files: tuple[str, ...] = ()
) -> Outcome:
    """Writes an announcement: it waits for a second person, for its time, or is sent at once."""
    _, rules = broadcast_rules(context.catalogue)
    segment = s.from_json(row.segment)
    approval = await needs_approval(context, rules, segment, counted)
    row.state = "pending" if approval else "scheduled"
    context.session.add(row)
    await context.session.flush()
    await materials.attach(context, files, row.subject, field="picture", kinds=("picture",), max_count=9)
    facts = {**facts_of(segment, counted), "number": row.id, "due": row.due_at, "now": row.due_at <= context.now}
    if approval:
        await _ask(context, rules, row, facts)
        wording = "announcements.waits_for_approval"
    elif row.due_at <= context.now:
        await send(context, office, row)
        wording = "announcements.sending"
    else:
        wording = "announcements.scheduled"
    return Outcome(
        wording=wording,
        params=facts,
        subject=row.subject,
        data={"announcement_id": row.id, "state": row.state, "members": counted.members, "groups": counted.groups},
        options=await controls(context, row, wording, facts),
    )


async def _ask(context: Context, rules: AnnouncementRules, row: Announcement, facts: dict[str, Any]) -> None:
    """Asks those who may agree, never the author (回避). Raises DomainError("nobody_to_approve")."""
    service, _ = broadcast_rules(context.catalogue)
    people = {member.id for role in rules.approvers for member in await holders(context.session, role, service=service)}
    people.discard(row.author_id or 0)
    if not people:
        raise DomainError("nobody_to_approve")
    options = (
        Option(label="同意", command=Approve(announcement_id=row.id)),
        Option(label="退回", command=Refuse(announcement_id=row.id), asks_reason=True),
    )
    content = store.opened(context, row)
    params = {**facts, **content, "author": await store.author_name(context, row), "corrects": row.corrects_id or 0}
    pictures = await store.pictures(context, row)
    for member_id in sorted(people):
        await notify(
            context,
            Notice(
                member_id=member_id,
                wording="announcements.approval_wanted",
                params=params,
                subject=request_of(row),
                expires=context.now + timedelta(days=rules.approval_days),
                options=options,
                files=pictures,
            ),
        )


def request_of(row: Announcement) -> str:
    """How notices name the request for a second person's word; the announcement's own subject is its batches'."""
    return f"announcement_request:{row.id}"
