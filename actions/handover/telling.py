"""What is told to the member in their chat, and to the officers as notices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import select

from actions.core.notify import Letter, Notice, Option, buttons, notify, offer, send_letter
from actions.core.tables import Member, Prompt
from actions.handover.commands import LONGEST, End, Reply, Take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Context
    from actions.handover.rules import HandoverRules
    from actions.handover.tables import Handover

#: Renders a sentence of data/responses: (key, parameters) -> text. The composition root gives the real one.
Render: TypeAlias = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Teller:
    """Finds the words, the people and the options."""

    rules: HandoverRules
    render: Render

    async def who(self, context: Context, row: Handover) -> str:
        """The member as officers read it: name and unit, or somebody not bound."""
        member = None if row.member_id is None else await context.session.get(Member, row.member_id)
        unit = member.unit.name if member and member.unit else ""
        return self.render("handover.who", {"name": member.name if member else "", "unit": unit})

    async def member(self, context: Context, row: Handover, wording: str, **params: Any) -> None:
        """Into the chat that asked."""
        letter = Letter(
            channel=row.channel,
            account=row.account,
            conversation=row.conversation,
            wording=wording,
            params=params,
            member_id=row.member_id,
            subject=row.subject,
        )
        await send_letter(context, letter)

    async def all_on_duty(
        self, context: Context, row: Handover, officers: Iterable[Member], wording: str, **params: Any
    ) -> None:
        """To those of whom one may take it, with the options to do so."""
        for officer in officers:
            await notify(context, await self._notice(context, row, officer.id, wording, _to_take(row), params))

    async def taker(self, context: Context, row: Handover, officer_id: int, wording: str, **params: Any) -> None:
        """To the officer who has it, with the options to answer."""
        await notify(context, await self._notice(context, row, officer_id, wording, _to_answer(row), params))

    async def plainly(self, context: Context, row: Handover, officer_id: int, wording: str, **params: Any) -> None:
        """To an officer who has nothing to do about it any more."""
        await notify(context, await self._notice(context, row, officer_id, wording, (), params))

    async def offer_answers(self, context: Context, row: Handover, officer_id: int) -> list[dict[str, str]]:
        """The options of the officer who has it from now on; what they have read about it stays listed with them."""
        notice = await self._notice(context, row, officer_id, "notices.handover_yours", _to_answer(row), {})
        return await offer(context, notice)

    async def answers(self, context: Context, row: Handover, officer_id: int) -> list[dict[str, str]]:
        """The answers to click of the officer who has it, for a sentence that is said to them now."""
        standing = await self._prompts(context, row, officer_id)
        return buttons(context, standing[0]) if standing else await self.offer_answers(context, row, officer_id)

    async def told(self, context: Context, row: Handover) -> list[int]:
        """Ids of the officers whose options about it are open."""
        return [prompt.member_id for prompt in await self._prompts(context, row)]

    async def _prompts(self, context: Context, row: Handover, officer_id: int | None = None) -> list[Prompt]:
        query = select(Prompt).where(Prompt.subject == row.subject, Prompt.closed_at.is_(None)).order_by(Prompt.id)
        if officer_id is not None:
            query = query.where(Prompt.member_id == officer_id)
        return list((await context.session.execute(query)).scalars())

    async def _notice(
        self,
        context: Context,
        row: Handover,
        officer_id: int,
        wording: str,
        options: Sequence[Option],
        params: Mapping[str, Any],
    ) -> Notice:
        return Notice(
            member_id=officer_id,
            wording=wording,
            params={"who": await self.who(context, row), **params},
            subject=row.subject,
            expires=context.now + timedelta(days=self.rules.keep_days),
            options=options,
            again=True,
            kind="alert",
        )


def _reply(row: Handover) -> Option:
    return Option(label="回复", command=Reply(handover_id=row.id), asks_reason=True, longest=LONGEST, coded=True)


def _to_take(row: Handover) -> tuple[Option, ...]:
    return Option(label="接手", command=Take(handover_id=row.id)), _reply(row)


def _to_answer(row: Handover) -> tuple[Option, ...]:
    return _reply(row), Option(label="结束", command=End(handover_id=row.id))
