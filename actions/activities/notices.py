"""What is said about an entry, to whom and when. What is pushed about a private service gives nothing away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.activities.commands import AcceptOffer, Approve, DeclineOffer, File, Refuse, SendBack
from actions.activities.rules import OWNER, rules_of, spec_of
from actions.blocks.deadlines import reminders
from actions.core.commands import holders
from actions.core.entries import CalendarEntry
from actions.core.notify import Notice, Option, cancel_notices, notify
from actions.core.tables import Member, RoleGrant
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Collection

    from actions.activities.rules import Session
    from actions.activities.tables import Entry
    from actions.core.commands import Context
    from actions.core.tables import Offering


def offering_facts(context: Context, offering: Offering) -> dict[str, Any]:
    """Parameters of the sentences about an offering."""
    spec = spec_of(offering)
    return {
        "service": context.catalogue[offering.service].short,
        "title": offering.title,
        "campus": offering.campus,
        "place": spec.place or next((session.place for session in spec.sessions if session.place), ""),
        "starts_at": local(spec.starts_at) if spec.starts_at else None,
        "sessions": [] if spec.standing else [_session(session) for session in spec.sessions],
        "closes_at": local(spec.closes_at) if spec.closes_at else None,
        "locks_at": local(spec.locked_at) if spec.locked_at else None,
        "note": spec.note,
        "example": offering.example,
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "starts_at": local(session.starts_at).isoformat(),
        "ends_at": local(session.ends_at).isoformat(),
        "place": session.place,
        "title": session.title,
    }


def facts(context: Context, entry: Entry) -> dict[str, Any]:
    """Parameters of the sentences about an entry."""
    players = [person for person in entry.people if person.role != "leader"]
    return {
        **offering_facts(context, entry.offering),
        "kind": entry.kind,
        "state": entry.state,
        "member": entry.member.name,
        "unit": entry.unit.name if entry.unit else "",
        "people": [person.member.name for person in players],
        "fields": {key: value for key, value in entry.fields.items() if isinstance(value, str | int)},
    }


def pushed(context: Context, entry: Entry) -> dict[str, Any]:
    """As `facts`, for what appears on a locked screen: of a private service the time alone."""
    known = facts(context, entry)
    if context.catalogue[entry.service].private:
        hidden = {"service": "", "title": "", "place": "", "note": "", "people": [], "fields": {}, "sessions": []}
        known |= hidden
    return known


def calendar(context: Context, entry: Entry, member_id: int) -> CalendarEntry | None:
    """The first session as a calendar keeps it; None for what is not certain or has no time."""
    spec = spec_of(entry.offering)
    if entry.state != "registered" or entry.kind == "wish" or spec.starts_at is None:
        return None
    first = min(spec.sessions, key=lambda session: session.starts_at)
    known = pushed(context, entry)
    return CalendarEntry(
        ref=entry.subject,
        member_id=member_id,
        title=known["service"],
        about=known["title"],
        place=known["place"],
        starts_at=local(first.starts_at),
        ends_at=local(first.ends_at),
        reminders=[item.hours_before for item in rules_of(context.catalogue[entry.service]).reminders],
    )


async def remind(context: Context, entry: Entry) -> None:
    """Sets everybody's reminders of every session that is still to come."""
    for session in spec_of(entry.offering).sessions:
        await remind_of(context, entry, session)


async def remind_of(context: Context, entry: Entry, session: Session) -> None:
    """Sets everybody's reminders of one session."""
    wordings = {item.hours_before: item.wording for item in rules_of(context.catalogue[entry.service]).reminders}
    params = {**pushed(context, entry), "starts_at": local(session.starts_at)}
    if session.place and params["title"]:
        params["place"] = session.place
    for moment in reminders(session.starts_at, wordings, context.now):
        for member_id in sorted({person.member_id for person in entry.people}):
            await notify(
                context,
                Notice(
                    member_id=member_id,
                    wording=wordings[moment.hours_before],
                    params=params,
                    subject=entry.subject,
                    due=moment.due,
                    expires=moment.until,
                    kind="reminder",
                ),
            )


