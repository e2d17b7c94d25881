"""The form with which a meeting is reported: which club, what, when, where, how many."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from actions.activities import store
from actions.activities.blocks import Block
from actions.activities.reporting import Report
from actions.activities.rules import rules_of
from actions.core.errors import DomainError
from actions.core.life import Choice
from actions.core.zones import at, local, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actions.activities.form import Form
    from actions.core.catalogue import Declaration, FormField
    from actions.core.commands import Command, Context
    from actions.core.tables import Offering

#: How long a meeting lasts where its end is not said.
_LASTS = timedelta(hours=2)
#: Clock times that are offered on a day that was named alone.
_CLOCKS = (time(8, 30), time(14, 30), time(16, 30), time(17, 30), time(19))


class ReportForm(Block):
    """Fills the form of a service that reports meetings of another one's offerings (`reports_for`)."""

    rule = "reports_for"

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Raises DomainError("no_club_of_yours") for who answers for none."""
        if not await _own(context, service):
            raise DomainError("no_club_of_yours")
        return {}

    async def resolve(self, context: Context, form: Form, changed: Iterable[str]) -> None:
        """Raises DomainError: no_such_offering, time_past."""
        del changed
        record, slot = _key(form, "record"), _key(form, "slot")
        own = await _own(context, form.service)
        if not form.values.get(record) and len(own) == 1:
            form.values[record] = own[0].title
        if form.values.get(record) and form.values[record] not in {offering.title for offering in own}:
            raise DomainError("no_such_offering", field=record, offering=form.values[record])
        offering = next((each for each in own if each.title == form.values.get(record)), None)
        form.values["activity_id"] = offering.id if offering is not None else None
        wish = form.values.pop(f"{slot}_wish", None)
        if wish is not None:
            _read_wish(form, slot, wish)
        start = form.values.get(slot)
        if start and datetime.fromisoformat(start) <= context.now:
            raise DomainError("time_past", field=slot, starts_at=local(datetime.fromisoformat(start)))

    async def choices(self, context: Context, form: Form, field: FormField) -> tuple[Choice, ...] | None:
        """The actor's own; times of the day that was named."""
        if field.type == "record":
            own = await _own(context, form.service)
            return tuple(Choice(value=offering.title, label=offering.title) for offering in own)
        day = form.values.get("day")
        if field.type != "slot" or not day:
            return None if field.type != "slot" else ()
        moments = [at(datetime.fromisoformat(day).date(), clock) for clock in _CLOCKS]
        return tuple(
            Choice(value=moment.isoformat(), label=spoken(moment)) for moment in moments if moment > context.now
        )

    def command(self, form: Form) -> Command | None:
        """The report."""
        rules, values = form.rules, form.values
        start = datetime.fromisoformat(values[_key(form, "slot")])
        until = datetime.fromisoformat(values["until"]) if values.get("until") else start
        return Report(
            offering_id=values["activity_id"],
            starts_at=start,
            ends_at=until if until > start else start + _LASTS,
            title=values[rules.title_field],
            place=values[rules.place_field],
            people=values[_key(form, "number")],
        )


def _read_wish(form: Form, slot: str, wish: Mapping[str, Any]) -> None:
    """A clock time is a start, two of them are a start and an end; a day alone leaves the time to be chosen."""
    start, end = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    form.values.pop("until", None)
    if wish["kind"] == "point":
        form.values[slot] = start.isoformat()
    elif wish.get("clock_named") and end - start <= timedelta(hours=12):
        form.values[slot], form.values["until"] = start.isoformat(), end.isoformat()
    else:
        form.values.pop(slot, None)
        form.values["day"] = start.isoformat()


def _key(form: Form, kind: str) -> str:
    return next(field.key for field in form.service.form if field.type == kind)


async def _own(context: Context, service: Declaration) -> list[Offering]:
    """What the actor answers for, of what is reported about."""
    every = await store.offerings(context, rules_of(service).reports_for)
    return [offering for offering in every if store.answers_for(context, offering)]
