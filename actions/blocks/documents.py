"""Papers that the assistant makes: lists to sign, order books. One value, written as Word and as Excel. Pure values.

    paper = Paper(title="签到表", parts=(Part(table=Table(columns=…, rows=…)),), sign_off=SignOff(name="校工会", day=…))
    word(paper), workbook([paper])       # bytes of a .docx, of an .xlsx; see documents_word, documents_excel

What people typed is text wherever it stands: no cell of a workbook is ever a formula.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column; `width` in characters of Chinese text, which share the width of the paper."""

    title: str
    width: float = 4.0


Cell = str | int


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows under columns; a row has a cell for each column, an empty one to write in. `tall` rows are signed."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    tall: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError where a row has not one cell for each column."""
        wrong = [row for row in self.rows if len(row) != len(self.columns)]
        if wrong:
            message = f"a row has {len(wrong[0])} cells for {len(self.columns)} columns"
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of a paper: a heading, lines of text, a table; each may be missing."""

    heading: str = ""
    lines: tuple[str, ...] = ()
    table: Table | None = None
    new_page: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SignOff:
    """落款: in whose name and when."""

    name: str
    day: date

    @property
    def spoken_day(self) -> str:
        """The day as official papers write it."""
        return f"{self.day.year}年{self.day.month}月{self.day.day}日"


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """One paper, A4. `closing` are lines at its end, for hand signatures."""

    title: str
    parts: tuple[Part, ...]
    subtitle: str = ""
    closing: tuple[str, ...] = ()
    sign_off: SignOff | None = None
    landscape: bool = False


def clean(value: Cell) -> Cell:
    """A cell's value without what cannot be seen or written in XML: control characters, lone surrogates."""
    if isinstance(value, int):
        return value
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Cn") else " " for c in value)


_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\[\]\x00-\x1f]+')


def file_name(text: str, longest: int = 60) -> str:
    """A name for a file or a sheet: without what file systems and Excel refuse; never empty, never a path."""
    plain = _NOT_IN_NAMES.sub(" ", str(clean(text)))
    return " ".join(plain.split()).strip(" .'")[:longest].strip() or "_"
