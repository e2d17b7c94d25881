"""Columns that the vault seals. Each says what it is sealed about, so that a change of keys finds and opens it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import MappedColumn, mapped_column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, MetaData, Table

_MARK = "sealed"


def sealed(about: str, **options: Any) -> MappedColumn[str]:
    """A text column whose values are sealed about this (some may be empty, or plain where nothing is private)."""
    return mapped_column(info={_MARK: about}, **options)


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedColumn:
    """A sealed column and what it is sealed about."""

    table: Table
    column: Column[Any]
    about: str


def sealed_columns(metadata: MetaData) -> Iterator[SealedColumn]:
    """Every sealed column of these tables."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if _MARK in column.info:
                yield SealedColumn(table=table, column=column, about=column.info[_MARK])
