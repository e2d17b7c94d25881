"""Pictures are drawn anew: what a phone writes into them (the place, the device) and whatever else was hidden in the
file stays behind, and what cannot be drawn is no picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from actions.blocks.materials_types import JPEG, PNG, WEBP
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from PIL.Image import Image

    from actions.blocks.materials_types import FileType

#: Longest side of a thumbnail in pixels.
THUMBNAIL = 320
THUMBNAIL_TYPE = WEBP

_FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
_SAVE: dict[FileType, dict[str, Any]] = {JPEG: {"quality": 88}, PNG: {}, WEBP: {"quality": 88}}
# Modes that a format keeps; anything else becomes colour, with transparency where there was some.
_MODES = {JPEG: ("L", "RGB"), PNG: ("1", "L", "LA", "RGB", "RGBA", "I;16"), WEBP: ("RGB", "RGBA")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A picture drawn anew, and a small one of it, as files."""

    picture: bytes
    thumbnail: bytes


def redraw(source: BinaryIO, kind: FileType, max_pixels: int) -> Drawn:
    """Draws a picture of that type anew, upright, with nothing but its pixels. Slow: for a worker thread.

    Raises DomainError: file_pixels (more than `max_pixels`), file_broken.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - 80 ms for the process that takes files

    source.seek(0)
    try:
        with Image.open(source, formats=[_FORMATS[kind]]) as opened:
            _refuse_large(opened, max_pixels)
            upright = _upright(opened, kind)
            return Drawn(picture=_saved(upright, kind), thumbnail=_thumbnail(upright))
    except DomainError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DomainError("file_pixels", millions=max_pixels // 1_000_000) from error
    except UnidentifiedImageError as error:
        raise DomainError("file_broken") from error
    except Exception as error:
        # A decoder that is fed with hostile bytes may raise anything.
        raise DomainError("file_broken") from error


def _refuse_large(opened: Image, max_pixels: int) -> None:
    """Looks at the size that the header gives, before a pixel is drawn."""
    width, height = opened.size
    if width * height > max_pixels:
        raise DomainError("file_pixels", millions=max_pixels // 1_000_000)


def _upright(opened: Image, kind: FileType) -> Image:
    from PIL import ImageOps  # noqa: PLC0415

    ImageOps.exif_transpose(opened, in_place=True)
    opened.load()
    upright: Image = opened
    if opened.mode not in _MODES[kind]:
        clear = kind is not JPEG and opened.has_transparency_data
        upright = opened.convert("RGBA" if clear else "RGB")
    # Comments, profiles, places: all that is written beside the pixels when a picture is saved comes from here.
    upright.info = {}
    return upright


def _saved(image: Image, kind: FileType) -> bytes:
    out = io.BytesIO()
    image.save(out, _FORMATS[kind], **_SAVE[kind])
    return out.getvalue()


def _thumbnail(image: Image) -> bytes:
    from PIL import ImageOps  # noqa: PLC0415

    plain = image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGBA" if image.mode == "LA" else "RGB")
    small = ImageOps.contain(plain, (THUMBNAIL, THUMBNAIL)) if max(plain.size) > THUMBNAIL else plain
    out = io.BytesIO()
    small.save(out, _FORMATS[THUMBNAIL_TYPE], quality=75)
    return out.getvalue()
