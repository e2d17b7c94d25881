"""A paper as Word (.docx): A4, Chinese fonts, headings of tables on every page, page numbers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from actions.blocks.documents import clean

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table as WordTable
    from docx.text.paragraph import Paragraph

    from actions.blocks.documents import Paper, Part, Table

_TEXT, _HEAD = "宋体", "黑体"
_PAGE_CM = (21.0, 29.7)
_MARGIN_CM = 2.0
_TALL_CM, _LOW_CM = 0.95, 0.6


def word(paper: Paper) -> bytes:
    """The bytes of a .docx."""
    import docx  # noqa: PLC0415 - 100 ms that only those who ask for a paper need pay
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415

    document = docx.Document()
    _set_page(document, landscape=paper.landscape)
    _set_fonts(document)
    _line(document.add_paragraph(), paper.title, size=18, font=_HEAD).alignment = WD_ALIGN_PARAGRAPH.CENTER
    if paper.subtitle:
        _line(document.add_paragraph(), paper.subtitle, size=10.5).alignment = WD_ALIGN_PARAGRAPH.CENTER
    for part in paper.parts:
        _part(document, part, paper)
    for text in paper.closing:
        _line(document.add_paragraph(), text)
    if paper.sign_off is not None:
        for text in (paper.sign_off.name, paper.sign_off.spoken_day):
            _line(document.add_paragraph(), text).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _set_page(document: Document, *, landscape: bool) -> None:
    from docx.enum.section import WD_ORIENT  # noqa: PLC0415
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.shared import Cm  # noqa: PLC0415

    section = document.sections[0]
    width, height = reversed(_PAGE_CM) if landscape else _PAGE_CM
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Cm(width), Cm(height)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Cm(_MARGIN_CM))
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(footer, "PAGE")


def _field(paragraph: Paragraph, instruction: str) -> None:
    """A field that Word fills in: python-docx has none of its own."""
    from docx.oxml import OxmlElement  # noqa: PLC0415
    from docx.oxml.ns import qn  # noqa: PLC0415

    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    paragraph._p.append(field)  # noqa: SLF001 - the library's way to its XML


def _set_fonts(document: Document) -> None:
    style: Any = document.styles["Normal"]
    _set_font(style.font, style.element.get_or_add_rPr(), _TEXT)
    style.paragraph_format.space_after = 0


def _set_font(font: Any, properties: Any, name: str) -> None:
    """Chinese characters take the East Asian font, which python-docx does not set."""
    from docx.oxml.ns import qn  # noqa: PLC0415

    font.name = name
    properties.get_or_add_rFonts().set(qn("w:eastAsia"), name)


def _line(paragraph: Paragraph, text: str, *, size: float = 12, font: str = _TEXT) -> Paragraph:
    from docx.shared import Pt  # noqa: PLC0415

    run = paragraph.add_run(str(clean(text)))
    run.font.size = Pt(size)
    _set_font(run.font, run._r.get_or_add_rPr(), font)  # noqa: SLF001 - see above
    return paragraph


def _part(document: Document, part: Part, paper: Paper) -> None:
    if part.new_page:
        document.add_paragraph().paragraph_format.page_break_before = True
    if part.heading:
        paragraph = _line(document.add_paragraph(), part.heading, size=14, font=_HEAD)
        paragraph.paragraph_format.keep_with_next = True
    for text in part.lines:
        _line(document.add_paragraph(), text)
    if part.table is not None:
        _table(document, part.table, landscape=paper.landscape)
        document.add_paragraph()


def _table(document: Document, table: Table, *, landscape: bool) -> None:
    from docx.enum.table import WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT  # noqa: PLC0415
    from docx.shared import Cm  # noqa: PLC0415

    made = document.add_table(rows=1 + len(table.rows), cols=len(table.columns), style="Table Grid")
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    page = (_PAGE_CM[1] if landscape else _PAGE_CM[0]) - 2 * _MARGIN_CM
    share = page / sum(column.width for column in table.columns)
    widths = [Cm(column.width * share) for column in table.columns]
    lines = [tuple(column.title for column in table.columns), *table.rows]
    for number, (row, values) in enumerate(zip(made.rows, lines, strict=True)):
        row.height, row.height_rule = Cm(_TALL_CM if table.tall else _LOW_CM), WD_ROW_HEIGHT_RULE.AT_LEAST
        # The cells of a row are built anew each time they are asked for.
        for cell, value, width in zip(row.cells, values, widths, strict=True):
            cell.width = width
            _line(cell.paragraphs[0], str(value), size=10.5, font=_TEXT if number else _HEAD)
    _repeat_heading(made)


def _repeat_heading(made: WordTable) -> None:
    """The first row again on every page, and no row torn in two."""
    from docx.oxml import OxmlElement  # noqa: PLC0415

    for number, row in enumerate(made.rows):
        properties = row._tr.get_or_add_trPr()  # noqa: SLF001 - see above
        properties.append(OxmlElement("w:cantSplit"))
        if number == 0:
            properties.append(OxmlElement("w:tblHeader"))
