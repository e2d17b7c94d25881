"""The life activity as the dialogue sees it: what is open, who may come, what a confirmed form commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.activities import commands as c
from actions.activities import filing, listing, officers, resolving, signing, store, waitlist
from actions.activities.asking import Asking, Leave
from actions.activities.blocks import Block, blocks_of
from actions.activities.choosing import Choices
from actions.activities.form import Form
from actions.activities.matching import Matching
from actions.activities.owing import Owing
from actions.activities.rules import ActivityRules, ActivitySpec, rules_of
from actions.activities.sweep import sweep
from actions.core.commands import Registration, bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from actions.core.catalogue import Declaration
    from actions.core.commands import Command, Context
    from actions.core.life import Choice, Opening, Resolved
    from actions.core.tables import Offering


#: The blocks of the house, in the order in which they are asked.
BLOCKS: tuple[Block, ...] = (Asking(), Leave(), Choices(), Matching(), Owing())


class Activities:
    """Something that people sign up for."""

    name = "activity"
    rules = ActivityRules
    spec = ActivitySpec

    def __init__(self, blocks: Sequence[Block] = BLOCKS) -> None:
        """`blocks` are what rules of the declarations may turn on."""
        self.blocks = tuple(blocks)

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this life. Rights that depend on the record are checked where the record is locked."""
        return (
            Registration(command=c.Register, handler=signing.register, right=bound, private=_private),
            Registration(command=c.Withdraw, handler=signing.withdraw, right=bound, private=_always),
            Registration(command=c.AcceptOffer, handler=waitlist.accept, right=bound, private=_always),
            Registration(command=c.DeclineOffer, handler=waitlist.decline, right=bound, private=_always),
            Registration(command=c.File, handler=filing.file, right=bound),
            Registration(command=c.SendBack, handler=filing.send_back, right=bound),
            Registration(command=c.Approve, handler=filing.approve, right=bound),
            Registration(command=c.Refuse, handler=filing.refuse, right=bound),
            Registration(command=c.ListOpen, handler=listing.list_open, right=bound),
            Registration(command=c.ListEntries, handler=officers.list_entries, right=bound),
            Registration(command=c.Overview, handler=officers.overview, right=bound),
            Registration(command=c.SetResult, handler=officers.set_result, right=bound),
            *(registration for block in self.blocks for registration in block.registrations()),
        )

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Fact `others`: the actor may sign up colleagues."""
        member = context.actor.member
        others = member is not None and store.files_for(context, service.id, member.unit_id)
        facts: dict[str, Any] = {"others": others}
        for block in blocks_of(context, service):
            facts |= await block.begin(context, service)
        return facts

    async def resolve(
        self, context: Context, service: Declaration, values: Mapping[str, Any], changed: Iterable[str]
    ) -> Resolved:
        """Holds an offering, and the colleagues that are named, against the records."""
        return await resolving.resolve(context, Form(service, dict(values)), set(changed))

    async def choices(
        self, context: Context, service: Declaration, values: Mapping[str, Any], key: str
    ) -> tuple[Choice, ...]:
        """Offerings that are open to the actor, or what the declaration lists."""
        return await resolving.choices(context, Form(service, dict(values)), service.field(key))

    async def hold(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Holds nothing; tells at the read-back where there is no place left."""
        if rules_of(service).action != "register":
            return {}
        return await resolving.picked(context, Form(service, dict(values)))

    async def openings(self, context: Context, service: Declaration) -> Sequence[Opening]:
        """What can be signed up for; of a service that the actor may not see, nothing."""
        return await listing.openings(context, service)

    async def release(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
        """Nothing was held."""
        del context, service, values

    def commit(self, service: Declaration, values: Mapping[str, Any]) -> Command:
        """Register, or the list of what is open."""
        if rules_of(service).action == "list":
            return c.ListOpen()
        form = Form(service, dict(values))
        for block in self.blocks:
            if getattr(form.rules, block.rule) and (command := block.command(form)) is not None:
                return command
        return c.Register(
            service=service.id,
            offering_id=form.values["activity_id"],
            people=tuple(form.values.get("people") or ()),
            numbers=form.values.get("numbers") or {},
            leader=str(form.values.get("leader_id") or ""),
            captain=str(form.values.get("captain_id") or ""),
            wish=form.wish,
            fields=form.plain,
            confidential=form.confidential,
        )

    async def offering_cancelled(self, context: Context, offering: Offering) -> int:
        """Ends what is in an offering that is no more, and tells its people."""
        return await officers.cancelled_offering(context, offering)

    async def offering_edited(self, context: Context, offering: Offering, before: Mapping[str, Any]) -> int:
        """Tells who is in it where its time or place became another; who waits may have got a place."""
        for block in blocks_of(context, context.catalogue[offering.service]):
            await block.edited(context, offering, before)
        return await officers.edited_offering(context, offering, before)

    async def sweep(self, context: Context) -> int:
        """What falls due by itself."""
        return await sweep(context) + sum([await block.sweep(context) for block in self.blocks])


def _private(command: Any, context: Context) -> bool:
    return command.service in context.catalogue and context.catalogue[command.service].private


def _always(_command: Any, _context: Context) -> bool:
    return True
