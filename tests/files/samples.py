"""Files as people send them, and as nobody should."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A place, as a phone writes it into a picture: 34.2 N, 117.1 E.
_GPS = {1: "N", 2: (34.0, 12.0, 0.0), 3: "E", 4: (117.0, 6.0, 0.0)}
SCRIPT = b"<html><script>alert(1)</script></html>"
CONTENT_TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def picture(form: str = "JPEG", size: tuple[int, int] = (60, 40), **saved: Any) -> bytes:
    """A picture, left half red and right half blue."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    image.save(out, form, **saved)
    return out.getvalue()


def photograph() -> bytes:
    """A JPEG as a phone makes it: lying on its side, with the place and the device in it, and a script in a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0110] = "示例手机"
    exif.get_ifd(0x8825).update(_GPS)
    return picture("JPEG", (600, 400), exif=exif.tobytes(), comment=SCRIPT)


def pdf() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


def office(parts: Mapping[str, bytes] | None = None, main: str = "word/document.xml", **packed: int) -> bytes:
    """An office document with these parts beside the two that make it one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed.get("compression", zipfile.ZIP_DEFLATED)) as archive:
        for name, content in {"[Content_Types].xml": CONTENT_TYPES, main: b"<w/>", **(parts or {})}.items():
            archive.writestr(name, content)
    return out.getvalue()


def bomb() -> bytes:
    """Fifty kilobytes that become fifty megabytes."""
    return office({"word/media/image1.xml": b"\0" * 50 * 2**20})


def many_entries() -> bytes:
    return office({f"word/media/{number}.xml": b"" for number in range(1_200)})


def huge_directory() -> bytes:
    """A zip that says of itself, in the 64-bit record, that its list of contents is huge."""
    plain = office()
    end = plain.rindex(b"PK\x05\x06")
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**40, 2**40, 2**40, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    return plain[:end] + record + locator + plain[end:]


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises a picture of that size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))

    header = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def twice_named() -> bytes:
    """A document with two parts of one name: two programs may read two different ones."""
    first, second = b"word/document.xml", b"word/document.xmk"
    return office({second.decode(): b"<w/>"}).replace(second, first)


def encrypted() -> bytes:
    """A document whose list of contents says that a part is encrypted."""
    raw = bytearray(office())
    entry = raw.index(b"PK\x01\x02")
    raw[entry + 8] |= 1
    return bytes(raw)


#: What is refused: name, content, and the code of the sentence.
HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "a program as a picture": ("photo.jpg", b"MZ" + b"\0" * 500, "file_type"),
    "a script": ("run.sh", b"#!/bin/sh\nrm -rf /\n", "file_type"),
    "a page as a picture": ("photo.png", SCRIPT, "file_type"),
    "a page behind the first bytes of a picture": ("photo.jpg", b"\xff\xd8\xff\xe0" + SCRIPT, "file_broken"),
    "an SVG": ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "file_type"),
    "an SVG as a picture": ("logo.png", b"<?xml version='1.0'?><svg onload='alert(1)'/>", "file_type"),
    "a GIF that is a script": ("a.gif", b"GIF89a/*" + SCRIPT + b"*/=1;", "file_type"),
    "a GIF": ("a.gif", picture("GIF"), "file_type"),
    "nothing": ("empty.jpg", b"", "file_empty"),
    "a cut-off JPEG": ("photo.jpg", photograph()[:-3000], "file_broken"),
    "a cut-off PNG": ("photo.png", picture("PNG", (300, 300))[:-60], "file_broken"),
    "a picture of a thousand million pixels": ("photo.png", png_of(1, 10**9), "file_pixels"),
    "a picture of a hundred million pixels": ("photo.png", png_of(10_000, 10_000), "file_pixels"),
    "a cut-off PDF": ("a.pdf", pdf()[:-7], "file_broken"),
    "a page with a PDF in it": ("a.pdf", SCRIPT + pdf(), "file_type"),
    "a zip bomb": ("a.docx", bomb(), "file_bomb"),
    "a zip of very many files": ("a.docx", many_entries(), "file_bomb"),
    "a zip with an endless list": ("a.docx", huge_directory(), "file_bomb"),
    "a document with a macro": ("a.docx", office({"word/vbaProject.bin": b"x"}), "file_macro"),
    "a sheet with an old macro": (
        "a.xlsx",
        office({"xl/macrosheets/sheet1.xml": b"x"}, main="xl/workbook.xml"),
        "file_macro",
    ),
    "a zip": ("a.zip", office(main="readme.txt"), "file_type"),
    "a document that climbs": ("a.docx", office({"../../etc/cron.d/x": b"x"}), "file_broken"),
    "a document with two of one name": ("a.docx", twice_named(), "file_broken"),
    "an encrypted part": ("a.docx", encrypted(), "file_broken"),
    "a program before a document": ("a.docx", b"MZ" + b"\0" * 64 + office(), "file_type"),
    "a document with something behind it": ("a.docx", office() + SCRIPT, "file_broken"),
    "a cut-off document": ("a.docx", office()[:-30], "file_broken"),
    "an old document": ("a.doc", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "file_legacy"),
    "a HEIC picture": ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64, "file_heic"),
    "a path in the name": ("../../etc/passwd.jpg", picture(), "file_name"),
    "a path of Windows in the name": ("C:\\Windows\\photo.jpg", picture(), "file_name"),
    "NUL in the name": ("photo.jpg\0.exe", picture(), "file_name"),
    "a name from right to left": ("photo\u202egpj.exe", picture(), "file_name"),
    "a line break in the name": ("a\r\nSet-Cookie: b.jpg", picture(), "file_name"),
}

#: What is taken: name given, content, name kept, kind.
GOOD: dict[str, tuple[str, bytes, str, str]] = {
    "a photograph": ("IMG_0001.JPG", photograph(), "IMG_0001.jpg", "picture"),
    "a PNG": ("截图.png", picture("PNG"), "截图.png", "picture"),
    "a WebP": ("a.webp", picture("WEBP"), "a.webp", "picture"),
    "a PDF": ("住院证明.pdf", pdf(), "住院证明.pdf", "document"),
    "a text": ("申请.docx", office(), "申请.docx", "document"),
    "a sheet": ("名单.xlsx", office(main="xl/workbook.xml"), "名单.xlsx", "document"),
    "slides": ("展示.pptx", office(main="ppt/presentation.xml"), "展示.pptx", "document"),
    "a PDF that is called a picture": ("photo.jpg", pdf(), "photo.pdf", "document"),
    "a name with signs in it": ('a<b>:"c"|?*.pdf', pdf(), "a_b___c____.pdf", "document"),
    "no name": ("", pdf(), "file.pdf", "document"),
}
