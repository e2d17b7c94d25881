"""The member's side: asking for a person, being put through, leaving a message, coming back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from actions.core.commands import Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import close_prompts
from actions.handover import store
from actions.handover.commands import Request
from actions.handover.tables import Handover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.handover.commands import GiveBack, Leave, Say
    from actions.handover.rules import HandoverRules
    from actions.handover.telling import Teller


def _said(*labels: str) -> tuple[Mapping[str, str], ...]:
    return tuple({"label": label, "value": label} for label in labels)


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberSide:
    """The commands of whoever asks for a person."""

    rules: HandoverRules
    teller: Teller

    async def request(self, command: Request, context: Context) -> Outcome:
        """Puts the chat through; off hours, or with nobody on duty, says so. `data["live"]`: a person listens now.

        Raises DomainError("handover_in_chat") for who does not speak in a private chat.
        """
        conversation = await store.conversation_of(context)
        live = await store.live_in(context, conversation)
        if live is not None:
            return Outcome(wording="handover.still_waiting", subject=live.subject, data={"live": True})
        if not self.rules.is_open(context.now):
            params = {"hours": self.rules.hours, "opens": self.rules.next_opening(context.now)}
            return Outcome(wording="handover.off_hours", params=params, options=_said("留言"))
        late = await store.latest(context, store.chat_key(context, conversation), "late")
        again = await self._once_more(late, command, context) if late else None
        if again is not None:
            return again
        officers = await store.duty(context, but=_id(context))
        if not officers:
            return Outcome(wording="handover.nobody")
        minutes = self.rules.answer_minutes
        row = await self._open(context, conversation, "waiting", minutes, parked=command.parked)
        await self.teller.all_on_duty(context, row, officers, "notices.handover_asked", minutes=minutes)
        return Outcome(
            wording="handover.asked",
            params={"minutes": minutes, "parked": command.parked},
            subject=row.subject,
            data={"live": True},
            options=_said("回来"),
        )

    async def _open(self, context: Context, conversation: str, state: str, minutes: int, *, parked: bool) -> Handover:
        actor, key = context.actor, store.chat_key(context, conversation)
        row = Handover(
            channel=actor.channel,
            account=actor.account,
            conversation=conversation,
            sender=actor.sender,
            member_id=_id(context),
            state=state,
            opened_at=context.now,
            last_at=context.now,
            next_at=context.now + timedelta(minutes=minutes),
            open_key=key,
            chat_key=key,
            parked=parked,
        )
        context.session.add(row)
        await context.session.flush()
        return row

    async def _once_more(self, late: Handover, command: Request, context: Context) -> Outcome | None:
        """Back to the officer who wrote to the member after the first call had been given back, if they are there."""
        row = await context.database.lock(context.session, Handover, late.id)
        found = await store.taker_of(context, late)
        if row is None or row.state != "late" or found is None or not await store.serves(context, found[1]):
            return None
        officer = found[1]
        row.state, row.open_key, row.parked = "answered", row.chat_key, command.parked
        row.last_at, row.next_at = context.now, context.now + timedelta(minutes=self.rules.timeout_minutes)
        await self.teller.taker(context, row, officer.id, "notices.handover_again")
        return Outcome(
            wording="handover.again",
            params={"officer": officer.name, "parked": command.parked},
            subject=row.subject,
            data={"live": True},
            options=_said("回来"),
        )

    async def leave(self, command: Leave, context: Context) -> Outcome:
        """The next message is left for when the office opens; while it is open, somebody is asked for.

        Raises DomainError: handover_left, handover_in_chat.
        """
        if self.rules.is_open(context.now):
            return await self.request(Request(parked=command.parked), context)
        conversation = await store.conversation_of(context)
        live = await store.live_in(context, conversation)
        if live is not None:
            return Outcome(wording="handover.still_waiting", subject=live.subject, data={"live": True})
        left = await store.latest(context, store.chat_key(context, conversation), "left")
        if left is not None:
            raise DomainError("handover_left", opens=self.rules.next_opening(context.now))
        minutes = self.rules.timeout_minutes
        row = await self._open(context, conversation, "leaving", minutes, parked=command.parked)
        return Outcome(
            wording="handover.leave_now",
            params={"parked": command.parked},
            subject=row.subject,
            data={"live": True},
            options=_said("算了"),
        )

    async def say(self, command: Say, context: Context) -> Outcome:
        """Hands a message on. `data["silent"]`: the member knows already that it is, and reads no answer.

        Raises DomainError("handover_over"), ForbiddenError for another's.
        """
        row = await self._own(context, command.handover_id)
        row.lines += 1
        row.sure = row.sure or command.sure
        row.last_at = context.now
        if row.state == "leaving":
            row.state, row.open_key = "left", None
            row.words = context.vault.seal(command.text, about="handover")
            row.next_at = self.rules.next_opening(context.now)
            return Outcome(
                wording="handover.left", params={"opens": row.next_at, "parked": row.parked}, subject=row.subject
            )
        if not await self._hand_on(row, command.text, context):
            self.close(row, context)
            return Outcome(wording="handover.nobody", subject=row.subject)
        told = row.state == "answered" or row.lines > 1
        return Outcome(wording="handover.forwarded", subject=row.subject, data={"silent": told})

    async def _hand_on(self, row: Handover, text: str, context: Context) -> bool:
        """To the officer who has it, else to those on duty; False where nobody with the right is there any more."""
        found = await store.taker_of(context, row)
        if found is None:
            officers = await store.duty(context, but=row.member_id)
            await self.teller.all_on_duty(context, row, officers, "notices.handover_words", text=text)
            return bool(officers)
        officer = found[1]
        if not await store.serves(context, officer):
            return False
        row.next_at = context.now + timedelta(minutes=self.rules.timeout_minutes)
        await self.teller.taker(context, row, officer.id, "notices.handover_words", text=text)
        return True

    async def give_back(self, command: GiveBack, context: Context) -> Outcome:
        """The assistant answers again; who had it, or might have taken it, is told."""
        row = await self._own(context, command.handover_id)
        found, told = await store.taker_of(context, row), await self.teller.told(context, row)
        await close_prompts(context, row.subject)
        for officer_id in {found[1].id} if found else told:
            await self.teller.plainly(context, row, officer_id, "notices.handover_given_back")
        wording = "handover.not_left" if row.state == "leaving" else "handover.back"
        self.close(row, context)
        return Outcome(wording=wording, params={"parked": row.parked}, subject=row.subject)

    def close(self, row: Handover, context: Context, state: str = "closed") -> None:
        """Ends a hand-over; its row stays until the retention is over."""
        row.state, row.open_key, row.words = state, None, ""
        row.last_at, row.next_at = context.now, context.now + timedelta(days=self.rules.retention_days)

    async def _own(self, context: Context, handover_id: int) -> Handover:
        """The actor's live hand-over, locked. Raises DomainError("handover_over"), ForbiddenError."""
        row = await context.database.lock(context.session, Handover, handover_id)
        actor = context.actor
        if row is None or not row.live:
            raise DomainError("handover_over")
        if (row.channel, row.account, row.sender) != (actor.channel, actor.account, actor.sender):
            raise ForbiddenError
        return row


def _id(context: Context) -> int | None:
    return None if context.actor.member is None else context.actor.member.id
