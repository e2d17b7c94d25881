"""Who is in an offering of this life, for those who may address them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.activities.tables import IN, Entry, Person

if TYPE_CHECKING:
    from sqlalchemy import Select

    from actions.core.commands import Context
    from actions.core.tables import Offering


class ActivityRegistrants:
    """Registrants of the life activity."""

    life = "activity"

    async def registrants(self, context: Context, offering: Offering) -> Select[int]:
        """Members who are in, or will be once somebody has agreed; of a team everybody on its list."""
        del context
        return (
            select(Person.member_id)
            .join(Entry, Entry.id == Person.entry_id)
            .where(Entry.offering_id == offering.id, Entry.state.in_(IN), Entry.kind != "wish")
        )
