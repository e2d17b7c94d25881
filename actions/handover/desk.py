"""The duty desk: all commands with their rights, and what falls due by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from actions.core.commands import Context, Registration, anyone
from actions.core.notify import close_prompts, forget_prompts
from actions.handover import commands as c
from actions.handover import store
from actions.handover.members import MemberSide
from actions.handover.officers import OfficerSide, on_duty
from actions.handover.tables import Handover, HandoverTaker
from actions.handover.telling import Teller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from actions.handover.rules import HandoverRules
    from actions.handover.telling import Render

# A sweep does no more than this at once; the next one goes on.
_BATCH = 200


class HandoverDesk:
    """Puts members through to the duty officers."""

    def __init__(self, rules: HandoverRules, render: Render) -> None:
        """`render` says who asks, so that every notice names them alike."""
        self._rules = rules
        self._teller = Teller(rules=rules, render=render)
        self._members = MemberSide(rules=rules, teller=self._teller)
        self._officers = OfficerSide(rules=rules, teller=self._teller, members=self._members)

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this module. Who asks for a person is audited under a pseudonym."""
        members, officers = self._members, self._officers
        return (
            Registration(command=c.Request, handler=members.request, right=anyone, private=_always),
            Registration(command=c.Leave, handler=members.leave, right=anyone, private=_always),
            Registration(command=c.Say, handler=members.say, right=anyone, private=_always),
            Registration(command=c.GiveBack, handler=members.give_back, right=anyone, private=_always),
            Registration(command=c.Take, handler=officers.take, right=on_duty),
            Registration(command=c.Reply, handler=officers.reply, right=on_duty),
            Registration(command=c.End, handler=officers.end, right=on_duty),
        )

    # --- what falls due

    async def sweep(self, context: Context) -> int:
        """Silences that lasted too long, messages for the morning, and what is older than the retention."""
        query = select(Handover.id).where(Handover.next_at <= context.now).order_by(Handover.next_at).limit(_BATCH)
        done = 0
        for handover_id in (await context.session.execute(query)).scalars().all():
            row = await context.database.lock(context.session, Handover, handover_id)
            # Another process, or the member's own message, may have been quicker while this one waited for the lock.
            if row is not None and row.next_at is not None and row.next_at <= context.now:
                await self._due[row.state](row, context)
                done += 1
        return done

    @property
    def _due(self) -> dict[str, Callable[[Handover, Context], Awaitable[None]]]:
        return {
            "waiting": self._nobody_came,
            "answered": self._silence,
            "leaving": self._nothing_left,
            "left": self._good_morning,
            "listed": self._lapse,
            "late": self._lapse,
            "closed": _forget,
            "timed_out": _forget,
        }

    async def _nobody_came(self, row: Handover, context: Context) -> None:
        """The member is told; officers may still take it."""
        row.state, row.open_key = "listed", None
        row.next_at = context.now + timedelta(days=self._rules.keep_days)
        await self._teller.member(
            context, row, "handover.nobody_came", minutes=self._rules.answer_minutes, parked=row.parked
        )

    async def _silence(self, row: Handover, context: Context) -> None:
        found = await store.taker_of(context, row)
        await close_prompts(context, row.subject)
        officer = found[1] if found else None
        params = {"minutes": self._rules.timeout_minutes, "officer": officer.name if officer else ""}
        await self._teller.member(context, row, "handover.timed_out", **params, replies=row.replies, parked=row.parked)
        if officer is not None:
            await self._teller.plainly(
                context, row, officer.id, "notices.handover_timed_out", minutes=self._rules.timeout_minutes
            )
        self._members.close(row, context, "timed_out")

    async def _nothing_left(self, row: Handover, context: Context) -> None:
        await self._teller.member(context, row, "handover.nothing_left", parked=row.parked)
        self._members.close(row, context, "timed_out")

    async def _good_morning(self, row: Handover, context: Context) -> None:
        """The office is open: who is on duty now reads the message. With nobody there it lies until somebody is."""
        officers = await store.duty(context, but=row.member_id)
        if not officers or not self._rules.is_open(context.now):
            later = context.now + timedelta(minutes=self._rules.timeout_minutes)
            row.next_at = self._rules.next_opening(later)
            return
        text = context.vault.open(row.words, about="handover")
        await self._teller.all_on_duty(context, row, officers, "notices.handover_left", text=text, at=row.last_at)
        row.state, row.words = "listed", ""
        row.next_at = context.now + timedelta(days=self._rules.keep_days)

    async def _lapse(self, row: Handover, context: Context) -> None:
        """Kept long enough. Who never got an answer is told so."""
        await close_prompts(context, row.subject)
        if not row.replies:
            await self._teller.member(context, row, "handover.lapsed", at=row.opened_at)
        self._members.close(row, context, "timed_out")


async def _forget(row: Handover, context: Context) -> None:
    await forget_prompts(context, [row.subject])
    await context.session.execute(delete(HandoverTaker).where(HandoverTaker.handover_id == row.id))
    await context.session.delete(row)
    await context.session.flush()


def _always(_command: Any, _context: Context) -> bool:
    return True
