"""Papers as an Excel workbook (.xlsx): a sheet for each table, ready for A4; cells are text or numbers, no formulas."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from actions.blocks.documents import clean, file_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openpyxl.worksheet.worksheet import Worksheet

    from actions.blocks.documents import Cell, Paper, Part, Table

# What Excel, or whoever opens a CSV made of it, may take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_SHEET_NAME = 31


def workbook(papers: Iterable[Paper]) -> bytes:
    """The bytes of an .xlsx with a sheet for each table of the papers; a paper without a table gives none."""
    import openpyxl  # noqa: PLC0415 - 100 ms that only those who ask for a paper need pay

    book = openpyxl.Workbook()
    first = book.active
    assert first is not None  # noqa: S101 - a new workbook has a sheet; for the type checker
    for paper in papers:
        for part in paper.parts:
            if part.table is not None:
                sheet = book.create_sheet(_title(part.heading or paper.title, book.sheetnames))
                _fill(sheet, paper, part, part.table)
    if len(book.sheetnames) > 1:
        book.remove(first)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _title(wanted: str, taken: list[str]) -> str:
    base = file_name(wanted, _SHEET_NAME)
    known = {name.casefold() for name in taken}
    title, number = base, 1
    while title.casefold() in known:
        number += 1
        title = f"{base[: _SHEET_NAME - 4]} {number}"
    return title


def _fill(sheet: Worksheet, paper: Paper, part: Part, table: Table) -> None:
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415

    width = len(table.columns)
    row = 0
    for text, size in ((paper.title, 16), (paper.subtitle, 11), *((line, 11) for line in part.lines)):
        if text:
            row += 1
            put(sheet, row, 1, text)
            sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
            sheet.cell(row, 1).font = Font(bold=size > 11, size=size)
            place = "center" if text in (paper.title, paper.subtitle) else "left"
            sheet.cell(row, 1).alignment = Alignment(horizontal=place, wrap_text=True, vertical="center")
    row = _rows(sheet, row + 1, table)
    closing = [*paper.closing, *((paper.sign_off.name, paper.sign_off.spoken_day) if paper.sign_off else ())]
    for text in closing:
        row += 1
        put(sheet, row, 1, text)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
        signed = paper.sign_off is not None and text in (paper.sign_off.name, paper.sign_off.spoken_day)
        sheet.cell(row, 1).alignment = Alignment(horizontal="right" if signed else "left")
    _set_print(sheet, landscape=paper.landscape)


def _rows(sheet: Worksheet, top: int, table: Table) -> int:
    """Writes heading and rows from a row on; returns the last row written."""
    from openpyxl.styles import Alignment, Border, Font, Side  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    line = Side(style="thin")
    border = Border(left=line, right=line, top=line, bottom=line)
    middle = Alignment(horizontal="center", vertical="center", wrap_text=True)
    heading = tuple(column.title for column in table.columns)
    for number, values in enumerate([heading, *table.rows], start=top):
        for column, value in enumerate(values, start=1):
            put(sheet, number, column, value)
            made = sheet.cell(number, column)
            made.border, made.alignment = border, middle
            made.font = Font(bold=number == top)
        sheet.row_dimensions[number].height = 27 if table.tall else 18
    for number, described in enumerate(table.columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = max(5.0, 2.2 * described.width)
    sheet.print_title_rows = f"{top}:{top}"
    sheet.freeze_panes = f"A{top + 1}"
    return top + len(table.rows)


def put(sheet: Worksheet, row: int, column: int, value: Cell) -> None:
    """Writes a cell. A text stays a text, whatever it begins with; its apostrophe keeps it one when it is edited."""
    cell: Any = sheet.cell(row, column)
    cell.value = clean(value)
    if isinstance(value, str) and value:
        cell.data_type = "s"
        if value.lstrip(" ").startswith(_FORMULA):
            cell.quotePrefix = True


def _set_print(sheet: Worksheet, *, landscape: bool) -> None:
    from openpyxl.worksheet.properties import PageSetupProperties  # noqa: PLC0415

    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_options.horizontalCentered = True
    footer: Any = sheet.oddFooter
    footer.center.text = "&P / &N"
