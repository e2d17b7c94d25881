"""A list as Excel, for who asks and nobody else."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from actions.blocks.documents import Paper, Part, SignOff, Table
from actions.blocks.documents_excel import workbook
from actions.blocks.materials_made import Draft
from actions.blocks.materials_types import XLSX
from actions.core.notify import Notice
from actions.core.zones import local

if TYPE_CHECKING:
    from actions.activities.competition import Say
    from actions.blocks.materials_made import Shelf
    from actions.core.commands import Context
    from actions.core.tables import Offering

#: A list holds names: it can be made anew, and need not lie about.
_KEPT = timedelta(days=7)


async def hand_over(context: Context, shelf: Shelf, say: Say, *, offering: Offering, title: str, table: Table) -> None:
    """Has the list made, signed off by the union. Raises DomainError("file_no_account")."""
    sign_off = SignOff(name=say("closing.sign_off", {}), day=local(context.now).date())
    paper = Paper(title=title, parts=(Part(table=table),), sign_off=sign_off)
    notice = Notice(
        member_id=context.actor.member_id,
        wording="closing.sheet_ready",
        params={"title": title, "days": _KEPT.days},
        subject=f"papers:{offering.id}",
        expires=context.now + _KEPT,
    )
    await shelf.make(context, [Draft(name=title, kind=XLSX, build=partial(workbook, [paper]))], notice)
