"""活动报备: a club tells beforehand when it meets, an officer confirms; its members are told, and checked in there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import AwareDatetime, Field, ValidationError
from sqlalchemy import func, select

from actions.activities import notices, store
from actions.activities.blocks import Block
from actions.activities.competition import answered
from actions.activities.report_tables import MeetingReport
from actions.activities.rules import Session, rules_of, spec_of
from actions.activities.sheets import hand_over
from actions.activities.tables import Attendance, Entry
from actions.blocks.documents import Column, Table
from actions.core.commands import Command, Context, Outcome, Registration, bound, holders
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, Option, cancel_notices, notify
from actions.core.offerings import lock_offering
from actions.core.zones import at, local, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.competition import Say
    from actions.blocks.materials_made import Shelf
    from actions.core.tables import Offering

_MOST = 20


class Report(Command):
    """A club's leader reports a meeting of the club; `offering_id` is the club, `people` how many are expected."""

    name: ClassVar[str] = "activities.report"
    offering_id: int
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    title: str = Field(min_length=1, max_length=60)
    place: str = Field("", max_length=60)
    people: int = Field(gt=0, le=10_000)


class ConfirmReport(Command):
    """An officer of the union agrees to a meeting."""

    name: ClassVar[str] = "activities.confirm_report"
    report_id: int


class SendBackReport(Command):
    """An officer of the union does not agree to a meeting; the leader is told why."""

    name: ClassVar[str] = "activities.send_back_report"
    report_id: int
    reason: str = Field("", max_length=200)


class ShowReports(Command):
    """The meetings that a club reported in a year (this one for 0), with who was there; with `file` as Excel too."""

    name: ClassVar[str] = "activities.reports"
    offering_id: int
    year: int = Field(0, ge=0, le=9999)
    file: bool = False


