"""活动报备: a club tells beforehand when it meets; its members are told, and checked in there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import AwareDatetime, Field, ValidationError
from sqlalchemy import select

from actions.activities import notices, store
from actions.activities.blocks import Block
from actions.activities.rules import Session, rules_of, spec_of
from actions.activities.tables import Entry
from actions.core.commands import Command, Context, Outcome, Registration, bound, holders
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, notify
from actions.core.offerings import lock_offering
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Report(Command):
    """A club's leader reports a meeting of the club; `offering_id` is the club."""

    name: ClassVar[str] = "activities.report"
    offering_id: int
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    title: str = Field(min_length=1, max_length=60)
    place: str = Field("", max_length=60)


class Reports(Block):
    """Takes the reports of what has no time of its own (`standing`)."""

    rule = "report_hours"

    def registrations(self) -> Sequence[Registration[Any]]:
        """The command; who answers for a club is looked up where it is known."""
        return (Registration(command=Report, handler=report, right=bound),)


async def report(command: Report, context: Context) -> Outcome:
    """Raises DomainError: not_found, report_late (fewer hours before than the rule says), bad_period; ForbiddenError.

    The union's officers may enter a meeting at any time.
    """
    offering = await lock_offering(context, command.offering_id)
    if offering is None or context.catalogue[offering.service].life != "activity":
        raise DomainError("not_found")
    hours = rules_of(context.catalogue[offering.service]).report_hours
    if hours is None:
        raise DomainError("not_found")
    if not store.answers_for(context, offering):
        raise ForbiddenError
    of_the_union = context.actor.holds("union_officer", service=offering.service)
    if not of_the_union and command.starts_at < context.now + timedelta(hours=hours):
        raise DomainError("report_late", hours=hours, title=offering.title)
    spec = spec_of(offering)
    try:
        session = Session(
            starts_at=command.starts_at, ends_at=command.ends_at, place=command.place, title=command.title
        )
    except ValidationError as error:
        raise DomainError("bad_period") from error
    # At the end, whenever it is: who was at which meeting is noted by its number.
    offering.spec = spec.model_copy(update={"sessions": (*spec.sessions, session)}).model_dump(mode="json")
    await context.session.flush()
    facts = {
        "title": offering.title,
        "what": command.title,
        "starts_at": local(command.starts_at),
        "place": command.place,
        "example": offering.example,
    }
    told = await _tell_members(context, offering.id, session, facts)
    await _tell_union(context, offering.service, facts)
    return Outcome(wording="activities.reported", params={**facts, "told": told}, subject=f"offering:{offering.id}")


async def _tell_members(context: Context, offering_id: int, session: Session, facts: Mapping[str, Any]) -> int:
    """Tells everybody in the club, with the reminders of this meeting; returns how many."""
    query = select(Entry).where(Entry.offering_id == offering_id, Entry.state == "registered").order_by(Entry.id)
    entries = await store.rows(context, query)
    for entry in entries:
        await notices.remind_of(context, entry, session)
        await notify(context, Notice(member_id=entry.member_id, wording="enrolment.club_meets", params=dict(facts)))
    return len(entries)


async def _tell_union(context: Context, service: str, facts: Mapping[str, Any]) -> None:
    actor = context.actor.member
    for officer in await holders(context.session, "union_officer", service=service):
        if actor is None or officer.id != actor.id:
            await notify(context, Notice(member_id=officer.id, wording="enrolment.reported", params=dict(facts)))
