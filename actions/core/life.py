"""What a life offers to the dialogue: it resolves answers against the records, lists choices, holds, and commits.

The dialogue itself is pure; everything that needs the database is asked of these methods within the turn's
transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from actions.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from actions.core.catalogue import Declaration, Declared, FormField
    from actions.core.commands import Command, Context, Registration
    from actions.core.entries import CalendarEntry
    from actions.core.tables import Offering


class Choice(BaseModel):
    """One answer that is offered: `value` goes into the form, `label` is what a member reads and may type."""

    model_config = ConfigDict(frozen=True)
    value: str
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """A form's values after the records were asked.

    A value that does not hold is dropped, and told in `refusals`. `changed` names what this message said. `further` are
    questions that what was chosen asks beside the declared ones.
    """

    values: Mapping[str, Any]
    refusals: tuple[DomainError, ...] = ()
    further: tuple[FormField, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A record of a member's own, as it is listed ("我的事项")."""

    ref: str
    service: str
    title: str
    state: str
    starts_at: datetime | None = None
    withdrawable: bool = False
    movable: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    calendar: CalendarEntry | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A record as `bot replay` and the tests read it; confidential fields in clear."""

    service: str
    kind: str
    state: str
    member: str
    fields: Mapping[str, Any]


class Life(Protocol):
    """One kind of service."""

    @property
    def name(self) -> str:
        """What a declaration calls it (`life: appointment`)."""
        ...

    @property
    def rules(self) -> type[Declared]:
        """The model of a declaration's `rules`."""
        ...

    @property
    def spec(self) -> type[Declared]:
        """The model of an offering's `spec`."""
        ...

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this life."""
        ...

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Facts that the form's `when` may ask for. Raises DomainError where the member may not use it now."""
        ...

    async def resolve(
        self, context: Context, service: Declaration, values: Mapping[str, Any], changed: Iterable[str]
    ) -> Resolved:
        """Holds what was just said against the records."""
        ...

    async def choices(
        self, context: Context, service: Declaration, values: Mapping[str, Any], key: str
    ) -> tuple[Choice, ...]:
        """What may be answered to a field, best first. Raises DomainError where nothing is left."""
        ...

    async def hold(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keeps what is scarce while the member confirms; returns values to add to the form."""
        ...

    async def release(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
        """Lets go of what was held for a form that is given up or changed."""
        ...

    def commit(self, service: Declaration, values: Mapping[str, Any]) -> Command:
        """The command that a confirmed form sends."""
        ...

    async def offering_cancelled(self, context: Context, offering: Offering) -> int:
        """Ends what an offering holds and tells those concerned; returns how many."""
        ...


@runtime_checkable
class TellsOfEdits(Protocol):
    """A life that tells its people where what they signed up for became another."""

    async def offering_edited(self, context: Context, offering: Offering, before: Mapping[str, Any]) -> int:
        """`before` is the spec as it was; returns how many were told."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """An offering that is open now: what there is to sign up for, to book, to submit to.

    `left` is how many places (of a calendar: free times) there are, None where there is no limit; `next_at` the first
    free time of a calendar. `refusal` tells why the actor cannot have it.
    """

    offering_id: int
    service: str
    title: str
    label: str
    campus: str = ""
    about: str = ""
    starts_at: datetime | None = None
    closes_at: datetime | None = None
    next_at: datetime | None = None
    left: int | None = None
    example: bool = False
    refusal: DomainError | None = None


@runtime_checkable
class Opens(Protocol):
    """A life whose services have offerings that members choose from."""

    async def openings(self, context: Context, service: Declaration) -> Sequence[Opening]:
        """What is open of a service, in the order in which chat names it."""
        ...


class Records(Protocol):
    """Records that a member can look at, withdraw and move."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What stands before the colon of this life's refs."""
        ...

    async def items(self, context: Context, member_id: int) -> Sequence[Item]:
        """The member's open records, soonest first."""
        ...

    async def item(self, context: Context, ref: str) -> Item | None:
        """One record of the actor's own, or None."""
        ...

    def withdrawal(self, ref: str) -> Command:
        """The command that withdraws a record."""
        ...

    async def moves(self, context: Context, ref: str, wanted: Mapping[str, Any] | None) -> tuple[Choice, ...]:
        """Times to which a record can be moved, those that fit `wanted` (a time mention as JSON) first."""
        ...

    def move(self, ref: str, value: str) -> Command:
        """The command that moves a record to a time of `moves`."""
        ...

    async def snapshots(self, context: Context) -> Sequence[Snapshot]:
        """All records of this life, for a replay."""
        ...


@runtime_checkable
class Forgetful(Protocol):
    """Records of which more is kept than rows that point to them."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What stands before the colon of these records' refs."""
        ...

    async def forget(self, context: Context, refs: Sequence[str]) -> None:
        """The records are going to be deleted; what is kept of them elsewhere goes first."""
        ...


class KeptRecords:
    """Base of records that no member lists, withdraws or moves: what was said, who is bound."""

    async def items(self, context: Context, member_id: int) -> Sequence[Item]:
        """None is open."""
        del context, member_id
        return ()

    async def item(self, context: Context, ref: str) -> Item | None:
        """None is the actor's own."""
        del context, ref
        return None

    def withdrawal(self, ref: str) -> Command:
        """Raises DomainError("not_found"): there is none."""
        raise DomainError("not_found", ref=ref)

    async def moves(self, context: Context, ref: str, wanted: Mapping[str, Any] | None) -> tuple[Choice, ...]:
        """None."""
        del context, ref, wanted
        return ()

    def move(self, ref: str, value: str) -> Command:
        """Raises DomainError("not_found"): there is none."""
        raise DomainError("not_found", ref=ref, value=value)


class Sweeper(Protocol):
    """Something that falls due by itself: holds and offers that expire, retention."""

    async def sweep(self, context: Context) -> int:
        """Does what is due at `context.now`; returns how much was done."""
        ...
