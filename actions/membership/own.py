"""Bindings as `bot replay` and the tests read them. They are nothing that a member withdraws or moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.life import KeptRecords, Snapshot
from actions.membership.rules import service_of
from actions.membership.tables import BindingRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Context


class BindingRecords(KeptRecords):
    """Records of bindings: those that wait for an officer, and those made in a conversation."""

    kinds = ("binding",)

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
