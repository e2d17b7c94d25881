"""Files that officers hand in, as Markdown: Word by mammoth, PDF by PDFium, Markdown and text as they are."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from typing import TYPE_CHECKING

from actions.core.errors import DomainError
from actions.knowledge.passages import LONGEST, sections

if TYPE_CHECKING:
    from collections.abc import Iterator

# PDFium does one thing at a time.
_PDFIUM = threading.Lock()
_WORD_MAGIC, _PDF_MAGIC = b"PK\x03\x04", b"%PDF-"
# A .docx is a zip: so much may come out of one.
_UNPACKED = 100 * 2**20
_PAGES = 300
_TEXT_ENCODINGS = ("utf-8-sig", "gb18030")
# 第七条, 第三章, 一、, （二）: where rules without headings of their own can be parted.
_ARTICLE = re.compile(r"^\s*(?:\*\*)?(第[一二三四五六七八九十百零〇0-9]+条)(?:\*\*)?[\s\u3000]*")
_PART = re.compile(
    r"^\s*(?:\*\*)?((?:第[一二三四五六七八九十百零〇0-9]+章|[一二三四五六七八九十]+、)[^。；]{0,40})(?:\*\*)?\s*$"
)
_HEADING = re.compile(r"^#{1,6}\s+(.*\S)\s*$")
# Headings that people make by setting a line in bold.
_BOLD_LINE = re.compile(r"^\*\*([^*。]{2,50})\*\*$")


def to_markdown(content: bytes) -> str:
    """The text of a file. Raises DomainError: knowledge_file_unknown, knowledge_file_broken, knowledge_file_empty."""
    if content.startswith(_WORD_MAGIC):
        text = _word(content)
    elif content.startswith(_PDF_MAGIC):
        text = _pdf(content)
    else:
        text = _plain(content)
    if not text.strip():
        raise DomainError("knowledge_file_empty")
    return text


def _word(content: bytes) -> str:
    import mammoth  # noqa: PLC0415 - for officers who load a file
    from markdownify import markdownify  # noqa: PLC0415

    _refuse_bombs(content)
    try:
        html = mammoth.convert_to_html(io.BytesIO(content), convert_image=mammoth.images.img_element(_no_image)).value
    except Exception as error:
        raise DomainError("knowledge_file_broken") from error
    return markdownify(
        html,
        heading_style="ATX",
        strip=["img", "a"],
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
    )


def _refuse_bombs(content: bytes) -> None:
    """Raises DomainError("knowledge_file_broken") for what is no zip, or unpacks to more than any document has."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DomainError("knowledge_file_broken") from error
    if size > _UNPACKED:
        raise DomainError("knowledge_file_broken")


def _no_image(_image: object) -> dict[str, str]:
    return {"src": ""}


def _pdf(content: bytes) -> str:
    import pypdfium2  # noqa: PLC0415 - for officers who load a file

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            raise DomainError("knowledge_file_broken") from error
        try:
            if len(document) > _PAGES:
                raise DomainError("knowledge_file_long", pages=_PAGES)
            pages = [page.get_textpage().get_text_bounded() for page in document]
        finally:
            document.close()
    return rejoined("\n".join(pages))


def rejoined(text: str) -> str:
    """Lines of a page put together again: a line that ends in the middle of a sentence goes on in the next."""
    lines: list[str] = []
    for raw in text.replace("\r", "").replace("\ufffe", "").split("\n"):
        line = raw.strip()
        begins = (
            not line
            or _ARTICLE.match(line)
            or _PART.match(line)
            or re.match(r"^[（(]?[一二三四五六七八九十\d]+[）)、.．]", line)
        )
        ended = not lines or not lines[-1] or lines[-1][-1] in "。：:！？；;”" or _PART.match(lines[-1])
        if begins or ended:
            lines.append(line)
        else:
            lines[-1] += line
    return "\n\n".join(line for line in lines if line)


def _plain(content: bytes) -> str:
    if b"\x00" in content:
        raise DomainError("knowledge_file_unknown")
    for encoding in _TEXT_ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DomainError("knowledge_file_unknown")


def parted(markdown: str, *, heading: str = "") -> list[tuple[str, str]]:
    """Headings and texts of a document, each short enough to be a passage.

    A document with headings is parted by them; one with articles (第七条) by those; any other is one passage named
    `heading`. What is too long is parted between paragraphs. A heading that comes again is numbered.
    """
    lines = markdown.splitlines()
    parts = list(_by_headings(lines)) or list(_by_articles(lines))
    parts = parts or ([(heading, markdown.strip())] if heading else [])
    found: dict[str, str] = {}
    for name, text in parts:
        for piece in _short(text):
            found[_fresh(name[:54], found)] = piece
    return list(found.items())


def _by_headings(lines: list[str]) -> Iterator[tuple[str, str]]:
    marked = []
    for line in lines:
        named = _HEADING.match(line) or _BOLD_LINE.match(line.strip())
        marked.append(f"## {_bare(named[1])}" if named else line)
    return ((name, text) for name, _line, text in sections(marked) if name and text)


def _by_articles(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Articles, each named by its number and how it begins."""
    name, text = "", list[str]()
    for line in lines:
        article = _ARTICLE.match(line)
        if article or _PART.match(line):
            if name and text:
                yield name, "\n".join(text).strip()
            name, text = "", []
        if article:
            first = re.split(r"[，。：；,:;]", _bare(line[article.end() :]))[0]
            name, text = f"{article[1]} {first}"[:40].strip(), [_bare(line)]
        elif name:
            text.append(line)
    if name and text:
        yield name, "\n".join(text).strip()


def _bare(text: str) -> str:
    return text.replace("**", "").strip(" #\u3000")


def _short(text: str) -> Iterator[str]:
    """Pieces of at most `LONGEST` code points, parted between paragraphs where that is possible."""
    piece = ""
    for paragraph in re.split(r"\n\s*\n", text):
        rest = paragraph.strip()
        if piece and len(piece) + len(rest) + 2 > LONGEST:
            yield piece
            piece = ""
        while len(rest) > LONGEST:
            yield rest[:LONGEST]
            rest = rest[LONGEST:]
        piece = f"{piece}\n\n{rest}" if piece else rest
    if piece:
        yield piece


def _fresh(name: str, taken: dict[str, str]) -> str:
    """The name, numbered where it is taken."""
    if name not in taken:
        return name
    number = next(number for number in range(2, 10_000) if f"{name}（{number}）" not in taken)
    return f"{name}（{number}）"
