"""Which hand-over a chat is in, who has it, and who is on duty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from actions.core.commands import actor_for
from actions.core.errors import DomainError
from actions.core.tables import Account, Member, RoleGrant
from actions.handover.tables import Handover, HandoverTaker

if TYPE_CHECKING:
    from actions.core.commands import Context

#: Grants of the officers' role for this service name who is on duty.
DUTY = "handover"
ROLE = "union_officer"

# --- chats


def chat_key(context: Context, conversation: str) -> str:
    """A short name for a private chat of the actor's that tells nothing of it."""
    actor = context.actor
    return context.vault.pseudonym(f"{actor.channel}\x1f{actor.account}\x1f{conversation}\x1f{actor.sender}")


async def conversation_of(context: Context) -> str:
    """The private chat of the actor. Raises DomainError("handover_in_chat") for who does not speak in one."""
    actor = context.actor
    query = select(Account.conversation).where(
        Account.channel == actor.channel, Account.account == actor.account, Account.sender == actor.sender
    )
    conversation = (await context.session.execute(query)).scalar_one_or_none()
    if not conversation:
        raise DomainError("handover_in_chat")
    return conversation


async def live_in(context: Context, conversation: str) -> Handover | None:
    """The hand-over that goes on in a private chat of the actor's."""
    query = select(Handover).where(Handover.open_key == chat_key(context, conversation))
    return (await context.session.execute(query)).scalar_one_or_none()


async def latest(context: Context, key: str, state: str) -> Handover | None:
    """The newest hand-over of a chat that is in a state."""
    query = select(Handover).where(Handover.chat_key == key, Handover.state == state).order_by(Handover.id.desc())
    return (await context.session.execute(query.limit(1))).scalar_one_or_none()


# --- officers


async def taker_of(context: Context, row: Handover) -> tuple[HandoverTaker, Member] | None:
    """The officer who has a hand-over."""
    query = (
        select(HandoverTaker, Member)
        .join(Member, Member.id == HandoverTaker.member_id)
        .where(HandoverTaker.handover_id == row.id)
    )
    found = (await context.session.execute(query)).unique().one_or_none()
    return None if found is None else (found[0], found[1])


async def duty(context: Context, *, but: int | None) -> list[Member]:
    """Officers named for this duty, else union officers of everything; in the order of their grants.

    Only who has an account with a private chat can be reached, so only they count. `but` is who asks: nobody is put
    through to themselves.
    """
    for service in (DUTY, ""):
        query = (
            select(Member)
            .join(RoleGrant, RoleGrant.member_id == Member.id)
            .where(
                RoleGrant.role == ROLE,
                RoleGrant.service == service,
                RoleGrant.unit_id.is_(None),
                Member.status != "left",
                Member.id != (but or 0),
                select(Account.id).where(Account.member_id == Member.id, Account.conversation.is_not(None)).exists(),
            )
            .order_by(RoleGrant.id)
        )
        members = list((await context.session.execute(query)).scalars().unique())
        if members:
            return members
    return []


async def serves(context: Context, member: Member) -> bool:
    """Whether somebody still holds the role that they once took a hand-over with."""
    return (await actor_for(context.session, member)).holds(ROLE, service=DUTY)


# --- an officer's next message


async def armed_in(context: Context, conversation: str) -> int | None:
    """The hand-over for which the actor's next message in a chat is meant; costs nothing for who is no officer."""
    actor = context.actor
    if actor.member is None or not actor.holds(ROLE, service=DUTY):
        return None
    query = select(HandoverTaker.handover_id).where(
        HandoverTaker.member_id == actor.member.id,
        HandoverTaker.armed_in == chat_key(context, conversation),
        HandoverTaker.armed_until > context.now,
    )
    return (
        await context.session.execute(query.order_by(HandoverTaker.armed_until.desc()).limit(1))
    ).scalar_one_or_none()


async def disarm(context: Context) -> None:
    """The actor's next message is for the assistant again."""
    if context.actor.member is not None:
        await context.session.execute(
            update(HandoverTaker)
            .where(HandoverTaker.member_id == context.actor.member.id, HandoverTaker.armed_in.is_not(None))
            .values(armed_in=None, armed_until=None)
        )
