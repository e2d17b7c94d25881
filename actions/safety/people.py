"""Who asks for help, who is on duty, and how they are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.core.commands import holders
from actions.core.notify import Letter, Notice, notify, send_letter
from actions.core.tables import Account, Member, RoleGrant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.commands import Context

# Grants that name this service put union officers on the duty list.
_DUTY = "safety"


def pseudonym(context: Context) -> str:
    """The same pseudonym for a member on every channel; for the others, for a sender."""
    actor = context.actor
    if actor.member is not None:
        return context.vault.pseudonym(f"member:{actor.member.id}")
    return context.vault.pseudonym(f"{actor.channel}:{actor.account}:{actor.sender}")


async def say_in_private(context: Context, wording: str, params: Mapping[str, Any]) -> bool:
    """To the account that spoke, where its private chat is known, else to the member. False where neither is."""
    actor = context.actor
    query = select(Account.conversation).where(
        Account.channel == actor.channel, Account.account == actor.account, Account.sender == actor.sender
    )
    conversation = (await context.session.execute(query)).scalar_one_or_none()
    if conversation:
        letter = Letter(
            channel=actor.channel,
            account=actor.account,
            conversation=conversation,
            wording=wording,
            params=params,
            member_id=actor.member.id if actor.member else None,
        )
        await send_letter(context, letter)
        return True
    if actor.member is not None:
        await notify(context, Notice(member_id=actor.member.id, wording=wording, params=params, kind="alert"))
        return True
    return False


async def duty_list(context: Context, counselling: str, *, but: int | None = None) -> list[Member]:
    """Counsellors of the service `counselling`, then union officers named for this duty, in the order of their grants.

    Only who has an account with a private chat can be reached, so only they count. `but` is who asks for help: nobody
    is their own helper.
    """
    counsellors = await holders(context.session, "counsellor", service=counselling)
    officers = (
        select(Member)
        .join(RoleGrant, RoleGrant.member_id == Member.id)
        .where(RoleGrant.role == "union_officer", RoleGrant.service == _DUTY, Member.status != "left")
        .order_by(RoleGrant.id)
    )
    everyone = [*counsellors, *(await context.session.execute(officers)).scalars().unique()]
    return await _reachable(context, everyone, but=but)


async def administrators(context: Context, *, but: int | None) -> list[Member]:
    """Those who are told where the duty list does not answer."""
    return await _reachable(context, await holders(context.session, "administrator", service=_DUTY), but=but)


async def _reachable(context: Context, members: Sequence[Member], *, but: int | None) -> list[Member]:
    by_id = {member.id: member for member in members if member.id != but}
    query = select(Account.member_id).where(Account.member_id.in_(by_id), Account.conversation.is_not(None))
    accounts = set((await context.session.execute(query)).scalars())
    return [member for member in by_id.values() if member.id in accounts]
