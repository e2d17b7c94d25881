"""我的数据: everything that is held about the actor as one Excel file, theirs alone and gone after a day."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.blocks.documents import Column, Paper, Part, Table
from actions.blocks.documents_excel import workbook
from actions.blocks.materials import Material
from actions.blocks.materials_made import Draft
from actions.blocks.materials_types import XLSX
from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.notify import Notice
from actions.core.tables import Member
from actions.core.zones import local
from actions.held.reading import held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import MetaData

    from actions.blocks.materials_made import Shelf
    from actions.core.commands import Context
    from actions.held.kinds import Kind
    from actions.held.reading import Held

#: One file an hour: it reads every table.
_EVERY = timedelta(hours=1)
#: How long the file lies ready.
_KEPT = timedelta(days=1)
_WIDTH = 12.0
_WIDE = 30.0


async def export(context: Context, metadata: MetaData, kinds: Sequence[Kind], shelf: Shelf) -> Outcome:
    """Raises DomainError: not_bound, held_too_often, file_no_account."""
    member_id = context.actor.member_id
    member = await context.database.lock(context.session, Member, member_id)
    if member is None:
        raise DomainError("not_bound")
    subject = f"held:{member_id}"
    await _refuse_often(context, subject)
    found = await held(context, metadata, kinds, member_id)
    draft = Draft(
        name=f"我的数据{local(context.now):%Y%m%d}.xlsx",
        kind=XLSX,
        build=partial(workbook, [*_overview(found), *_sheets(found)]),
    )
    until = context.now + _KEPT
    params: dict[str, Any] = {"until": local(until)}
    notice = Notice(member_id=member_id, wording="held.file", params=params, subject=subject, expires=until)
    (file,) = await shelf.make(context, [draft], notice)
    params = {"kinds": sum(bool(each.lines) for each in found), "rows": sum(len(each.lines) for each in found)}
    return Outcome(wording="held.exported", params=params, subject="held", data={"file": file["id"], **params})


async def _refuse_often(context: Context, subject: str) -> None:
    """The last file was made less than an hour ago. Raises DomainError("held_too_often")."""
    query = select(Material.created_at).where(Material.subject == subject, Material.created_at > context.now - _EVERY)
    last = (await context.session.execute(query.order_by(Material.id.desc()).limit(1))).scalar_one_or_none()
    if last is not None:
        raise DomainError("held_too_often", after=local(last + _EVERY))


def _overview(found: Sequence[Held]) -> list[Paper]:
    """What there is of each kind, and what would become of it."""
    headings = (("内容", _WIDTH), ("条数", 5.0), ("“删除我的数据”时", _WIDTH), ("为什么留", _WIDE))
    columns = tuple(Column(title=title, width=width) for title, width in headings)
    rows = tuple(
        (each.kind.title, len(each.lines), "删" if each.kind.erasure == "delete" else "留", each.kind.reason)
        for each in found
    )
    return [Paper(title="总览", parts=(Part(table=Table(columns=columns, rows=rows)),))]


def _sheets(found: Sequence[Held]) -> list[Paper]:
    """A sheet for each kind of which anything is held."""
    papers = []
    for each in found:
        if each.lines:
            columns = tuple(Column(title=label, width=_WIDTH) for label in each.kind.columns.values())
            table = Table(columns=columns, rows=each.lines)
            papers.append(Paper(title=each.kind.title, parts=(Part(table=table),), landscape=True))
    return papers
