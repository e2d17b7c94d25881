"""The lines of a pasted 接龙: which are its heading, examples, entries, and what is none of these. Pure.

WeChat writes "#接龙", the heading, an example ("例 …"), then "1. 张三 文学院"; people type over it as they like: other
numbers, brackets, emoji, strokes through a name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

LineKind = Literal["heading", "example", "entry", "loose"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line that is not blank. `place` counts the lines of the text from 1; `said` is what follows the number.

    `loose` lines stand among the entries and have no number: somebody forgot it, or it is talk.
    """

    place: int
    kind: LineKind
    text: str
    said: str
    struck: bool = False


_KEYCAPS = re.compile(r"^(?:[0-9]\ufe0f?\u20e3)+|^\U0001f51f")
_NUMBERS = re.compile(
    r"""^(?:no\.?|\#|第)?\s*(?:
        \((?:\d{1,3}|[一二三四五六七八九十]{1,3})\)[.、:,]?          # (1)
        |\d{1,3}\.\d{1,2}(?=\s)                                  # 10.1 behind a forgotten one
        |\d{1,3}\s*(?:[.、,)\]]|:(?!\d)|[-—–](?=\D))(?!\d{1,2}\D)   # 1. 1、 1) 1: 1-
        |\d{1,3}号(?=[\s:、.])                                    # 1号: the number on the shirt
        |\d{1,3}(?=\s|$)
        |\d{1,3}(?=[\u3400-\u9fff])(?![年月日点时号人元分秒米楼层室组个位名岁天周期届])
        |[一二三四五六七八九十]{1,3}[、.:](?!\d)
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_EXAMPLE = re.compile(
    r"^[\[(【]?\s*(?:示例|样例|举例|范例|例如|例子|例|格式|模板|模版|e\.?g\.?)[\])】:\s,.、]", re.IGNORECASE
)
_STRUCK = re.compile(r"^(~~?|[-—–]{1,2})(?P<inner>[^~—–-]+?)\1$")
_CROSSES = re.compile("[❌✖✗✘❎🚫×]\ufe0f?")
_STROKE = "\u0336\u0335\u0338\u0337"
_DOTS = str.maketrans(
    {"•": "·", "・": "·", "‧": "·", "∙": "·", "．": ".", "～": "~", "【": "[", "】": "]", "〔": "[", "〕": "]"}
)


@lru_cache(maxsize=1)
def _simplifier() -> Callable[[str], str]:
    import opencc  # noqa: PLC0415 - its tables are for those who paste a 接龙

    convert: Callable[[str], str] = opencc.OpenCC("t2s").convert
    return convert


def folded(text: str) -> str:
    """Half width, simplified characters, no invisible ones: what is compared. Members are shown what was written."""
    plain = unicodedata.normalize("NFKC", text.translate(_DOTS)).translate(_DOTS)
    seen = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Mn"))
    return _simplifier()(seen)


def lines_of(text: str) -> tuple[Line, ...]:
    """The lines of a pasted text; everything above the first numbered line is its heading."""
    found: list[Line] = []
    begun = False
    for place, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip():
            continue
        line = _line(place, raw, begun=begun)
        begun = begun or line.kind == "entry"
        found.append(line)
    return tuple(found)


def _line(place: int, raw: str, *, begun: bool) -> Line:
    shown = raw.strip()
    drawn = _drawn_number(shown)
    plain = folded(shown[drawn:]).strip()
    number = None if drawn else _NUMBERS.match(plain)
    said = plain[number.end() :] if number else plain
    if _EXAMPLE.match(plain) or _EXAMPLE.match(said):
        return Line(place=place, kind="example", text=shown, said=said)
    said, struck = _unstruck(said.strip(), shown)
    kind: LineKind = "entry" if drawn or number else "loose" if begun else "heading"
    return Line(place=place, kind=kind, text=shown, said=said, struck=struck)


def _drawn_number(shown: str) -> int:
    """How many characters a number takes that is a drawing: keycaps (1️⃣2️⃣), ①, ❶, ⒈."""
    caps = _KEYCAPS.match(shown)
    if caps is not None:
        return caps.end()
    return 1 if unicodedata.category(shown[0]) == "No" and unicodedata.numeric(shown[0], 0) >= 1 else 0


def _unstruck(said: str, shown: str) -> tuple[str, bool]:
    """What stands under a stroke, and whether there is one."""
    stroke = _STRUCK.match(said)
    if stroke is not None:
        return stroke["inner"].strip(), True
    crossed = any(mark in shown for mark in _STROKE) or bool(_CROSSES.search(shown))
    return _CROSSES.sub(" ", said).strip(), crossed


_OPENING = re.compile(
    r"^[#\[\s]*(?:接龙|group\s?note|solitaire)\s*[\]:]?\s*|\s*(?:报名)?接龙\s*$|[#\[\]]", re.IGNORECASE
)


def heading_of(lines: tuple[Line, ...]) -> str:
    """The heading in one line, without the word 接龙 that opens it."""
    parts = [_OPENING.sub("", line.said).strip() for line in lines if line.kind == "heading"]
    return " ".join(part for part in parts if part)
