"""The commands of this life; their handlers are in booking, waitlist and officers."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AwareDatetime, Field

from actions.core.commands import Command


class Hold(Command):
    """Keeps a slot for the actor while they confirm; a hold of theirs on another slot of the service is let go."""

    name: ClassVar[str] = "appointments.hold"
    service: str
    offering_id: int
    starts_at: AwareDatetime
    party: int = Field(1, gt=0)


class Release(Command):
    """Lets go of what the actor holds of a service."""

    name: ClassVar[str] = "appointments.release"
    service: str


class Book(Command):
    """Books a slot for the actor, held or free. `confidential` is sealed; `consent` goes with the first booking.

    `weeks` > 1 books the same time in the following weeks too, for those with the right.
    """

    name: ClassVar[str] = "appointments.book"
    service: str
    offering_id: int
    starts_at: AwareDatetime
    party: int = Field(1, gt=0)
    weeks: int = Field(1, gt=0)
    fields: dict[str, Any] = Field(default_factory=dict)
    confidential: dict[str, Any] = Field(default_factory=dict)
    consent: dict[str, Any] = Field(default_factory=dict)


class Cancel(Command):
    """Cancels an appointment: the member until the limit, the counsellor or an officer at any time with a reason."""

    name: ClassVar[str] = "appointments.cancel"
    appointment_id: int
    reason: str = Field("", max_length=200)


class Move(Command):
    """Moves an appointment to another free slot of the service: the member until the limit, the counsellor always."""

    name: ClassVar[str] = "appointments.move"
    appointment_id: int
    offering_id: int
    starts_at: AwareDatetime


class JoinWaitlist(Command):
    """Waits for any slot that begins in the window (with none, in all that can be booked now).

    A member waits once per service: joining anew replaces it. Who has a booking of a service that allows one at a
    time waits for a better one: accepting an offer gives the old one up.
    """

    name: ClassVar[str] = "appointments.join_waitlist"
    service: str
    window_start: AwareDatetime | None = None
    window_end: AwareDatetime | None = None
    titles: list[str] = Field(default_factory=list)
    avoid: list[str] = Field(default_factory=list)
    party: int = Field(1, gt=0)
    fields: dict[str, Any] = Field(default_factory=dict)
    confidential: dict[str, Any] = Field(default_factory=dict)
    consent: dict[str, Any] = Field(default_factory=dict)


class LeaveWaitlist(Command):
    """Gives up the actor's place."""

    name: ClassVar[str] = "appointments.leave_waitlist"
    waiting_id: int


class AcceptOffer(Command):
    """Takes the slot that was offered to the actor."""

    name: ClassVar[str] = "appointments.accept_offer"
    appointment_id: int


class DeclineOffer(Command):
    """Lets the offer go on to the next."""

    name: ClassVar[str] = "appointments.decline_offer"
    appointment_id: int


class Approve(Command):
    """Lets a request for a large group through."""

    name: ClassVar[str] = "appointments.approve"
    appointment_id: int


class Refuse(Command):
    """Sends a request for a large group back, with the reason."""

    name: ClassVar[str] = "appointments.refuse"
    appointment_id: int
    reason: str = Field("", max_length=200)


class Mark(Command):
    """The counsellor's or key-holder's note, after the time, whether the member came."""

    name: ClassVar[str] = "appointments.mark"
    appointment_id: int
    attended: bool


class FixSeries(Command):
    """The counsellor fixes the same time in the following weeks, after a first booking; `weeks` counts the new ones.

    What is open of a series never exceeds the cap of the service.
    """

    name: ClassVar[str] = "appointments.fix_series"
    appointment_id: int
    weeks: int = Field(gt=0)


class Block(Command):
    """Leave or maintenance: closes a calendar for a while. What was booked in it is cancelled, and the members told."""

    name: ClassVar[str] = "appointments.block"
    offering_id: int
    start: AwareDatetime
    end: AwareDatetime
    reason: str = Field("", max_length=100)


class Unblock(Command):
    """Opens a calendar again for a while that was closed; what was cancelled stays so."""

    name: ClassVar[str] = "appointments.unblock"
    offering_id: int
    start: AwareDatetime
    end: AwareDatetime


class EmergencyContact(Command):
    """Whom to call when somebody is in danger, for the counsellor of an appointment; each look is in the audit."""

    name: ClassVar[str] = "appointments.emergency_contact"
    appointment_id: int
    reason: str = Field(min_length=2, max_length=200)


class Agenda(Command):
    """Who comes to the actor's own calendars, in the coming days, with the word meant for them alone."""

    name: ClassVar[str] = "appointments.agenda"
    days: int = Field(7, gt=0, le=60)


class Counts(Command):
    """How many appointments by state and month: all that an officer sees of a private service."""

    name: ClassVar[str] = "appointments.counts"
    service: str
