"""催办表: of anything with a roster, who has not answered, by unit, with a ready text for each unit's chair."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from actions.announcements.audience import missing
from actions.announcements.commands import Chase
from actions.announcements.rights import is_union_officer
from actions.announcements.rules import broadcast_rules
from actions.blocks.materials_types import XLSX
from actions.core.commands import Outcome
from actions.core.errors import ForbiddenError
from actions.core.notify import Notice, Option, notify
from actions.core.tables import Member, Outgoing, RoleGrant, Unit
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.announcements.rules import Office, Render
    from actions.blocks.materials import MaterialView
    from actions.blocks.rosters import Roster
    from actions.core.commands import Context

#: Names in one sentence; a chat message holds no more.
_NAMED = 30
#: How long a table can be fetched, and how long it is worth reading that a deadline is over.
_KEPT = timedelta(days=7)
#: How long it is of use to a chair to be asked to remind their people: the table is another one by then.
_CHAIRS_WITHIN = timedelta(days=3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One unit: how many were asked and have answered, who has not, its chairs, and what to tell them."""

    unit_id: int | None
    unit: str
    asked: int
    answered: int
    names: Sequence[str]
    chairs: Sequence[tuple[int, str]]
    text: str

    def as_json(self) -> dict[str, Any]:
        """For commands' data and sentences."""
        return {
            "unit": self.unit,
            "asked": self.asked,
            "answered": self.answered,
            "missing": len(self.names),
            "names": list(self.names),
            "chairs": [name for _id, name in self.chairs],
            "text": self.text,
        }


async def table(context: Context, office: Office, roster: Roster) -> list[Row]:
    """Units of which somebody has not answered, most first; units that are complete are left out."""
    people = select(Member.id, Member.name, Member.unit_id, Unit.name).outerjoin(Unit, Unit.id == Member.unit_id)
    query = people.where(Member.id.in_(roster.asked), Member.status != "left").order_by(Member.staff_id)
    everyone = (await context.session.execute(query)).all()
    silent = set((await context.session.execute(missing(roster))).scalars())
    by_unit: dict[tuple[int | None, str], list[tuple[int, str]]] = defaultdict(list)
    for member_id, name, unit_id, unit in everyone:
        by_unit[unit_id, unit or ""].append((member_id, name))
    chairs = await _chairs(context)
    rows = [
        _row(office.render, roster, unit, people, silent, chairs.get(unit[0], ()))
        for unit, people in by_unit.items()
        if any(member_id in silent for member_id, _name in people)
    ]
    return sorted(rows, key=lambda row: (-len(row.names), row.unit))


def _row(
    render: Render,
    roster: Roster,
    unit: tuple[int | None, str],
    people: Sequence[tuple[int, str]],
    silent: set[int],
    chairs: Sequence[tuple[int, str]],
) -> Row:
    names = [name for member_id, name in people if member_id in silent]
    facts = {
        "title": roster.title,
        "unit": unit[1],
        "asked": len(people),
        "missing": len(names),
        "names": names[:_NAMED],
        "more": max(len(names) - _NAMED, 0),
        "deadline": local(roster.deadline).isoformat() if roster.deadline else "",
    }
    return Row(
        unit_id=unit[0],
        unit=unit[1],
        asked=len(people),
        answered=len(people) - len(names),
        names=names,
        chairs=chairs,
        text=render("chasing.to_chair", facts),
    )


async def _chairs(context: Context) -> Mapping[int | None, Sequence[tuple[int, str]]]:
    service, _rules = broadcast_rules(context.catalogue)
    query = (
        select(RoleGrant.unit_id, Member.id, Member.name)
        .join(Member, Member.id == RoleGrant.member_id)
        .where(
            RoleGrant.role == "unit_officer",
            RoleGrant.unit_id.is_not(None),
            RoleGrant.service.in_(("", service)),
            Member.status != "left",
        )
        .order_by(RoleGrant.id)
    )
    found: dict[int | None, list[tuple[int, str]]] = defaultdict(list)
    for unit_id, member_id, name in (await context.session.execute(query)).all():
        found[unit_id].append((member_id, name))
    return found


async def chase(command: Chase, context: Context, office: Office) -> Outcome:
    """The table of a roster; with `send` each chair is told, once a day; with `file` the actor has it as Excel.

    Raises DomainError("no_roster"); ForbiddenError for who does not answer for it.
    """
    roster = await office.sources.roster(context, command.roster)
    service, _rules = broadcast_rules(context.catalogue)
    member = context.actor.member
    owner = member is not None and member.id == roster.owner_id and member.status != "left"
    if not owner and not is_union_officer(context, service):
        raise ForbiddenError
    rows = await table(context, office, roster)
    params = {**facts(roster, rows), "number": number_of(roster)}
    if not rows:
        return Outcome(wording="chasing.complete", params=params, subject=roster.ref, data=params)
    if command.file and member is not None:
        await _hand_over(context, office, roster, params, member.id)
    if not command.send:
        options = [{"label": "发催办", "value": f"发催办 {params['number']}"}]
        return Outcome(wording="chasing.table", params=params, subject=roster.ref, data=params, options=options)
    told = await tell_chairs(context, roster, rows)
    more = {"told": told, "without": [row.unit for row in rows if not row.chairs]}
    return Outcome(wording="chasing.sent", params={**params, **more}, subject=roster.ref, data=params)