async def tell_people(context: Context, entry: Entry, wording: str, **more: Any) -> None:
    """Tells everybody in an entry, and who filed it, but for who did it; a private reason is not pushed."""
    private = context.catalogue[entry.service].private
    params = {**pushed(context, entry), **more}
    if private and "reason" in params:
        params["reason"] = ""
    actor = context.actor.member
    concerned = {person.member_id for person in entry.people} | {entry.member_id}
    if entry.filed_by is not None:
        concerned.add(entry.filed_by)
    for member_id in sorted(concerned - ({actor.id} if actor else set())):
        entry_card = calendar(context, entry, member_id)
        await notify(context, Notice(member_id=member_id, wording=wording, params=params, calendar=entry_card))


async def tell_offer(context: Context, entry: Entry) -> None:
    """Offers a place to who waits."""
    await notify(
        context,
        Notice(
            member_id=entry.member_id,
            wording="enrolment.offer",
            params={**pushed(context, entry), "until": entry.expires_at},
            subject=entry.subject,
            expires=entry.expires_at,
            options=(
                Option(label="接受", command=AcceptOffer(entry_id=entry.id)),
                Option(label="放弃", command=DeclineOffer(entry_id=entry.id)),
            ),
        ),
    )


async def ask_unit(context: Context, entry: Entry) -> None:
    """Asks the officers of the unit to file what one of their people wishes for; where it has none, the union's."""
    await cancel_notices(context, entry.subject)
    people = await unit_officers(context, entry.service, entry.unit_id) - {entry.member_id}
    if not people:
        people = {member.id for member in await holders(context.session, "union_officer", service=entry.service)}
    options = (
        Option(label="报上", command=File(entry_id=entry.id)),
        Option(label="退回", command=SendBack(entry_id=entry.id), asks_reason=True),
    )
    await _ask(context, entry, people, "enrolment.unit_wanted", options)


async def unit_officers(context: Context, service: str, unit_id: int | None) -> set[int]:
    """Who files for a unit."""
    query = (
        select(RoleGrant.member_id)
        .join(Member, Member.id == RoleGrant.member_id)
        .where(
            RoleGrant.role == "unit_officer",
            RoleGrant.unit_id == unit_id,
            RoleGrant.service.in_(("", service)),
            Member.status != "left",
        )
    )
    return set((await context.session.execute(query)).scalars())


async def ask_approval(context: Context, entry: Entry) -> None:
    """Asks those who approve, with the two answers as options. Nobody decides on their own entry (回避)."""
    await cancel_notices(context, entry.subject)
    people = await approvers(context, entry.offering) - {entry.member_id}
    options = (
        Option(label="同意", command=Approve(entry_id=entry.id)),
        Option(label="退回", command=Refuse(entry_id=entry.id), asks_reason=True),
    )
    await _ask(context, entry, people, "enrolment.approval_wanted", options)


async def approvers(context: Context, offering: Offering) -> set[int]:
    """Who may agree to an entry: holders of the roles, and who answers for the offering where the rules say so.

    An offering that nobody answers for is left to the union's officers.
    """
    wanted = rules_of(context.catalogue[offering.service]).approvers
    people: set[int] = set()
    for role in wanted:
        if role != OWNER:
            people |= {member.id for member in await holders(context.session, role, service=offering.service)}
    if OWNER in wanted and offering.owner_id is not None:
        people.add(offering.owner_id)
    if not people:
        people = {member.id for member in await holders(context.session, "union_officer", service=offering.service)}
    return people


async def responsible(context: Context, offering: Offering) -> set[int]:
    """Who answers for an offering: its owner, or the union's officers where it has none."""
    if offering.owner_id is not None:
        return {offering.owner_id}
    return {member.id for member in await holders(context.session, "union_officer", service=offering.service)}


async def _ask(
    context: Context, entry: Entry, people: Collection[int], wording: str, options: tuple[Option, ...]
) -> None:
    for member_id in sorted(people):
        await notify(
            context,
            Notice(
                member_id=member_id,
                wording=wording,
                params=facts(context, entry),
                subject=entry.subject,
                expires=spec_of(entry.offering).starts_at,
                options=options,
            ),
        )
