"""The life announcement as the dialogue sees it, and all of its commands with their rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from actions.announcements import (
    chasing,
    choice,
    composing,
    digest,
    groups,
    receipts,
    steering,
    telling,
)
from actions.announcements import commands as c
from actions.announcements.audience import Sources
from actions.announcements.form import BroadcastForm, refuse_others
from actions.announcements.greetings import schedules as greetings
from actions.announcements.listening import AnnouncementListener
from actions.announcements.receipts import ReceiptRosters
from actions.announcements.rights import is_approver, reach_of
from actions.announcements.rules import AnnouncementRules, Office, Render, broadcast_rules, rules_of
from actions.announcements.sweep import sweep
from actions.core.catalogue import NoRules
from actions.core.commands import Command, Context, Outcome, Registration, bound
from actions.core.life import Choice, Resolved

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from actions.announcements.greetings import Calendar
    from actions.announcements.topics import Topics, Wants
    from actions.blocks.materials_made import Shelf
    from actions.blocks.rosters import RegistrantSource, RosterSource
    from actions.core.catalogue import Declaration
    from actions.core.schedules import Schedule
    from actions.core.tables import Offering

C = TypeVar("C", bound=Command)


class Announcements:
    """What the union says by itself: announcements, greetings, groups, and what members want of it."""

    name = "announcement"
    rules = AnnouncementRules
    spec = NoRules

    def __init__(
        self,
        topics: Topics,
        render: Render,
        *,
        shelf: Shelf,
        registrants: Sequence[RegistrantSource] = (),
        rosters: Sequence[RosterSource] = (),
    ) -> None:
        """`shelf` takes tables; `registrants` and `rosters` are what the other lives tell of their people."""
        sources = Sources(
            registrants={source.life: source for source in registrants},
            rosters={kind: source for source in (ReceiptRosters(), *rosters) for kind in source.kinds},
        )
        self.office = Office(sources=sources, topics=topics, render=render, shelf=shelf)
        self.listener = AnnouncementListener(topics)

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this life. Whom somebody may tell is checked where the segment is known."""
        with_office = self._with_office
        return (
            with_office(c.Preview, composing.preview, bound),
            with_office(c.Announce, composing.announce, bound),
            with_office(c.Approve, steering.approve, _approver),
            with_office(c.Refuse, steering.refuse, _approver),
            with_office(c.Pause, steering.pause, bound),
            with_office(c.Resume, steering.resume, bound),
            with_office(c.Withdraw, steering.withdraw, bound),
            with_office(c.Correct, steering.correct, bound),
            with_office(c.Progress, steering.progress, bound),
            with_office(c.Chase, chasing.chase, bound),
            with_office(c.Acknowledge, receipts.acknowledge, bound),
            with_office(c.ListAnnouncements, telling.list_announcements, bound),
            with_office(c.ShowAnnouncement, telling.show, bound),
            with_office(c.SetWishes, choice.set_wishes, bound),
            with_office(c.IssuePhrase, groups.issue_phrase, _officer),
            with_office(c.BindGroup, groups.bind, _officer),
            with_office(c.MoveGroup, groups.move, _nobody),
            with_office(c.SeeGroups, groups.see, _nobody),
            with_office(c.SetWelcome, groups.set_welcome, _officer),
            with_office(c.SetWord, groups.set_word, _officer),
            with_office(c.Mute, groups.mute, _officer),
            with_office(c.Unmute, groups.unmute, _officer),
            with_office(c.Unbind, groups.unbind, _officer),
            with_office(c.ListGroups, groups.list_groups, _officer),
            with_office(c.MembersJoined, groups.joined, _nobody),
            with_office(c.Answer, groups.answer, _anyone_in_a_group),
        )

    def _with_office(
        self,
        command: type[C],
        handler: Callable[[C, Context, Office], Awaitable[Outcome]],
        right: Callable[[Any, Context], Awaitable[bool]],
    ) -> Registration[C]:
        async def handle(given: C, context: Context) -> Outcome:
            return await handler(given, context, self.office)

        return Registration(command=command, handler=handle, right=right)

    def schedules(self, calendar: Calendar) -> list[Schedule]:
        """What comes due by the calendar: greetings, birthdays, warnings, the digest."""
        return [*greetings(self.office, calendar), digest.schedule(self.office)]

    # --- as the dialogue sees it

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Raises ForbiddenError("not_for_you") for who may tell nobody."""
        if rules_of(service).action == "broadcast":
            await refuse_others(context, service)
        return {}

    async def resolve(
        self, context: Context, service: Declaration, values: Mapping[str, Any], changed: Iterable[str]
    ) -> Resolved:
        """Finds out whom, when and about what; a wish is taken as it was said."""
        if rules_of(service).action == "broadcast":
            form = BroadcastForm(self.office, service, values)
            refusals = await form.resolve(context, set(changed))
            return Resolved(values=form.values, refusals=tuple(refusals))
        known = dict(values)
        for key in [key for key in known if key.endswith("_hint")]:
            known.setdefault(key.removesuffix("_hint"), known.pop(key))
        return Resolved(values=known)

    async def choices(
        self, context: Context, service: Declaration, values: Mapping[str, Any], key: str
    ) -> tuple[Choice, ...]:
        """Topics, times, or what the declaration lists."""
        field = service.field(key)
        if field.type == "slot":
            return BroadcastForm(self.office, service, values).times(context.now)
        if field.type == "offering":
            return tuple(Choice(value=topic.id, label=topic.title) for topic in self.office.topics.topics)
        return tuple(Choice(value=each.value, label=each.value) for each in field.choices)

    async def hold(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Counts whom it is for: the preview."""
        if rules_of(service).action != "broadcast":
            return {}
        return await BroadcastForm(self.office, service, values).hold(context)

    async def release(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
        """Nothing was held."""
        del context, service, values

    def commit(self, service: Declaration, values: Mapping[str, Any]) -> Command:
        """Announce, list, or take a wish down."""
        action = rules_of(service).action
        if action == "broadcast":
            return BroadcastForm(self.office, service, values).commit()
        if action == "list":
            return c.ListAnnouncements()
        said = next((str(value) for key, value in values.items() if service.form and key == service.form[0].key), "")
        default: Wants = "all" if action == "subscribe" else "none"
        return c.SetWishes(wishes=self.office.topics.wishes(said, default))

    async def offering_cancelled(self, context: Context, offering: Offering) -> int:
        """There are no offerings of this life."""
        del context, offering
        return 0

    async def sweep(self, context: Context) -> int:
        """What falls due by itself."""
        return await sweep(context, self.office)


async def _approver(_command: Command, context: Context) -> bool:
    return is_approver(context)


async def _officer(_command: Command, context: Context) -> bool:
    reach = await reach_of(context, broadcast_rules(context.catalogue)[0])
    return reach.everybody or bool(reach.units)


async def _nobody(_command: Command, context: Context) -> bool:
    """What the platforms tell: nobody says it."""
    return context.actor.system


async def _anyone_in_a_group(_command: Command, context: Context) -> bool:
    return not context.actor.private
