"""The life case as the dialogue sees it: what is open, what a confirmed form submits, and all its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.cases import commands as c
from actions.cases import (
    filling,
    looks,
    moving,
    objecting,
    officers,
    papers,
    retention,
    rights,
    rounds,
    seconding,
    sweep,
    walls,
)
from actions.cases.form import Form, key_of, rules_of
from actions.cases.likeness import Likeness
from actions.cases.rules import CallSpec, CaseRules
from actions.cases.submitting import Submitting
from actions.core.commands import Registration, bound, role
from actions.core.schedules import Schedules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from actions.core.catalogue import Declaration
    from actions.core.commands import Command, Context
    from actions.core.life import Choice, Opening, Resolved
    from actions.core.meaning import Encoder
    from actions.core.tables import Offering


class Cases:
    """What members submit, and what becomes of it."""

    name = "case"
    rules = CaseRules
    spec = CallSpec

    def __init__(self, encode: Encoder | None = None) -> None:
        """`encode` gives the NLU's sentence vectors; without them like records are found by their characters."""
        self._likeness = Likeness(encode)
        self._daily = Schedules((retention.schedule(), rounds.schedule()))

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this life. Rights that depend on the record are checked where the record is locked."""
        own = rights.of_service
        hidden = rights.is_private
        return (
            Registration(command=c.Submit, handler=Submitting(self._likeness), right=bound, private=own),
            Registration(command=c.Move, handler=moving.move, right=bound, private=hidden),
            Registration(command=c.Second, handler=seconding.second, right=bound, private=hidden),
            Registration(command=c.Comment, handler=officers.comment, right=bound, private=hidden),
            Registration(command=c.Object, handler=objecting.object_, right=bound, private=hidden),
            Registration(command=c.Settle, handler=objecting.settle, right=bound, private=hidden),
            Registration(command=c.ShowOnWall, handler=walls.review, right=bound),
            Registration(command=c.ShowWall, handler=walls.show, right=bound),
            Registration(command=c.Support, handler=walls.support, right=bound, private=hidden),
            Registration(command=c.Tick, handler=officers.tick, right=bound),
            Registration(command=c.Look, handler=officers.look, right=bound, private=hidden),
            Registration(command=c.Recuse, handler=officers.recuse, right=bound, private=hidden),
            Registration(command=c.ListTasks, handler=officers.tasks, right=bound),
            Registration(command=c.ListLate, handler=officers.late, right=bound),
            Registration(command=c.Board, handler=officers.board, right=bound),
            Registration(command=c.Figures, handler=papers.figures, right=rights.answers_for),
            Registration(command=c.Export, handler=papers.export, right=rights.answers_for, private=own),
            Registration(command=c.Round, handler=rounds.show, right=bound, private=own),
            Registration(command=c.Declare, handler=rounds.declare, right=bound, private=own),
            Registration(command=c.Decide, handler=rounds.decide, right=bound, private=own),
            Registration(command=c.Looks, handler=looks.looks, right=bound, private=rights.always),
            Registration(command=c.Retention, handler=retention.retention, right=role("administrator")),
            Registration(command=c.Print, handler=papers.print_, right=bound, private=hidden),
        )

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Facts `first` (no consent yet) and the roles held. Raises DomainError: call_closed, not eligible, limit."""
        return await filling.begin(context, service)

    async def resolve(
        self, context: Context, service: Declaration, values: Mapping[str, Any], changed: Iterable[str]
    ) -> Resolved:
        """Holds what was said against what is open, and tells what is alike."""
        return await filling.resolve(context, service, self._likeness, dict(values), set(changed))

    async def choices(
        self, context: Context, service: Declaration, values: Mapping[str, Any], key: str
    ) -> tuple[Choice, ...]:
        """Open calls, declared choices, what waits for a second; a wish for a time has none."""
        del values
        if service.field(key).type == "slot":
            return ()
        return await filling.choices(context, service, key)

    async def hold(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Holds nothing, but checks that a call and a place are there."""
        return await filling.checked(context, service, values)

    async def openings(self, context: Context, service: Declaration) -> Sequence[Opening]:
        """The calls that are open."""
        return await filling.calls_open(context, service)

    async def release(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
        """Nothing was held."""

    def commit(self, service: Declaration, values: Mapping[str, Any]) -> Command:
        """Submit, or second."""
        if rules_of(service).seconds:
            return c.Second(second_id=int(str(values[key_of(service, "record")]).split(":")[1]))
        form = Form(service, values)
        return c.Submit(
            service=service.id,
            fields=form.plain,
            confidential=form.confidential,
            offering=form.offering,
            consent=form.consent,
        )

    async def offering_cancelled(self, context: Context, offering: Offering) -> int:
        """Ends what belongs to a call that is no more."""
        return await officers.cancelled_offering(context, offering)

    async def sweep(self, context: Context) -> int:
        """What falls due by itself."""
        return await sweep.sweep(context) + await self._daily.sweep(context)
