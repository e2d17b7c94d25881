"""The roster as an Excel file: every good row, and what is wrong with every other. Pure but for reading the file."""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal
from xml.etree.ElementTree import ParseError

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from actions.core.errors import DomainError
from actions.membership import cells

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

_MOST_BYTES = 10_000_000
_MOST_UNPACKED = 300_000_000
_HEADER_WITHIN = 20

#: Column -> field of a row, and how a cell of it is read.
COLUMNS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "工号": ("staff_id", cells.staff_id),
    "姓名": ("name", cells.name),
    "性别": ("sex", cells.sex),
    "单位": ("unit", cells.unit),
    "手机": ("phone", cells.phone),
    "邮箱": ("email", cells.email),
    "出生日期": ("birthday", cells.birthday),
    "入会日期": ("enrolled_on", cells.birthday),
    "状态": ("status", cells.status),
    "标签": ("tags", cells.tags),
}
_ALSO = {
    "职工号": "工号",
    "教工号": "工号",
    "人员编号": "工号",
    "所在单位": "单位",
    "部门": "单位",
    "手机号": "手机",
    "手机号码": "手机",
    "联系电话": "手机",
    "电子邮箱": "邮箱",
    "邮件": "邮箱",
    "email": "邮箱",
    "e-mail": "邮箱",
    "出生年月日": "出生日期",
    "生日": "出生日期",
    "入会时间": "入会日期",
    "在职状态": "状态",
}


def _seen(value: str) -> str:
    if cells.has_hidden(value):
        message = "holds control characters"
        raise ValueError(message)
    return value


class RosterRow(BaseModel):
    """One person. What is None was not said, and stays as it is; an empty text or no tags is said, and is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    staff_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,19}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=40), AfterValidator(_seen)]
    sex: Literal["男", "女", ""] | None = None
    unit: Annotated[str, StringConstraints(max_length=80), AfterValidator(_seen)] | None = None
    phone: Annotated[str, StringConstraints(max_length=20), AfterValidator(_seen)] | None = None
    email: Annotated[str, StringConstraints(max_length=120), AfterValidator(_seen)] | None = None
    birthday: date | None = None
    enrolled_on: date | None = None
    status: Literal["active", "retired", "left"] | None = None
    tags: tuple[Annotated[str, StringConstraints(max_length=20), AfterValidator(_seen)], ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What is wrong in one row, counted as Excel counts; told by the wording, with the parameters."""

    row: int
    column: str
    problem: str
    value: str = ""

    @property
    def wording(self) -> str:
        """Key of the sentence."""
        return f"membership.roster_fault.{self.problem}"

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the sentence."""
        return {"row": self.row, "column": self.column, "value": self.value}


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    """The good rows in the order of the file, and the faults by row."""

    rows: tuple[RosterRow, ...]
    faults: tuple[Fault, ...]

    @property
    def bad(self) -> int:
        """How many rows are not good."""
        return len({fault.row for fault in self.faults})


def read_roster(path: Path, *, today: date | None = None) -> Roster:
    """Reads an .xlsx. The header row is found by its names 工号 and 姓名, on the first sheet that has one.

    `today` refuses birthdays in the future. Raises DomainError: roster_unreadable, roster_too_large,
    roster_no_header, roster_double_column.
    """
    sheet, header, columns = _find_header(_sheets(path), path.name)
    merged = _merged(sheet)
    good: dict[int, RosterRow] = {}
    faults: list[Fault] = []
    for number in range(header + 1, sheet.max_row + 1):
        found = {column: merged.get((number, index)) or sheet.cell(number, index) for column, index in columns.items()}
        if all(cell.value is None or not str(cell.value).strip() for cell in found.values()):
            continue
        row, wrong = _read_row(number, found, today)
        faults += wrong
        if row is not None:
            good[number] = row
    doubled = _doubled(good)
    for fault in doubled:
        del good[fault.row]
    return Roster(rows=tuple(good.values()), faults=tuple(sorted([*faults, *doubled], key=lambda fault: fault.row)))


def _sheets(path: Path) -> list[Worksheet]:
    # openpyxl takes a while to import, and only the reading of a roster needs it.
    from openpyxl import load_workbook  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if path.stat().st_size > _MOST_BYTES or unpacked > _MOST_UNPACKED:
            raise DomainError("roster_too_large", file=path.name, megabytes=_MOST_BYTES // 1_000_000)
        return list(load_workbook(path).worksheets)
    except (InvalidFileException, zipfile.BadZipFile, ParseError, OSError, KeyError, ValueError, TypeError) as error:
        raise DomainError("roster_unreadable", file=path.name) from error


def _find_header(sheets: list[Worksheet], file: str) -> tuple[Worksheet, int, dict[str, int]]:
    for sheet in sheets:
        for number in range(1, min(sheet.max_row, _HEADER_WITHIN) + 1):
            columns: dict[str, int] = {}
            doubled = ""
            for index in range(1, sheet.max_column + 1):
                title = _title(sheet.cell(number, index).value)
                doubled = title if title in columns else doubled
                if title in COLUMNS:
                    columns.setdefault(title, index)
            if "工号" in columns and "姓名" in columns:
                if doubled:
                    raise DomainError("roster_double_column", file=file, column=doubled, row=number)
                return sheet, number, columns
    raise DomainError("roster_no_header", file=file)


def _title(value: Any) -> str:
    text = unicodedata.normalize("NFKC", str(value or "")).lower()
    text = re.sub(r"\(.*?\)|[\s*:]", "", text)
    return _ALSO.get(text, text)


def _merged(sheet: Worksheet) -> dict[tuple[int, int], Cell | MergedCell]:
    """Cells that are merged downwards: what the first says holds for all (one 单位 beside its many members)."""
    return {
        (row, area.min_col): sheet.cell(area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row + 1, area.max_row + 1)
    }


def _read_row(
    number: int, found: Mapping[str, Cell | MergedCell], today: date | None
) -> tuple[RosterRow | None, list[Fault]]:
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for column, cell in found.items():
        key, read = COLUMNS[column]
        try:
            values[key] = read(cell)
            if key in ("birthday", "enrolled_on") and values[key] and today and values[key] > today:
                raise cells.CellError("bad_date")  # noqa: TRY301 - one place tells every fault of a cell
        except cells.CellError as error:
            value = cells.shown(cell.value)
            faults.append(Fault(row=number, column=column, problem=error.problem, value=value))
    return (None, faults) if faults else (RosterRow(**values), [])


def _doubled(good: Mapping[int, RosterRow]) -> list[Fault]:
    """Rows whose 工号 was there before. Where the names differ nobody can tell who is meant: the first goes too."""
    by_id: dict[str, list[int]] = defaultdict(list)
    for number, row in good.items():
        by_id[row.staff_id.upper()].append(number)
    faults = []
    for numbers in by_id.values():
        first, *later = numbers
        if len({good[number].name for number in numbers}) > 1:
            faults.append(Fault(row=first, column="工号", problem="doubled", value=str(later[0])))
        faults += [Fault(row=number, column="工号", problem="doubled", value=str(first)) for number in later]
    return faults
