"""Binding an account that the university's identity provider vouches for.

The command takes a proof that only this process can seal, made for one account and good for a minute: who calls the
command by its name (`bot do`, an interface, an option) has none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from actions.core.commands import Command, Context, Outcome
from actions.core.errors import ConfigurationError, DomainError, ForbiddenError
from actions.membership import requests
from actions.membership.binding import facts, own_account, tell_account
from actions.membership.people import accounts_of, find_member, fold_name, member_of

if TYPE_CHECKING:
    from actions.core.tables import Account, Member
    from actions.core.vault import Vault

_ABOUT = "sso-proof"


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """Whom the provider vouched for, and the account that it was done for; `name` is empty where it was not asked."""

    staff_id: str
    name: str
    channel: str
    account: str = ""
    sender: str
    conversation: str
    until: datetime

    def sealed(self, vault: Vault) -> str:
        """What the command takes."""
        return vault.seal(asdict(self), about=_ABOUT)


class BindBySso(Command):
    """Binds the actor's account to the member of a proof."""

    name: ClassVar[str] = "membership.bind_by_sso"
    proof: str = Field(max_length=4096)


async def proved(command: BindBySso, context: Context) -> bool:
    """Right: a proof of this process, in time, and of the actor's own account."""
    return _opened(command, context) is not None


def _opened(command: BindBySso, context: Context) -> Proof | None:
    try:
        told = context.vault.open(command.proof, about=_ABOUT)
    except (ConfigurationError, ValueError):
        return None
    proof = Proof(**{**told, "until": datetime.fromisoformat(told["until"])})
    actor = context.actor
    own = (proof.channel, proof.account, proof.sender) == (actor.channel, actor.account, actor.sender)
    return proof if own and proof.until > context.now else None


async def bind_by_sso(command: BindBySso, context: Context) -> Outcome:
    """Raises ForbiddenError without a proof, for the operator too; DomainError: sso_unknown, sso_left, sso_name,
    already_bound (the account is somebody else's).
    """
    proof = _opened(command, context)
    if proof is None:
        raise ForbiddenError(command=command.name)
    member = await _member(context, proof)
    account = await own_account(context)
    if account.member_id not in (None, member.id):
        raise DomainError("already_bound", member=member.name)
    if account.member_id is None:
        await _bind(context, proof, member, account)
    return Outcome(wording="membership.bound", params=facts(member), subject=f"member:{member.id}")


async def _member(context: Context, proof: Proof) -> Member:
    if await find_member(context, proof.staff_id) is None:
        raise DomainError("sso_unknown", staff_id=proof.staff_id[:40])
    member = await member_of(context, proof.staff_id)
    if member.status == "left":
        raise DomainError("sso_left")
    if proof.name and fold_name(proof.name) != fold_name(member.name):
        raise DomainError("sso_name", staff_id=member.staff_id)
    return member


async def _bind(context: Context, proof: Proof, member: Member, account: Account) -> None:
    for other in await accounts_of(context, member.id):
        await tell_account(context, other, "notices.bound_elsewhere", {"channel": account.channel})
    account.member_id, account.bound_at = member.id, context.now
    account.conversation = account.conversation or proof.conversation
    request = await requests.current(context)
    if request is not None:
        # What was asked of an officer meanwhile need not be answered any more.
        await requests.end(context, request, "withdrawn")
    await tell_account(context, account, "notices.binding_approved", facts(member), member_id=member.id)