def number_of(roster: Roster) -> str:
    """How a roster is named in a chat: of an announcement by its number alone."""
    return roster.ref.removeprefix("announcement:")


def facts(roster: Roster, rows: Sequence[Row]) -> dict[str, Any]:
    """A table as sentences have it."""
    return {
        "title": roster.title,
        "deadline": local(roster.deadline).isoformat() if roster.deadline else "",
        "missing": sum(len(row.names) for row in rows),
        "rows": [row.as_json() for row in rows],
    }


async def tell_chairs(context: Context, roster: Roster, rows: Sequence[Row]) -> int:
    """Tells the chairs of each unit of their own people, and of no others; returns how many chairs were told."""
    day = local(context.now).date().isoformat()
    told = 0
    for row in rows:
        for member_id, _name in row.chairs:
            notice = Notice(
                member_id=member_id,
                wording="chasing.told",
                params={"text": row.text},
                kind="reminder",
                expires=context.now + _CHAIRS_WITHIN,
                unique_key=f"chase:{roster.ref}:{row.unit_id}:{member_id}:{day}",
            )
            told += await _once(context, notice)
    return told


async def tell_owner(context: Context, office: Office, roster: Roster) -> bool:
    """The deadline is over: who answers for a roster gets the table, once; True where they had not got it."""
    key = f"chased:{roster.ref}"
    if roster.owner_id is None or await _said(context, key):
        return False
    rows = await table(context, office, roster)
    params = {**facts(roster, rows), "number": number_of(roster)}
    file = await _file(context, office, roster, params, roster.owner_id) if rows else None
    notice = Notice(
        member_id=roster.owner_id,
        wording="chasing.table" if rows else "chasing.complete",
        params=params,
        subject=chase_of(roster.ref),
        kind="reminder",
        expires=context.now + _KEPT,
        options=(Option(label="发催办", command=Chase(ref=roster.ref, send=True)),) if rows else (),
        files=(file,) if file else (),
        unique_key=key,
    )
    return await _once(context, notice)


def chase_of(ref: str) -> str:
    """How notices of a roster's table are named, so that they are taken back with what they are about."""
    return f"chase:{ref}"


async def _hand_over(
    context: Context, office: Office, roster: Roster, params: Mapping[str, Any], member_id: int
) -> None:
    file = await _file(context, office, roster, params, member_id)
    if file is not None:
        notice = Notice(member_id=member_id, wording="chasing.file", files=(file,), subject=chase_of(roster.ref))
        await notify(context, notice)


async def _file(
    context: Context, office: Office, roster: Roster, params: Mapping[str, Any], member_id: int
) -> MaterialView | None:
    """The table as an Excel file for a member to fetch."""
    return await office.shelf.put(
        context,
        await asyncio.to_thread(workbook, office.render, params),
        name=office.render("chasing.file_name", params),
        kind=XLSX,
        subject=chase_of(roster.ref),
        member_id=member_id,
        until=context.now + _KEPT,
    )


async def _said(context: Context, key: str) -> bool:
    known = select(Outgoing.id).where(Outgoing.unique_key == key)
    return (await context.session.execute(known)).first() is not None


async def _once(context: Context, notice: Notice) -> bool:
    """Says it where no process has said it yet; True where it was not."""
    if await _said(context, notice.unique_key or ""):
        return False
    try:
        async with context.session.begin_nested():
            await notify(context, notice)
    except IntegrityError:
        return False
    return True


def workbook(render: Render, table: Mapping[str, Any]) -> bytes:
    """A table as an Excel file: one sheet by unit with the ready texts, one with a row for each person.

    `table` is what `chase` gives as its data.
    """
    from openpyxl import Workbook  # noqa: PLC0415 - a quarter of a second that a chat need not pay
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415

    book = Workbook()
    units, people = book.active, book.create_sheet(render("chasing.sheet_people", {}))
    if units is None:
        raise TypeError
    units.title = render("chasing.sheet_units", {})
    units.append([_cell(render("chasing.heading", table))])
    units.append(render("chasing.columns_units", {}).split("|"))
    people.append(render("chasing.columns_people", {}).split("|"))
    for row in table["rows"]:
        unit, names, chairs = row["unit"], "、".join(row["names"]), "、".join(row["chairs"])
        counts = [row["asked"], row["answered"], row["missing"]]
        units.append([_cell(unit), *counts, _cell(names), _cell(chairs), _cell(row["text"])])
        for name in row["names"]:
            people.append([_cell(unit), _cell(name)])
    for sheet, head in ((units, 2), (people, 1)):
        sheet.freeze_panes = f"A{head + 1}"
        for cell in sheet[head]:
            cell.font = Font(bold=True)
    for column, width in zip("ABCDEFG", (18, 8, 8, 8, 40, 16, 70), strict=True):
        units.column_dimensions[column].width = width
        for cell in units[column][2:]:
            cell.alignment = Alignment(wrap_text=column in "EG", vertical="top")
    people.column_dimensions["A"].width = 18
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in "=+-@" and text else text