class Reports(Block):
    """Takes the reports of what has no time of its own (`standing`). `say` and `shelf` make the list of a year."""

    rule = "report_hours"

    def __init__(self, say: Say, shelf: Shelf) -> None:
        self._say = say
        self._shelf = shelf

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands; who answers for a club is looked up where it is known."""
        return (
            Registration(command=Report, handler=report, right=bound),
            Registration(command=ConfirmReport, handler=confirm, right=bound),
            Registration(command=SendBackReport, handler=send_back, right=bound),
            Registration(command=ShowReports, handler=self._show, right=bound),
        )

    async def ended(self, context: Context, entry: Entry, state: str) -> None:
        """Who leads a club learns who has left it."""
        owner, actor = entry.offering.owner_id, context.actor.member
        itself = actor is not None and actor.id == owner
        if state == "withdrawn" and entry.state == "registered" and owner is not None and not itself:
            params = notices.facts(context, entry)
            await notify(context, Notice(member_id=owner, wording="clubs.left", params=params))

    async def _show(self, command: ShowReports, context: Context) -> Outcome:
        """Raises DomainError: not_found, file_no_account; ForbiddenError."""
        offering = await answered(context, command.offering_id)
        year = command.year or local(context.now).year
        rows = await _of_year(context, offering, year)
        if command.file and rows:
            await self._sheet(context, offering, year, rows)
        params = {"title": offering.title, "year": year, "rows": rows[-_MOST:], "count": len(rows)}
        return Outcome(wording="clubs.reports", params=params, subject=f"offering:{offering.id}", data={"rows": rows})

    async def _sheet(self, context: Context, offering: Offering, year: int, rows: Sequence[dict[str, Any]]) -> None:
        widths = {"number": 2.0, "when": 6.0, "what": 7.0, "place": 6.0, "people": 3.0, "came": 3.0, "state": 4.0}
        columns = tuple(
            Column(title=self._say(f"clubs.column.{key}", {}), width=width) for key, width in widths.items()
        )
        cells = tuple(
            (
                number,
                spoken(datetime.fromisoformat(row["starts_at"])),
                row["what"],
                row["place"],
                row["people"],
                row["came"],
                self._say(f"clubs.state.{row['state']}", {}),
            )
            for number, row in enumerate(rows, start=1)
        )
        title = self._say("clubs.sheet", {"title": offering.title, "year": year})
        table = Table(columns=columns, rows=cells)
        await hand_over(context, self._shelf, self._say, offering=offering, title=title, table=table)


async def report(command: Report, context: Context) -> Outcome:
    """Raises DomainError: not_found, report_late (fewer hours before than the rule says), bad_period; ForbiddenError.

    What an officer of the union enters for a club is confirmed, and may come at any time.
    """
    offering = await lock_offering(context, command.offering_id)
    if offering is None or context.catalogue[offering.service].life != "activity":
        raise DomainError("not_found")
    hours = rules_of(context.catalogue[offering.service]).report_hours
    if hours is None:
        raise DomainError("not_found")
    if not store.answers_for(context, offering):
        raise ForbiddenError
    member = context.actor.member
    for_the_club = member is None or member.id != offering.owner_id
    if not for_the_club and command.starts_at < context.now + timedelta(hours=hours):
        raise DomainError("report_late", hours=hours, title=offering.title)
    _session(command.starts_at, command.ends_at, command.place, command.title)
    row = MeetingReport(
        **command.model_dump(exclude={"offering_id"}),
        offering_id=offering.id,
        state="reported",
        reported_at=context.now,
        reported_by=member.id if member else None,
    )
    context.session.add(row)
    await context.session.flush()
    await context.session.refresh(row, ["offering"])
    deciders = await _deciders(context, row)
    if for_the_club or not deciders:
        return await _confirmed(context, row)
    for member_id in sorted(deciders):
        await notify(context, _question(context, row, member_id))
    return Outcome(wording="clubs.reported", params=facts(row), subject=f"offering:{offering.id}")


def _session(starts_at: datetime, ends_at: datetime, place: str, title: str) -> Session:
    try:
        return Session(starts_at=starts_at, ends_at=ends_at, place=place, title=title)
    except ValidationError as error:
        raise DomainError("bad_period") from error


async def _deciders(context: Context, row: MeetingReport) -> set[int]:
    """Officers of the union but who reports it (回避)."""
    officers = await holders(context.session, "union_officer", service=row.offering.service)
    return {officer.id for officer in officers} - {row.reported_by, row.offering.owner_id}


def _question(context: Context, row: MeetingReport, member_id: int) -> Notice:
    del context
    return Notice(
        member_id=member_id,
        wording="clubs.confirm_wanted",
        params=facts(row),
        subject=row.subject,
        expires=row.starts_at,
        options=(
            Option(label="同意", command=ConfirmReport(report_id=row.id)),
            Option(label="退回", command=SendBackReport(report_id=row.id), asks_reason=True),
        ),
    )


async def confirm(command: ConfirmReport, context: Context) -> Outcome:
    """Raises DomainError: not_found, already_decided; ForbiddenError."""
    row = await _undecided(context, command.report_id)
    outcome = await _confirmed(context, row)
    if row.reported_by is not None:
        await notify(context, Notice(member_id=row.reported_by, wording="clubs.confirmed", params=outcome.params))
    return outcome


async def send_back(command: SendBackReport, context: Context) -> Outcome:
    """Raises as `confirm` does."""
    row = await _undecided(context, command.report_id)
    row.state, row.reason, row.decided_by = "sent_back", command.reason, context.actor.member_id
    await cancel_notices(context, row.subject)
    params = {**facts(row), "reason": command.reason}
    if row.reported_by is not None:
        await notify(context, Notice(member_id=row.reported_by, wording="clubs.sent_back", params=params))
    return Outcome(wording="clubs.sent_back_done", params=params, subject=row.subject)


async def _undecided(context: Context, report_id: int) -> MeetingReport:
    """Raises DomainError: not_found, already_decided; ForbiddenError for who may not decide (回避)."""
    row = await context.database.lock(context.session, MeetingReport, report_id)
    if row is None:
        raise DomainError("not_found")
    if row.state != "reported":
        raise DomainError("already_decided")
    if context.actor.member_id not in await _deciders(context, row):
        raise ForbiddenError
    return row


async def _confirmed(context: Context, row: MeetingReport) -> Outcome:
    """The meeting is a session of the club, at the end whenever it is: attendance is noted by its number."""
    offering = await lock_offering(context, row.offering_id)
    if offering is None:
        raise DomainError("not_found")
    spec = spec_of(offering)
    session = _session(row.starts_at, row.ends_at, row.place, row.title)
    row.session, row.state = len(spec.sessions), "confirmed"
    row.decided_by = context.actor.member.id if context.actor.member else None
    offering.spec = spec.model_copy(update={"sessions": (*spec.sessions, session)}).model_dump(mode="json")
    await context.session.flush()
    await cancel_notices(context, row.subject)
    params = facts(row)
    told = await _tell_members(context, offering.id, session, params)
    return Outcome(wording="activities.reported", params={**params, "told": told}, subject=f"offering:{offering.id}")


def facts(row: MeetingReport) -> dict[str, Any]:
    """Parameters of the sentences about a meeting."""
    return {
        "title": row.offering.title,
        "what": row.title,
        "starts_at": local(row.starts_at).isoformat(),
        "ends_at": local(row.ends_at).isoformat(),
        "place": row.place,
        "people": row.people,
        "example": row.offering.example,
    }


async def _tell_members(context: Context, offering_id: int, session: Session, params: Mapping[str, Any]) -> int:
    """Tells everybody in the club, with the reminders of this meeting; returns how many."""
    query = select(Entry).where(Entry.offering_id == offering_id, Entry.state == "registered").order_by(Entry.id)
    entries = await store.rows(context, query)
    for entry in entries:
        await notices.remind_of(context, entry, session)
        await notify(context, Notice(member_id=entry.member_id, wording="enrolment.club_meets", params=dict(params)))
    return len(entries)


async def _of_year(context: Context, offering: Offering, year: int) -> list[dict[str, Any]]:
    """A club's meetings of a year in Shanghai, in their order, with how many were there."""
    first = at(datetime(year, 1, 1).date(), datetime.min.time())  # noqa: DTZ001 - a day has no zone
    following = at(datetime(year + 1, 1, 1).date(), datetime.min.time())  # noqa: DTZ001 - as above
    query = select(MeetingReport).where(
        MeetingReport.offering_id == offering.id, MeetingReport.starts_at >= first, MeetingReport.starts_at < following
    )
    found = (await context.session.execute(query.order_by(MeetingReport.starts_at, MeetingReport.id))).scalars().all()
    there = select(Attendance.session, func.count()).where(Attendance.offering_id == offering.id)
    counted = (await context.session.execute(there.group_by(Attendance.session))).all()
    came: dict[int | None, int] = {session: count for session, count in counted}  # noqa: C416 - rows are no pairs
    return [{**facts(row), "state": row.state, "came": came.get(row.session, 0)} for row in found]
