"""Greetings as schedules: each firing is a batch, whose recipients are looked up when its time has come."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Select, and_, extract, or_, select

from actions.announcements import segment_text
from actions.announcements.audience import resolve
from actions.announcements.greetings import days
from actions.announcements.greetings.people import look
from actions.announcements.rights import OFFICERS
from actions.announcements.rules import Office, broadcast_rules
from actions.announcements.sending import tell_groups
from actions.blocks.workdays import known
from actions.core.batches import Mailing, add_members, open_batch
from actions.core.commands import holders
from actions.core.errors import DomainError
from actions.core.notify import Notice, notify
from actions.core.schedules import Schedule, on_days
from actions.core.tables import Member
from actions.core.zones import day_bounds, local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from actions.announcements.greetings.calendar import Calendar, Greeting
    from actions.core.commands import Context

log = structlog.get_logger(__name__)

# The notice of the State Council comes in November; whoever has not taken it over by then is told, and told again.
_WARNED = ((11, 20), (12, 1), (12, 15), (12, 25), (1, 1), (1, 8))
_WARNED_AT = time(9, 10)
_PEOPLE_AT = time(9, 30)
#: How long it is of use to officers to read what the calendar tells them.
_OFFICERS_WITHIN = timedelta(days=7)


def schedules(office: Office, calendar: Calendar) -> list[Schedule]:
    """All of them: one for each greeting, one for those whose own day it is, one that warns of unknown holidays."""
    of_the_year = [each for each in calendar.greetings if each.enabled and not each.day.person]
    birthday = calendar.of_person("birthday")
    return [
        *(_of_the_year(office, greeting) for greeting in of_the_year),
        *([_birthdays(birthday)] if birthday is not None else []),
        _people(calendar),
        _unknown_holidays(),
    ]


def _of_the_year(office: Office, greeting: Greeting) -> Schedule:
    async def run(context: Context, due: datetime) -> None:
        await greet(context, office, greeting, due)

    useful = days.until_evening(local_clock(greeting))
    return Schedule(name=f"greeting:{greeting.id}", times=times_of(greeting), run=run, useful=useful)


def local_clock(greeting: Greeting) -> time:
    """The hour from which a greeting is late; of cron it is that of the expression, and the whole day counts."""
    return time(12) if greeting.day.cron else greeting.at


def times_of(greeting: Greeting) -> Callable[[datetime, datetime], Iterable[datetime]]:
    """When a greeting is said, within (after, until]."""
    if greeting.day.cron:
        return lambda after, until: days.cron_times(greeting.day.cron, after, until)
    return on_days(greeting.at, greeting.day.wanted())


async def greet(context: Context, office: Office, greeting: Greeting, due: datetime) -> int:
    """Writes the rows of a greeting; returns how many members and groups it is for.

    A segment that names nobody (a tag that nobody has) greets nobody: the calendar is the same everywhere.
    """
    try:
        audience = await resolve(context, office.sources, segment_text.read(greeting.to))
    except DomainError as error:
        log.warning("greeting_for_nobody", greeting=greeting.id, code=error.code)
        return 0
    told = 0
    if audience.members is not None:
        told += await to_members(context, greeting, due, audience.members)
    if audience.groups:
        told += await tell_groups(context, await open_batch(context, mailing(greeting, due)), audience.groups)
    return told


async def to_members(context: Context, greeting: Greeting, due: datetime, members: Select[int]) -> int:
    """A batch for those whom a query gives; none where it gives nobody."""
    if (await context.session.execute(members.limit(1))).first() is None:
        return 0
    return await add_members(context, await open_batch(context, mailing(greeting, due)), members)


def mailing(greeting: Greeting, due: datetime) -> Mailing:
    """What is said: of no use any more when its day is over."""
    day = local(due).date()
    return Mailing(
        title=greeting.title,
        wording="greetings.said",
        params={"text": greeting.text.strip()},
        kind=greeting.kind,
        topic=greeting.topic,
        subject=f"greeting:{greeting.id}:{day.isoformat()}",
        due=due,
        expires=day_bounds(day)[1],
    )


# --- a member's own day


def _birthdays(greeting: Greeting) -> Schedule:
    async def run(context: Context, due: datetime) -> None:
        await to_members(context, greeting, due, born_on(local(due).date()))

    return Schedule(
        name="greeting:birthday",
        times=on_days(greeting.at, lambda _day: True),
        run=run,
        useful=days.until_evening(greeting.at),
    )


def born_on(day: date) -> Select[int]:
    """Ids of the members whose birthday it is. The year is not looked at: nobody's age is told."""
    month, number = extract("month", Member.birthday), extract("day", Member.birthday)
    today = and_(month == day.month, number == day.day)
    leap = and_(month == 2, number == 29)
    wanted = or_(today, leap) if days.is_birthday(day, 2, 29) else today
    return select(Member.id).where(Member.status != "left", Member.birthday.is_not(None), wanted)


def _people(calendar: Calendar) -> Schedule:
    async def run(context: Context, due: datetime) -> None:
        found = await look(context, calendar.most_new_colleagues)
        for what, members in (("retired", found.retired), ("joined", found.joined)):
            greeting = calendar.of_person(what)
            if greeting is not None and members:
                await to_members(context, greeting, due, select(Member.id).where(Member.id.in_(members)))
        if found.many_new:
            await _tell_officers(context, "greetings.many_new", count=found.many_new)

    return Schedule(
        name="greeting:people",
        times=on_days(_PEOPLE_AT, lambda _day: True),
        run=run,
        useful=days.until_evening(_PEOPLE_AT),
    )


# --- holidays that nobody knows yet


def _unknown_holidays() -> Schedule:
    async def run(context: Context, due: datetime) -> None:
        day = local(due).date()
        year = day.year + (1 if day.month > 6 else 0)
        if not known(year):
            await _tell_officers(context, "greetings.holidays_unknown", year=year)

    return Schedule(
        name="holidays",
        times=on_days(_WARNED_AT, lambda day: (day.month, day.day) in _WARNED),
        run=run,
        useful=days.until_evening(_WARNED_AT),
    )


async def _tell_officers(context: Context, wording: str, **params: object) -> None:
    service, _rules = broadcast_rules(context.catalogue)
    people = {member.id for role in OFFICERS for member in await holders(context.session, role, service=service)}
    for member_id in sorted(people):
        until = context.now + _OFFICERS_WITHIN
        notice = Notice(member_id=member_id, wording=wording, params=params, kind="reminder", expires=until)
        await notify(context, notice)
