"""What a file is, told by its content alone: neither its name nor the type that a sender gives counts for anything.

What is not plainly one of the types below is refused, and with it pages, drawings that are pages (SVG), scripts and
programs, whatever they are called. puremagic proposes; checks of our own decide, since it looks at a few bytes only.
"""

from __future__ import annotations

import struct
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from actions.core.errors import DomainError

if TYPE_CHECKING:
    from actions.blocks.materials import Kind, MaterialRules

# A name is refused for a path, a control character, or a mark that turns the direction of the text ("gpj.exe").
_PATH = frozenset("/\\")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RESERVED = dict.fromkeys(map(ord, '<>:"|?*'), "_")
_LONGEST_NAME = 80

_MAX_ENTRIES = 1_000
_MAX_DIRECTORY_BYTES = 512 * 1024
_MAX_UNPACKED_BYTES = 100 * 2**20
_MAX_RATIO = 100
# A short text of one repeated letter packs a thousandfold and harms nobody.
_RATIO_FROM_BYTES = 2**20

_END_RECORD = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT = 0xFFFF
_ENCRYPTED = 0x1

_OOXML = "application/vnd.openxmlformats-officedocument."


@dataclass(frozen=True, kw_only=True, slots=True)
class FileType:
    """A type that is taken; `extension` is the one that the stored name gets."""

    kind: Kind
    media_type: str
    extension: str


JPEG = FileType(kind="picture", media_type="image/jpeg", extension="jpg")
PNG = FileType(kind="picture", media_type="image/png", extension="png")
WEBP = FileType(kind="picture", media_type="image/webp", extension="webp")
PDF = FileType(kind="document", media_type="application/pdf", extension="pdf")
DOCX = FileType(kind="document", media_type=f"{_OOXML}wordprocessingml.document", extension="docx")
XLSX = FileType(kind="document", media_type=f"{_OOXML}spreadsheetml.sheet", extension="xlsx")
PPTX = FileType(kind="document", media_type=f"{_OOXML}presentationml.presentation", extension="pptx")

_PICTURES = {".jpg": JPEG, ".jpeg": JPEG, ".jfif": JPEG, ".png": PNG, ".webp": WEBP}
_OFFICE_PARTS = {"word/document": DOCX, "xl/workbook": XLSX, "ppt/presentation": PPTX}
# The first bytes that a type must have; puremagic is content with less.
_STARTS = {JPEG: b"\xff\xd8\xff", PNG: b"\x89PNG\r\n\x1a\n", WEBP: b"RIFF", PDF: b"%PDF-"}


