"""催办表: of anything with a roster, who has not answered, by unit, with a ready text for each unit's chair."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.announcements import store
from actions.announcements.audience import missing
from actions.announcements.rules import broadcast_rules
from actions.core.commands import Outcome
from actions.core.notify import Notice, notify
from actions.core.tables import Member, Outgoing, RoleGrant, Unit
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.announcements.commands import Chase
    from actions.announcements.rules import Office, Render
    from actions.blocks.rosters import Roster
    from actions.core.commands import Context

#: Names in one sentence; a chat message holds no more.
_NAMED = 30


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
    """The table of an announcement; with `send` each chair is told, once a day.

    Raises DomainError: no_such_announcement, no_roster; ForbiddenError.
    """
    row = await store.managed(context, command.announcement_id)
    roster = await office.sources.roster(context, row.subject)
    rows = await table(context, office, roster)
    told = await tell_chairs(context, roster, rows) if command.send else 0
    params = facts(roster, rows)
    wording = "chasing.table" if rows else "chasing.complete"
    if command.send and rows:
        wording = "chasing.sent"
        params = {**params, "told": told, "without": [row.unit for row in rows if not row.chairs]}
    return Outcome(wording=wording, params={**params, "number": row.id}, subject=row.subject, data=params)


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
            key = f"chase:{roster.ref}:{row.unit_id}:{member_id}:{day}"
            known = select(Outgoing.id).where(Outgoing.unique_key == key)
            if (await context.session.execute(known)).first() is not None:
                continue
            params = {"text": row.text}
            await notify(context, Notice(member_id=member_id, wording="chasing.told", params=params, unique_key=key))
            told += 1
    return told


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
