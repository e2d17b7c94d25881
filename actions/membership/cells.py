"""Reading one cell of a roster: what people type, and what Excel makes of it. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from actions.membership.people import fold_staff_id

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell

_STAFF_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,19}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"\+?[0-9][0-9-]{4,18}")
_DATE = re.compile(r"([12][0-9]{3})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([12][0-9]{3})([0-9]{2})([0-9]{2})")
_SPACED_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
_COMMAS = re.compile(r"[、,，;；|/\n]+")
_FIRST_YEAR = 1900

#: Kinds of characters that no name has: control, format (zero width, right to left), lone surrogates, private use.
_HIDDEN = ("Cc", "Cf", "Cs", "Co")

SEXES = {"男": "男", "女": "女", "男性": "男", "女性": "女"}
STATUSES = {"在职": "active", "在岗": "active", "退休": "retired", "离退休": "retired", "离职": "left", "调离": "left"}


class CellError(Exception):
    """A cell that cannot be read; `problem` names the sentence in data/responses that tells it."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def has_hidden(text: str) -> bool:
    """Whether a text holds characters that cannot be seen."""
    return any(unicodedata.category(character) in _HIDDEN for character in text)


def shown(value: Any) -> str:
    """A cell's value as it may be printed: short, and nothing in it that steers a terminal."""
    text = "" if value is None else str(value)
    return "".join("�" if unicodedata.category(c) in _HIDDEN else c for c in text)[:40]


def _value(cell: Cell | MergedCell) -> Any:
    if cell.data_type == "f":
        raise CellError("formula_cell")
    if cell.data_type == "e":
        raise CellError("error_cell")
    return cell.value


def text(cell: Cell | MergedCell, *, longest: int) -> str:
    """A text of at most so many characters, as it stands but for the blanks around it; a whole number has no `.0`.

    Raises CellError: formula_cell, error_cell, wrong_kind, control_characters, too_long.
    """
    value = _value(cell)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise CellError("wrong_kind")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    found = str(value).strip()
    if has_hidden(found):
        raise CellError("control_characters")
    if len(found) > longest:
        raise CellError("too_long")
    return found


def _half_width(cell: Cell | MergedCell, *, longest: int) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text(cell, longest=longest)))


def staff_id(cell: Cell | MergedCell) -> str:
    """A 工号: digits, letters and hyphens. Raises CellError: missing_staff_id, bad_staff_id."""
    found = fold_staff_id(text(cell, longest=60))
    if not found:
        raise CellError("missing_staff_id")
    if not _STAFF_ID.fullmatch(found):
        raise CellError("bad_staff_id")
    return found


def name(cell: Cell | MergedCell) -> str:
    """A name as it stands; the blank that fills up a name of two characters goes. Raises CellError: missing_name."""
    found = _SPACED_HAN.sub("", text(cell, longest=40))
    if not found:
        raise CellError("missing_name")
    return found


def sex(cell: Cell | MergedCell) -> str:
    """男, 女, or nothing. Raises CellError: unknown_sex."""
    found = _half_width(cell, longest=20)
    if found and found not in SEXES:
        raise CellError("unknown_sex")
    return SEXES.get(found, "")


def unit(cell: Cell | MergedCell) -> str:
    """The name of a unit, or nothing."""
    return text(cell, longest=80)


def phone(cell: Cell | MergedCell) -> str:
    """A telephone number in half width, with no blanks and no +86, or nothing. Raises CellError: bad_phone."""
    found = _half_width(cell, longest=60).removeprefix("+86")
    if found and not _PHONE.fullmatch(found):
        raise CellError("bad_phone")
    return found


def email(cell: Cell | MergedCell) -> str:
    """An address that a mail server takes, or nothing. Raises CellError: bad_email."""
    found = _half_width(cell, longest=120)
    if found and not _EMAIL.fullmatch(found):
        raise CellError("bad_email")
    return found


def birthday(cell: Cell | MergedCell) -> date | None:
    """A date, from a date cell or the ways it is written. Raises CellError: bad_date."""
    value = _value(cell)
    if isinstance(value, datetime):
        found: date | None = value.date()
    elif isinstance(value, date):
        found = value
    else:
        found = _written_date(_half_width(cell, longest=40))
    if found is not None and found.year < _FIRST_YEAR:
        raise CellError("bad_date")
    return found


def _written_date(found: str) -> date | None:
    if not found:
        return None
    match = _DATE.fullmatch(found)
    if match is None:
        raise CellError("bad_date")
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError as error:
        raise CellError("bad_date") from error


def status(cell: Cell | MergedCell) -> str | None:
    """active, retired or left; nothing said is None. Raises CellError: unknown_status."""
    found = _half_width(cell, longest=20)
    if found and found not in STATUSES:
        raise CellError("unknown_status")
    return STATUSES.get(found)


def tags(cell: Cell | MergedCell) -> tuple[str, ...]:
    """Tags, divided by commas of any kind, each once. Raises CellError: too_long."""
    found = [part.strip() for part in _COMMAS.split(text(cell, longest=400))]
    if any(len(part) > 20 for part in found):
        raise CellError("too_long")
    return tuple(dict.fromkeys(part for part in found if part))
