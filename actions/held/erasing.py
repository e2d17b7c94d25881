"""删除我的数据: what can go is deleted with all that hangs on it; what stays is told with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, delete, select, update

from actions.blocks import materials
from actions.core.errors import DomainError
from actions.core.life import Forgetful
from actions.core.notify import forget_prompts
from actions.core.tables import Outgoing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, MetaData

    from actions.core.commands import Context
    from actions.held.kinds import Kind

#: Rows that one statement names: databases limit its parameters.
_AT_ONCE = 500
#: The table whose rows are files: the sweep of the files takes both away together.
_FILES = "material"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """How many rows of a kind would go, and how many stay."""

    kind: Kind
    going: int
    staying: int


async def fates(context: Context, metadata: MetaData, kinds: Sequence[Kind], member_id: int) -> list[Fate]:
    """What would become of what is held; kinds of which there is nothing are left out."""
    found = []
    for kind in kinds:
        table = metadata.tables[kind.table]
        mine = kind.belongs(metadata, member_id)
        every = len((await context.session.execute(select(*table.primary_key.columns).where(mine))).all())
        going = len(await _going(context, metadata, kind, member_id)) if kind.erasure == "delete" else 0
        if every:
            found.append(Fate(kind=kind, going=going, staying=every - going))
    return found


async def refuse_open(context: Context, metadata: MetaData, kinds: Sequence[Kind], member_id: int) -> None:
    """What is still open is given back first: others wait for it, or count on it. Raises DomainError("held_open")."""
    going = set()
    for kind in kinds:
        if kind.erasure == "delete" and kind.subjects:
            rows = await _going(context, metadata, kind, member_id)
            going |= {kind.subjects[0].format(id=key[0]) for key in rows}
    open_ = [item for records in context.records for item in await records.items(context, member_id)]
    titles = [item.title for item in open_ if item.ref in going and (item.withdrawable or item.starts_at)]
    if titles:
        raise DomainError("held_open", titles=titles)


async def erase(context: Context, metadata: MetaData, kinds: Sequence[Kind], member_id: int) -> int:
    """Deletes what can go; returns how many rows of the member's own."""
    gone = 0
    for kind in kinds:
        if kind.erasure == "delete":
            keys = await _going(context, metadata, kind, member_id)
            gone += len(keys)
            await _delete(context, metadata, kind, member_id, keys)
    return gone


async def _going(context: Context, metadata: MetaData, kind: Kind, member_id: int) -> Sequence[Sequence[Any]]:
    """Primary keys of a member's rows that can go."""
    table = metadata.tables[kind.table]
    where: list[ColumnElement[bool]] = [kind.belongs(metadata, member_id)]
    where += [table.c[name].in_(values) for name, values in kind.only.items()]
    if kind.over:
        where.append(table.c[kind.over].is_not(None))
    if kind.spared:
        other = metadata.tables[kind.spared.table]
        where.append(table.c[kind.spared.column].not_in(select(other.c[kind.spared.column])))
    if kind.table == _FILES:
        where.append(table.c.expires_at > context.now)
    keys = table.primary_key.columns
    return [tuple(row) for row in await context.session.execute(select(*keys).where(*where).order_by(*keys))]


async def _delete(
    context: Context, metadata: MetaData, kind: Kind, member_id: int, keys: Sequence[Sequence[Any]]
) -> None:
    table = metadata.tables[kind.table]
    if "id" not in table.c:
        if keys:
            await context.session.execute(delete(table).where(kind.belongs(metadata, member_id)))
        return
    ids = [key[0] for key in keys]
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        if kind.table == _FILES:
            await context.session.execute(update(table).where(table.c.id.in_(some)).values(expires_at=context.now))
            continue
        subjects = [each.format(id=number) for each in kind.subjects for number in some]
        await _forget_kept(context, subjects)
        await _forget_said(context, subjects)
        await _forget_rows(context, metadata, table, some)


async def _forget_kept(context: Context, subjects: Sequence[str]) -> None:
    """What lives keep of rows without pointing to them: a pseudonym leads to nobody, but it is about somebody."""
    for records in context.records:
        if isinstance(records, Forgetful):
            theirs = [subject for subject in subjects if subject.partition(":")[0] in records.kinds]
            if theirs:
                await records.forget(context, theirs)


async def _forget_said(context: Context, subjects: Sequence[str]) -> None:
    """Files, options and the ledger of what was said about rows that are no more."""
    for subject in subjects:
        await materials.drop(context, subject)
    await forget_prompts(context, subjects)
    for first in range(0, len(subjects), _AT_ONCE):
        some = subjects[first : first + _AT_ONCE]
        await context.session.execute(delete(Outgoing).where(Outgoing.subject.in_(some)))


async def _forget_rows(context: Context, metadata: MetaData, table: Table, ids: Sequence[int]) -> None:
    """Deletes rows with those that cannot be without them; who merely points to them, points nowhere then."""
    for other in metadata.sorted_tables:
        for column in other.columns:
            if not any(key.column.table is table for key in column.foreign_keys):
                continue
            pointing = column.in_(ids)
            if column.nullable:
                await context.session.execute(update(other).where(pointing).values({column.name: None}))
            elif "id" in other.c:
                parts = (await context.session.execute(select(other.c.id).where(pointing))).scalars().all()
                await _forget_rows(context, metadata, other, parts) if parts else None
            else:
                await context.session.execute(delete(other).where(pointing))
    await context.session.execute(delete(table).where(table.c.id.in_(ids)))
