"""What a service of this life declares (`AppointmentRules`) and what one calendar of it holds (`CalendarSpec`)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, Field, model_validator

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.catalogue import FormField

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Reminder(Declared):
    """A reminder of an appointment, so many hours before it; `wording` gives nothing away on a locked screen."""

    hours_before: float = Field(gt=0)
    wording: str


class AppointmentRules(Declared):
    """The rules of one service; every one can be set anew in settings.yml under `services.<id>`.

    A party of more than `approval_over` waits for one of the `approvers`. `repeat_role` may book `repeat_cap` weeks at
    once; who answers for a calendar may fix a series of which `series_cap` times are open. `consent` is its purpose.
    `tell_owner` tells who answers for a calendar of each booking (the key-holder of many rooms rather looks them up),
    `ask_attendance` asks them afterwards whether the member came.
    """

    minutes: int = Field(50, gt=0)
    buffer_minutes: int = Field(10, ge=0)
    notice_minutes: int = Field(120, ge=0)
    horizon_days: int = Field(28, gt=0)
    hold_minutes: int = Field(10, gt=0)
    cancel_until_minutes: int = Field(120, ge=0)
    one_open_booking: bool = False
    approval_over: int | None = None
    approvers: tuple[str, ...] = ("union_officer",)
    series_cap: int = Field(0, ge=0)
    repeat_role: str = ""
    repeat_cap: int = Field(0, ge=0)
    waitlist: bool = True
    offer_minutes: int = Field(120, gt=0)
    reminders: tuple[Reminder, ...] = ()
    consent: str = ""
    tell_owner: bool = True
    ask_attendance: bool = False
    party_field: str = ""
    weeks_field: str = ""

    def fit(self, form: Sequence[FormField]) -> None:
        """Raises ValueError where the form lacks what this life asks for."""
        types = Counter(field.type for field in form)
        for wanted in ("slot", "offering"):
            if types[wanted] != 1:
                message = f"form: an appointment asks for exactly one field of type {wanted}"
                raise ValueError(message)
        numbers = {field.key for field in form if field.type == "number"}
        for rule, key in (("party_field", self.party_field), ("weeks_field", self.weeks_field)):
            if key and key not in numbers:
                message = f"rules.{rule}: the form has no field {key!r} of type number"
                raise ValueError(message)
        if self.consent and not types["consent"]:
            message = "rules.consent: the form has no field of type consent"
            raise ValueError(message)


class Hours(Declared):
    """Opening hours on some weekdays; no `days` means on each day that the calendar works."""

    days: tuple[Weekday, ...] = ()
    start: time
    end: time

    @model_validator(mode="after")
    def _in_order(self) -> Hours:
        if self.start >= self.end:
            message = "hours: end must be later than start"
            raise ValueError(message)
        return self


class Closure(Declared):
    """Leave of a counsellor, or maintenance of a room; half open."""

    start: AwareDatetime
    end: AwareDatetime
    reason: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Closure:
        if self.start >= self.end:
            message = "closures: end must be later than start"
            raise ValueError(message)
        return self

    def covers(self, start: datetime, end: datetime) -> bool:
        """Whether a time from start to end touches the closure."""
        return start < self.end and self.start < end

    def less(self, start: datetime, end: datetime) -> tuple[Closure, ...]:
        """What is left of the closure when a time from start to end is opened again."""
        if not self.covers(start, end):
            return (self,)
        before = (self.model_copy(update={"end": start}),) if self.start < start else ()
        after = (self.model_copy(update={"start": end}),) if end < self.end else ()
        return (*before, *after)


class CalendarSpec(Declared):
    """One counsellor's or room's calendar.

    `works` tells on which days: working days (statutory holidays and make-up workdays respected) or daily. `allows`
    limits fields of the form to what is to be had here: {"campus": ["南湖校区"]}. A shared room seats `capacity`
    people of several bookings; any other takes one booking at a time, of at most `capacity` people. `place` and `key`
    (where or with whom the key is) are told to who books. `also` are other names that people use for it.
    """

    hours: tuple[Hours, ...]
    works: Literal["working_days", "daily"] = "working_days"
    breaks: tuple[Hours, ...] = ()
    capacity: int = Field(1, gt=0)
    shared: bool = False
    allows: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    place: str = ""
    key: str = ""
    also: tuple[str, ...] = ()

    @property
    def seats(self) -> int:
        """How many seats can be taken at one time."""
        return self.capacity if self.shared else 1

    def seats_for(self, party: int) -> int:
        """How many seats a party takes."""
        return party if self.shared else 1
