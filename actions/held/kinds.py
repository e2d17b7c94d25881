"""Kinds of things that are held about a member: each table that names members, as data/held.yml classifies it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Table, select

from actions.core.errors import ConfigurationError
from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement, MetaData

MEMBER = "member"


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spared(_Read):
    """Rows stay that another table speaks of: by the same value in a column of the same name."""

    table: str
    column: str


class Kind(_Read):
    """One kind of thing: a table, whose rows belong to the member that `person` names.

    Where `through` is given, rows belong to the member of the row of the table `of` that this column points to.
    `columns` are shown under their Chinese names, values in the words of `says`; `where` limits what is shown.
    `others` name members who acted, and whose data the row is not. `erasure` deletes rows or keeps them: of those
    deleted `only` values, or only rows where `over` is set, and none that are `spared`; `reason` tells why the rest is
    kept. `subjects` are how notices and files name a row.
    """

    table: str
    title: str
    person: str
    through: str = ""
    of: str = ""
    columns: dict[str, str] = Field(min_length=1)
    says: dict[str, dict[str, str]] = Field(default_factory=dict)
    where: dict[str, tuple[bool | str, ...]] = Field(default_factory=dict)
    others: tuple[str, ...] = ()
    erasure: Literal["delete", "keep"]
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    over: str = ""
    spared: Spared | None = None
    subjects: tuple[str, ...] = ()
    reason: str = ""

    @model_validator(mode="after")
    def _told(self) -> Kind:
        partly = self.only or self.over or self.spared
        if (self.erasure == "keep" or partly) and not self.reason:
            message = f"{self.table}: what is kept needs a reason"
            raise ValueError(message)
        if self.erasure == "keep" and partly:
            message = f"{self.table}: only, over and spared limit what is deleted, and nothing is"
            raise ValueError(message)
        if bool(self.through) != bool(self.of) or (self.through and self.erasure == "delete"):
            message = f"{self.table}: through needs of, and such rows go with what they belong to"
            raise ValueError(message)
        return self

    def named(self) -> frozenset[str]:
        """Every column that the kind speaks of."""
        person = () if self.through else (self.person,)
        given = (*person, *self.others, *self.columns, *self.says, *self.where, *self.only)
        return frozenset(filter(None, (*given, self.over, self.through)))

    def belongs(self, metadata: MetaData, member_id: int) -> ColumnElement[bool]:
        """The condition for rows that are a member's."""
        table = metadata.tables[self.table]
        if not self.through:
            return table.c[self.person] == member_id
        owner = metadata.tables[self.of]
        return table.c[self.through].in_(select(owner.c.id).where(owner.c[self.person] == member_id))


class _Kinds(_Read):
    kinds: tuple[Kind, ...]


def load_kinds(folder: Path, metadata: MetaData) -> tuple[Kind, ...]:
    """Reads held.yml. Raises ConfigurationError for what is no table or column, or a title that is there twice."""
    path = folder / "held.yml"
    kinds = YamlFile(path).validate(_Kinds).kinds
    wrong = [fault for kind in kinds for fault in _faults(kind, metadata)]
    titles = [kind.title for kind in kinds]
    wrong += [f"{title}: the title is there twice" for title in sorted({t for t in titles if titles.count(t) > 1})]
    if wrong:
        raise ConfigurationError("\n".join(f"{path}: {fault}" for fault in wrong))
    return kinds


def _faults(kind: Kind, metadata: MetaData) -> Iterator[str]:
    table = metadata.tables.get(kind.table)
    if table is None:
        yield f"there is no table {kind.table}"
        return
    for name in sorted(kind.named() - set(table.c.keys())):
        yield f"{kind.table}: there is no column {name}"
    pairs = [(kind.of, kind.person)] if kind.of else []
    pairs += [(kind.spared.table, kind.spared.column), (kind.table, kind.spared.column)] if kind.spared else []
    for other, column in pairs:
        if other not in metadata.tables or column not in metadata.tables[other].c:
            yield f"{kind.table}: there is no column {other}.{column}"


def unclassified(metadata: MetaData, kinds: Sequence[Kind]) -> list[str]:
    """Columns that name a member and that no kind speaks of, as "table.column"."""
    known = {(kind.table, name) for kind in kinds for name in kind.others}
    known |= {(kind.table, kind.person) for kind in kinds if not kind.through}
    return [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if _names_member(table, column.name) and (table.name, column.name) not in known
    ]


def _names_member(table: Table, column: str) -> bool:
    return any(key.column.table.name == MEMBER for key in table.c[column].foreign_keys)
