"""Commands around an allotment; what is decided is decided by people, and these write it down."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import Field

from actions.core.commands import Command


class _OfOffering(Command):
    offering_id: int


class NamePerson(_OfOffering):
    """Puts a member (`staff_id`) on an option from above; they accept or decline it themselves."""

    name: ClassVar[str] = "allotment.name"
    staff_id: str
    option: str


class Candidates(_OfOffering):
    """Who has applied, by unit and in the order of rotation, for who files for the unit or answers for the offering."""

    name: ClassVar[str] = "allotment.candidates"


class Recommend(_OfOffering):
    """The unit's collective decision: whom it recommends (工号, first one first), when and by whom it was decided.

    It replaces the decision that the unit wrote down before. Who is left out is told so when the union has decided.
    """

    name: ClassVar[str] = "allotment.recommend"
    people: tuple[str, ...] = Field(min_length=1, max_length=60)
    decided_on: date
    how: str = Field(min_length=2, max_length=200)


class ShowPlan(_OfOffering):
    """What the wishes, ranks and quotas come to. Nothing is decided by it."""

    name: ClassVar[str] = "allotment.plan"


class ApproveAll(_OfOffering):
    """The union has decided on the plan: its list is made public."""

    name: ClassVar[str] = "allotment.approve"
    decided_on: date
    how: str = Field(min_length=2, max_length=200)


class ShowList(_OfOffering):
    """The public list, while it is public."""

    name: ClassVar[str] = "allotment.list"


class Strike(_OfOffering):
    """Takes somebody off the list after an objection; whoever is next comes up."""

    name: ClassVar[str] = "allotment.strike"
    staff_id: str
    reason: str = Field(min_length=2, max_length=200)


class Settle(_OfOffering):
    """The list is final, once it has been public for its time."""

    name: ClassVar[str] = "allotment.settle"


class EnterTrips(Command):
    """Who took part in a year before (工号); what is there already stays."""

    name: ClassVar[str] = "allotment.history"
    service: str
    year: int = Field(ge=1990, le=2100)
    people: tuple[str, ...] = Field(min_length=1, max_length=2_000)


class GiveIdentity(Command):
    """The actor's own identity number, for the insurance of what they take part in."""

    name: ClassVar[str] = "identity.give"
    number: str = Field(min_length=1, max_length=40)


class InsuranceList(_OfOffering):
    """The list with the numbers, as a workbook for who asks; every look is written down."""

    name: ClassVar[str] = "identity.list"


class IdentityLooks(Command):
    """Who was handed a list with the actor's number, and when."""

    name: ClassVar[str] = "identity.looks"


class Insured(_OfOffering):
    """The insurance is done: the numbers are deleted."""

    name: ClassVar[str] = "identity.done"
