"""The commands of this life; their handlers are in signing, waitlist, filing and officers."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from actions.core.commands import Command


class Register(Command):
    """Signs up for an offering: the actor, or those whom they may sign up.

    `people` are the 工号 of who takes part, the actor where there are none; `numbers` what they wear. `wish`: the
    actor wants to be in a team that the unit puts together. Where somebody answers for an open entry of that offering
    already, a pair, relay or team is changed. `confidential` is sealed.
    """

    name: ClassVar[str] = "activities.register"
    service: str
    offering_id: int
    people: tuple[str, ...] = Field((), max_length=60)
    numbers: dict[str, int] = Field(default_factory=dict)
    leader: str = ""
    captain: str = ""
    wish: bool = False
    fields: dict[str, Any] = Field(default_factory=dict)
    confidential: dict[str, Any] = Field(default_factory=dict)


class _OfEntry(Command):
    entry_id: int


class Withdraw(_OfEntry):
    """Takes an entry back: who answers for it until the limit, the unit and the union at any time, with a reason."""

    name: ClassVar[str] = "activities.withdraw"
    reason: str = Field("", max_length=200)


class AcceptOffer(_OfEntry):
    """Takes the place that was offered to who waited."""

    name: ClassVar[str] = "activities.accept_offer"


class DeclineOffer(_OfEntry):
    """Lets the place go on to the next."""

    name: ClassVar[str] = "activities.decline_offer"


class File(_OfEntry):
    """The unit files what one of its people wishes for; of a wish to be in a team it takes note."""

    name: ClassVar[str] = "activities.file"


class SendBack(_OfEntry):
    """The unit does not file it; the person is told why."""

    name: ClassVar[str] = "activities.send_back"
    reason: str = Field("", max_length=200)


class Approve(_OfEntry):
    """Agrees to an entry."""

    name: ClassVar[str] = "activities.approve"


class Refuse(_OfEntry):
    """Does not agree to an entry; the person is told why."""

    name: ClassVar[str] = "activities.refuse"
    reason: str = Field("", max_length=200)


class ListOpen(Command):
    """What the actor can sign up for."""

    name: ClassVar[str] = "activities.list"


class ListEntries(Command):
    """Who is in an offering, for those who answer for it; of a private one names are for its owner alone."""

    name: ClassVar[str] = "activities.entries"
    offering_id: int


class Overview(Command):
    """How many are in each open offering that the actor answers for."""

    name: ClassVar[str] = "activities.overview"


class SetResult(_OfEntry):
    """Notes how far an entry came: a rank, a round, a prize; the person is told."""

    name: ClassVar[str] = "activities.set_result"
    result: str = Field(min_length=1, max_length=60)
    state: Literal["", "registered"] = ""