def refuse_name(name: str) -> None:
    """Raises DomainError("file_name") for a name with a path, a control character or a direction mark in it."""
    if any(char in _PATH or char in _DIRECTION or unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise DomainError("file_name")


def stored_name(name: str, kind: FileType) -> str:
    """The name as it is kept: no path, nothing invisible, at most 80 code points, and an extension of ours."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char for char in unicodedata.normalize("NFC", last) if unicodedata.category(char)[0] != "C")
    stem = seen.rpartition(".")[0] or seen
    clean = " ".join(stem.translate(_RESERVED).split()).strip(". ")[:_LONGEST_NAME].strip(". ")
    return f"{clean or 'file'}.{kind.extension}"


def type_of(source: BinaryIO, size: int, rules: MaterialRules) -> FileType:
    """What a file of `size` bytes is. Whether a picture can be decoded is for `materials_pictures` to find out.

    Raises DomainError: file_empty, file_type, file_kind, file_heic, file_legacy, file_broken, file_macro, file_bomb.
    """
    if size == 0:
        raise DomainError("file_empty")
    found = _proposed(source, size)
    if found.kind not in rules.kinds:
        raise DomainError("file_kind", kinds=sorted(rules.kinds))
    source.seek(0)
    return found


def _proposed(source: BinaryIO, size: int) -> FileType:
    import puremagic  # noqa: PLC0415 - 25 ms and its table are for the process that takes files

    source.seek(0)
    try:
        extensions = [match.extension for match in puremagic.magic_stream(source)]
    except (puremagic.PureError, ValueError):
        extensions = []
    for extension in extensions:
        if extension in _PICTURES and _begins(source, _PICTURES[extension]):
            return _PICTURES[extension]
    if ".pdf" in extensions:
        return _pdf(source, size)
    if ".docx" in extensions or ".zip" in extensions:
        return _office(source, size)
    _refuse_known(extensions)
    raise DomainError("file_type")


def _begins(source: BinaryIO, kind: FileType) -> bool:
    source.seek(0)
    return source.read(12).startswith(_STARTS[kind])


def _refuse_known(extensions: list[str]) -> None:
    """What people send in good faith gets a sentence that says how to send it."""
    if ".heic" in extensions or ".heif" in extensions:
        raise DomainError("file_heic")
    if ".doc" in extensions:
        # The old container may hold macros, and telling needs a reader of its own: it is not taken (ADR 0003).
        raise DomainError("file_legacy")


def _pdf(source: BinaryIO, size: int) -> FileType:
    """A PDF says so in its first bytes, and how it ends in the last kilobyte (ISO 32000-1, 7.5.5 and annex H)."""
    if not _begins(source, PDF):
        raise DomainError("file_type")
    source.seek(max(0, size - 1024))
    if b"%%EOF" not in source.read():
        raise DomainError("file_broken")
    return PDF


# --- office documents: zips, of which the list of contents is read and nothing is unpacked


def _office(source: BinaryIO, size: int) -> FileType:
    """Raises DomainError: file_type, file_broken, file_bomb, file_macro."""
    _check_end_record(source, size)
    source.seek(0)
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, ValueError, EOFError, OSError) as error:
        raise DomainError("file_broken") from error
    _check_entries(entries)
    names = [entry.filename.lower() for entry in entries]
    _refuse_macros(names)
    if "[content_types].xml" not in names:
        raise DomainError("file_type")
    for part, kind in _OFFICE_PARTS.items():
        if any(name.startswith(part) and name.endswith(".xml") for name in names):
            return kind
    raise DomainError("file_type")


def _check_end_record(source: BinaryIO, size: int) -> None:
    """Looks at how long the list of contents says it is, before it is read: a list can be a bomb too."""
    start = max(0, size - _LONGEST_COMMENT - _END_RECORD.size)
    source.seek(start)
    tail = source.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_RECORD.size > len(tail):
        raise DomainError("file_broken")
    _mark, _disk, _first, _here, entries, length, _offset, comment = _END_RECORD.unpack_from(tail, at)
    if at + _END_RECORD.size + comment != len(tail):
        raise DomainError("file_broken")
    # The 64-bit record takes precedence where there is one, and no document of this size needs it.
    if entries > _MAX_ENTRIES or length > _MAX_DIRECTORY_BYTES or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise DomainError("file_bomb")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    # Anything put before the first entry would make the file something else as well.
    if not entries or min(entry.header_offset for entry in entries) != 0:
        raise DomainError("file_broken")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    too_dense = unpacked > _RATIO_FROM_BYTES and unpacked > _MAX_RATIO * max(1, packed)
    if len(entries) > _MAX_ENTRIES or unpacked > _MAX_UNPACKED_BYTES or too_dense:
        raise DomainError("file_bomb")
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names) or any(_is_hostile(entry) for entry in entries):
        raise DomainError("file_broken")


def _is_hostile(entry: zipfile.ZipInfo) -> bool:
    climbs = entry.filename.startswith("/") or ".." in entry.filename.split("/") or "\\" in entry.orig_filename
    return climbs or bool(entry.flag_bits & _ENCRYPTED)


def _refuse_macros(names: list[str]) -> None:
    for name in names:
        if name.endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in name or "/activex/" in name:
            raise DomainError("file_macro")
