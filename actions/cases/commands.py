"""The commands of this life; their handlers are in submitting, moving, seconding, walls, objecting and officers."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from actions.core.commands import Command

#: Code points of what is said with a move.
_LONGEST = 600


class Submit(Command):
    """Submits a record for the actor. `confidential` is sealed; `offering` names the call where several are open."""

    name: ClassVar[str] = "cases.submit"
    service: str
    fields: dict[str, Any] = Field(default_factory=dict)
    confidential: dict[str, Any] = Field(default_factory=dict)
    offering: str = ""
    consent: bool = False


class Move(Command):
    """Makes one of the moves that the record's state has; `reason` are the words that it asks for."""

    name: ClassVar[str] = "cases.move"
    case_id: int
    move: str
    reason: str = Field("", max_length=_LONGEST)


class Second(Command):
    """Answers an invitation to second: `agreed`, or not; `withdrawn` takes a yes back."""

    name: ClassVar[str] = "cases.second"
    second_id: int
    agreed: bool = True
    withdrawn: bool = False


class Comment(Command):
    """Adds words to a record, for its author too or for officers only."""

    name: ClassVar[str] = "cases.comment"
    case_id: int
    reason: str = Field(min_length=1, max_length=_LONGEST)
    shown: bool = False


class Object(Command):
    """Objects to what is publicised, to one of the bodies."""

    name: ClassVar[str] = "cases.object"
    case_id: int
    body: str
    reason: str = Field(min_length=1, max_length=_LONGEST)


class Settle(Command):
    """Settles an objection with what was found."""

    name: ClassVar[str] = "cases.settle"
    objection_id: int
    reason: str = Field(min_length=1, max_length=_LONGEST)


class ShowOnWall(Command):
    """Puts a record on the public wall, or keeps it off."""

    name: ClassVar[str] = "cases.wall_review"
    case_id: int
    shown: bool = True


class ShowWall(Command):
    """What is on the public wall."""

    name: ClassVar[str] = "cases.wall"


class Support(Command):
    """Supports what is on the public wall."""

    name: ClassVar[str] = "cases.support"
    case_id: int


class Tick(Command):
    """Ticks a line of a checklist off, or takes that back."""

    name: ClassVar[str] = "cases.tick"
    case_id: int
    step: str
    done: bool = True


class Look(Command):
    """Shows one record to those who may read it; a look at a confidential one is noted."""

    name: ClassVar[str] = "cases.look"
    case_id: int


class Recuse(Command):
    """Somebody withdraws from a record, or an officer keeps them from it (回避); `staff_id` empty is the actor."""

    name: ClassVar[str] = "cases.recuse"
    case_id: int
    staff_id: str = ""


class Round(Command):
    """What waits for the decision of a body that the actor sits in: of one round, of a service, or an overview."""

    name: ClassVar[str] = "cases.round"
    service: str = ""
    offering: str = ""


class Declare(Command):
    """The actor declares which records of a batch concern them (回避): the numbers in `reason`, or `none`."""

    name: ClassVar[str] = "cases.declare"
    service: str
    offering: str = ""
    none: bool = False
    reason: str = Field("", max_length=_LONGEST)


class Decide(Command):
    """Decides a batch: `every` record of it, or those whose numbers begin `reason`; the words go with each."""

    name: ClassVar[str] = "cases.decide"
    service: str
    move: str
    offering: str = ""
    every: bool = False
    reason: str = Field("", max_length=_LONGEST)


class Looks(Command):
    """Who has seen the actor's confidential records, the latest first."""

    name: ClassVar[str] = "cases.looks"


class Retention(Command):
    """Deletes what is over for longer than its service keeps it; `dry` counts it only. `service` empty is all."""

    name: ClassVar[str] = "cases.retention"
    service: str = ""
    dry: bool = True


class ListTasks(Command):
    """What waits for the actor, the most urgent first."""

    name: ClassVar[str] = "cases.tasks"


class ListLate(Command):
    """What is late, of the services and units that the actor answers for."""

    name: ClassVar[str] = "cases.late"
    service: str = ""


class Board(Command):
    """What was marked to be seen through, of what the actor answers for: with whom it is, and until when."""

    name: ClassVar[str] = "cases.board"
    service: str = ""


class Figures(Command):
    """The figures of a year: how many, in which state, in time, and how content people were."""

    name: ClassVar[str] = "cases.figures"
    service: str
    year: int = Field(ge=2000, le=2200)


class Export(Command):
    """A table of the service's records, by the declaration's columns: an Excel file."""

    name: ClassVar[str] = "cases.export"
    service: str
    offering: str = ""


class Print(Command):
    """One record as a form to be signed by hand: a Word file."""

    name: ClassVar[str] = "cases.print"
    case_id: int
