"""A change of keys: everything sealed with an older key is sealed with the newest, while others read and write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, tuple_, update

from actions.core.errors import ConfigurationError
from actions.core.sealed import SealedColumn, sealed_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Column, MetaData
    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.blocks.vault import AesVault
    from actions.core.database import Database

#: Rows of one transaction: short, so that a turn never waits for it.
_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotated:
    """How many texts were sealed anew, and how many could not be opened and stay as they are."""

    resealed: int
    unreadable: int


async def rotate(
    database: Database, vault: AesVault, metadata: MetaData, progress: Callable[[int], None] = lambda _count: None
) -> Rotated:
    """Seals anew what an older key has sealed; it may be stopped and begun again at any row.

    Args:
        database: of the records. Whoever else uses it must know the newest key already.
        vault: all keys; the last one is the newest.
        metadata: of the tables.
        progress: told how many texts were sealed anew, after each transaction.

    """
    resealed = unreadable = 0
    for sealed in sealed_columns(metadata):
        after: Sequence[Any] | None = None
        while rows := await _next(database, vault, sealed, after):
            after = rows[-1][:-1]
            done, failed = await _reseal(database, vault, sealed, rows)
            resealed, unreadable = resealed + done, unreadable + failed
            progress(resealed)
    return Rotated(resealed=resealed, unreadable=unreadable)


async def _next(
    database: Database, vault: AesVault, sealed: SealedColumn, after: Sequence[Any] | None
) -> Sequence[Sequence[Any]]:
    """The next rows that an older key has sealed: their key, then the text."""
    keys = _keys(sealed)
    query = select(*keys, sealed.column).where(
        sealed.column.startswith(vault.mark, autoescape=True),
        sealed.column.not_like(f"{vault.mark}{vault.current}.%"),
    )
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after))
    async with database.read() as session:
        return [tuple(row) for row in await session.execute(query.order_by(*keys).limit(_AT_ONCE))]


async def _reseal(
    database: Database, vault: AesVault, sealed: SealedColumn, rows: Sequence[Sequence[Any]]
) -> tuple[int, int]:
    done = failed = 0
    async with database.write() as session:
        for *key, text in rows:
            try:
                fresh = vault.seal(vault.open(text, about=sealed.about), about=sealed.about)
            except ConfigurationError:
                failed += 1
                continue
            done += await _replace(session, sealed, key, text, fresh)
    return done, failed


async def _replace(session: AsyncSession, sealed: SealedColumn, key: Sequence[Any], text: str, fresh: str) -> int:
    """Puts the fresh text in the place of the one that was read; who wrote meanwhile has sealed it anew already."""
    here = [column == value for column, value in zip(_keys(sealed), key, strict=True)]
    statement = update(sealed.table).where(*here, sealed.column == text).values({sealed.column: fresh})
    found = await session.execute(statement.returning(*_keys(sealed)))
    return len(found.all())


def _keys(sealed: SealedColumn) -> tuple[Column[Any], ...]:
    return tuple(sealed.table.primary_key.columns)
