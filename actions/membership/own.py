"""Bindings as `bot replay` and the tests read them. They are nothing that a member withdraws or moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.errors import DomainError
from actions.core.life import Snapshot
from actions.membership.rules import service_of
from actions.membership.tables import BindingRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from actions.core.commands import Command, Context
    from actions.core.life import Choice, Item


class BindingRecords:
    """Records of bindings: those that wait for an officer, and those made in a conversation."""

    kinds = ("binding",)

    async def items(self, context: Context, member_id: int) -> Sequence[Item]:
        """None: who may ask for their records is bound already."""
        del context, member_id
        return ()

    async def item(self, context: Context, ref: str) -> Item | None:
        """None, for the same reason."""
        del context, ref
        return None

    def withdrawal(self, ref: str) -> Command:
        """Raises DomainError("not_found"): there is none."""
        raise DomainError("not_found", ref=ref)

    async def moves(self, context: Context, ref: str, wanted: Mapping[str, Any] | None) -> tuple[Choice, ...]:
        """None."""
        del context, ref, wanted
        return ()

    def move(self, ref: str, value: str) -> Command:
        """Raises DomainError("not_found"): there is none."""
        raise DomainError("not_found", ref=ref, value=value)

    async def snapshots(self, context: Context) -> Sequence[Snapshot]:
        """What conversations left, oldest first; accounts that were bound in another way are not among it."""
        query = select(BindingRequest).where(BindingRequest.state.in_(("pending", "bound"))).order_by(BindingRequest.id)
        rows = (await context.session.execute(query)).unique().scalars()
        service = service_of(context.catalogue)
        return [
            Snapshot(
                service=service,
                kind="binding",
                state=row.state,
                member=row.member.name,
                fields={"staff_id": row.member.staff_id, "name": row.member.name, "channel": row.channel},
            )
            for row in rows
            if row.member is not None
        ]
