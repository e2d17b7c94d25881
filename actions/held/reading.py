"""A member's rows of every kind, in words: opened, in Shanghai's time, with the labels of the forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.blocks.vault import AesVault
from actions.core.sealed import sealed_columns
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import MetaData

    from actions.core.catalogue import Declaration
    from actions.core.commands import Context
    from actions.held.kinds import Kind

#: A cell of Excel holds no more.
_LONGEST = 32_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What is held of one kind: lines of text, a cell for each of its columns."""

    kind: Kind
    lines: tuple[tuple[str, ...], ...]


async def held(context: Context, metadata: MetaData, kinds: Sequence[Kind], member_id: int) -> list[Held]:
    """Everything that is held about a member, kind by kind; of some there is nothing."""
    about = {(each.table.name, each.column.name): each.about for each in sealed_columns(metadata)}
    return [await _of(context, metadata, kind, member_id, about) for kind in kinds]


async def _of(
    context: Context, metadata: MetaData, kind: Kind, member_id: int, about: Mapping[tuple[str, str], str]
) -> Held:
    table = metadata.tables[kind.table]
    shown = [table.c[name].in_(values) for name, values in kind.where.items()]
    query = select(table).where(kind.belongs(metadata, member_id), *shown).order_by(*table.primary_key.columns)
    rows = (await context.session.execute(query)).mappings().all()
    services = await _services(context, metadata, kind, rows)
    lines = tuple(
        tuple(_cell(context, kind, row, name, about.get((kind.table, name), ""), service) for name in kind.columns)
        for row, service in zip(rows, services, strict=True)
    )
    return Held(kind=kind, lines=lines)


async def _services(
    context: Context, metadata: MetaData, kind: Kind, rows: Sequence[Mapping[Any, Any]]
) -> list[Declaration | None]:
    """The service of each row: its own, or that of what it belongs to."""
    names = [row.get("service") for row in rows]
    if kind.through and "service" in metadata.tables[kind.of].c:
        owner = metadata.tables[kind.of]
        query = select(owner.c.id, owner.c.service).where(owner.c.id.in_({row[kind.through] for row in rows}))
        by_owner = {number: service for number, service in (await context.session.execute(query)).all()}  # noqa: C416 - rows are no pairs
        names = [by_owner.get(row[kind.through]) for row in rows]
    return [context.catalogue[name] if name and name in context.catalogue else None for name in names]


def _cell(
    context: Context, kind: Kind, row: Mapping[Any, Any], name: str, about: str, service: Declaration | None
) -> str:
    value = row[name]
    if about and isinstance(value, str) and value.startswith(AesVault.mark):
        value = context.vault.open(value, about=about)
    if service is not None and (told := _declared(service, name, value)):
        return told
    if isinstance(value, str):
        value = kind.says.get(name, {}).get(value, value)
    return _text(value, service)[:_LONGEST]


def _declared(service: Declaration, name: str, value: object) -> str:
    """What the declaration calls a service, one of its states or moves; nothing where it does not."""
    if name == "service":
        return service.title
    if name == "state" and (state := getattr(service.rules, "states", {}).get(value)):
        return str(state.title)
    if name == "move" and (move := getattr(service.rules, "moves", {}).get(value)):
        return str(move.label)
    return ""


def _text(value: object, service: Declaration | None) -> str:
    match value:
        case bool():
            return "是" if value else "否"
        case datetime():
            return f"{local(value):%Y-%m-%d %H:%M}"
        case date():
            return f"{value:%Y-%m-%d}"
        case dict():
            return "；".join(_field(name, each, service) for name, each in value.items())
        case list():
            return "、".join(_text(each, service) for each in value)
        case _:
            return "" if value is None else str(value)


def _field(name: str, value: object, service: Declaration | None) -> str:
    """One answer of a form, by its label; of files how many."""
    fields = {field.key: field for field in service.form} if service else {}
    field = fields.get(name)
    if field is not None and field.type == "materials" and isinstance(value, list):
        return f"{field.label}：{len(value)} 份"
    return f"{field.label if field else name}：{_text(value, service)}"
