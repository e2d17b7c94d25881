"""Files as officers have them: a Word document and a PDF, made here."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from docx import Document

if TYPE_CHECKING:
    from collections.abc import Sequence


def word(parts: Sequence[tuple[str, str]], table: Sequence[Sequence[str]] = ()) -> bytes:
    """A .docx: headings (level 2) with a paragraph each; a paragraph alone where the heading is empty."""
    document = Document()
    for heading, text in parts:
        if heading:
            document.add_heading(heading, level=2)
        document.add_paragraph(text)
    if table:
        rows = document.add_table(rows=len(table), cols=len(table[0]))
        for at, row in enumerate(table):
            for column, cell in enumerate(row):
                rows.cell(at, column).text = cell
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def pdf(lines: Sequence[str]) -> bytes:
    """A PDF of one page whose text can be marked: a font without outlines, and what its codes mean."""
    characters = sorted(set("".join(lines)))
    codes = {character: number for number, character in enumerate(characters, 1)}
    meaning = "\n".join(f"<{codes[each]:04x}> <{ord(each):04x}>" for each in characters)
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{len(characters)} beginbfchar\n{meaning}\nendbfchar\nendcmap end end"
    )
    shown = "".join(
        f"1 0 0 1 40 {780 - 20 * at} Tm <{''.join(f'{codes[each]:04x}' for each in line)}> Tj\n"
        for at, line in enumerate(lines)
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        _stream(f"BT /F 12 Tf\n{shown}ET"),
        "<< /Type /Font /Subtype /Type0 /BaseFont /F /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 7 0 R>>",
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /F /CIDSystemInfo 9 0 R /DW 1000 /FontDescriptor 8 0 R >>",
        _stream(cmap),
        "<< /Type /FontDescriptor /FontName /F /Flags 4 /FontBBox [0 0 1000 1000] /Ascent 800 /Descent -200 >>",
        "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>",
    ]
    return _file(objects)


def _stream(text: str) -> str:
    return f"<< /Length {len(text)} >>\nstream\n{text}\nendstream"


def _file(objects: Sequence[str]) -> bytes:
    body, places = "%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")
