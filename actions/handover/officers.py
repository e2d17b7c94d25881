"""The officers' side: taking a hand-over, answering, ending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import close_prompts
from actions.handover import store
from actions.handover.tables import Handover, HandoverTaker

if TYPE_CHECKING:
    from actions.core.tables import Member
    from actions.handover.commands import End, Reply, Take
    from actions.handover.members import MemberSide
    from actions.handover.rules import HandoverRules
    from actions.handover.telling import Teller


async def on_duty(_command: Take | Reply | End, context: Context) -> bool:
    """Right: union officers, for this duty or for everything."""
    return context.actor.holds(store.ROLE, service=store.DUTY)


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficerSide:
    """The commands of the duty officers."""

    rules: HandoverRules
    teller: Teller
    members: MemberSide

    async def take(self, command: Take, context: Context) -> Outcome:
        """Raises DomainError: not_found, handover_taken, handover_over; ForbiddenError("handover_own")."""
        row = await self._row(context, command.handover_id)
        await self._take(row, context)
        who, minutes = await self.teller.who(context, row), self.rules.timeout_minutes
        return Outcome(
            wording="handover.took",
            params={"who": who, "live": row.live, "minutes": minutes},
            subject=row.subject,
            options=await self.teller.answers(context, row, context.actor.member_id),
        )

    async def reply(self, command: Reply, context: Context) -> Outcome:
        """Raises as `take` does."""
        row = await self._row(context, command.handover_id)
        taking = await self._mine(row, context)
        who = await self.teller.who(context, row)
        taking.armed_in = taking.armed_until = None
        if not command.reason:
            return await self._arm(row, taking, who, context)
        row.replies += 1
        row.last_at = context.now
        if row.live:
            row.next_at = context.now + timedelta(minutes=self.rules.timeout_minutes)
        officer = _officer(context)
        await self.teller.member(
            context, row, "handover.answer", officer=officer.name, text=command.reason, live=row.live
        )
        options = await self.teller.answers(context, row, officer.id)
        return Outcome(wording="handover.sent", params={"who": who}, subject=row.subject, options=options)

    async def _arm(self, row: Handover, taking: HandoverTaker, who: str, context: Context) -> Outcome:
        """The words come with the officer's next message in this chat."""
        taking.armed_in = store.chat_key(context, await store.conversation_of(context))
        taking.armed_until = context.now + timedelta(minutes=self.rules.armed_minutes)
        return Outcome(
            wording="handover.armed",
            params={"who": who, "minutes": self.rules.armed_minutes},
            subject=row.subject,
            options=({"label": "算了", "value": "算了"},),
        )

    async def end(self, command: End, context: Context) -> Outcome:
        """Raises as `take` does."""
        row = await self._row(context, command.handover_id)
        await self._mine(row, context)
        await close_prompts(context, row.subject)
        params = {"officer": _officer(context).name, "live": row.live, "parked": row.parked}
        await self.teller.member(context, row, "handover.ended", **params)
        self.members.close(row, context)
        await store.disarm(context)
        who = await self.teller.who(context, row)
        return Outcome(wording="handover.closed", params={"who": who}, subject=row.subject)

    # --- whose it is

    async def _row(self, context: Context, handover_id: int) -> Handover:
        row = await context.database.lock(context.session, Handover, handover_id)
        if row is None:
            raise DomainError("not_found")
        if row.member_id == _officer(context).id:
            raise ForbiddenError("handover_own")
        return row

    async def _mine(self, row: Handover, context: Context) -> HandoverTaker:
        """The actor's hold on it; what nobody has yet is taken."""
        found = await store.taker_of(context, row)
        if found is None:
            return await self._take(row, context)
        taking, officer = found
        if row.state not in ("answered", "late"):
            raise DomainError("handover_over")
        if officer.id != context.actor.member_id:
            raise DomainError("handover_taken", by=officer.name)
        return taking

    async def _take(self, row: Handover, context: Context) -> HandoverTaker:
        if row.state in ("waiting", "listed"):
            taking = await self._alone(row, context)
        else:
            taking = None
        if taking is None:
            found = await store.taker_of(context, row)
            still = found is not None and row.state in ("answered", "late")
            raise DomainError("handover_taken", by=found[1].name) if found and still else DomainError("handover_over")
        officer = _officer(context)
        others = [officer_id for officer_id in await self.teller.told(context, row) if officer_id != officer.id]
        await close_prompts(context, row.subject, but=officer.id)
        for other in others:
            await self.teller.plainly(context, row, other, "notices.handover_taken_by", officer=officer.name)
        if row.live:
            row.state, row.next_at = "answered", context.now + timedelta(minutes=self.rules.timeout_minutes)
        else:
            row.state = "late"
        row.last_at = context.now
        await self.teller.offer_answers(context, row, officer.id)
        await self.teller.member(context, row, "handover.taken", officer=officer.name, live=row.live)
        return taking

    async def _alone(self, row: Handover, context: Context) -> HandoverTaker | None:
        """The first one in has it: the primary key refuses the second."""
        taking = HandoverTaker(handover_id=row.id, member_id=context.actor.member_id, taken_at=context.now)
        try:
            async with context.session.begin_nested():
                context.session.add(taking)
        except IntegrityError:
            return None
        return taking


def _officer(context: Context) -> Member:
    """The officer who acts. Raises DomainError("not_bound") for who is no member (the operator at the machine)."""
    if context.actor.member is None:
        raise DomainError("not_bound")
    return context.actor.member
