"""Passages: what the assistant may quote, read from data/knowledge/*.md.

A file begins with front matter between two lines `---`; each `## heading` below it is one passage. Its text is quoted
as it stands, with the source and the date of the front matter.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from actions.core.errors import ConfigurationError
from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Status = Literal["confirmed", "示例"]

#: Code points of a passage that still reads as one message.
LONGEST = 1500
_LONGEST_HEADING = 60
_FENCE = "---"


class Front(BaseModel):
    """The front matter of a file.

    `source` names what is quoted and `issuer` who issued it; in force from `effective` on, until `expires` (that day
    included). `owner` keeps it up to date. `verbatim` texts are never put into other words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1)
    service: str = Field(min_length=1)
    source: str = Field(min_length=1)
    issuer: str = ""
    url: str = ""
    effective: date | None = None
    expires: date | None = None
    owner: str = Field(min_length=1)
    status: Status
    verbatim: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Front:
        if self.effective and self.expires and self.expires < self.effective:
            message = "expires: lies before effective"
            raise ValueError(message)
        return self


class Passage(Front):
    """One passage: `ref` names it for good, `heading` is what it answers, `text` is quoted."""

    ref: str
    heading: str
    text: str

    def expired(self, today: date) -> bool:
        """Whether its time is over."""
        return self.expires is not None and today > self.expires


def ref_of(document: str, heading: str) -> str:
    """How a passage of a document is called: stays the same as long as the heading does."""
    return f"{document}#{heading}"


def fingerprint(passages: Sequence[Passage]) -> str:
    """SHA-256 (hex) of the texts in their order: vectors made of them belong to no others."""
    rows = (f"{each.heading}\x1f{each.text}" for each in passages)
    return hashlib.sha256("\x1e".join(rows).encode()).hexdigest()


def load_passages(folder: Path) -> tuple[Passage, ...]:
    """Reads every file of the folder. Raises ConfigurationError that names file and line of each fault."""
    found: list[Passage] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.md")):
        try:
            found += read_file(path)
        except ConfigurationError as error:
            faults += str(error).splitlines()
    if faults:
        raise ConfigurationError("\n".join(faults))
    return tuple(found)


def read_file(path: Path) -> list[Passage]:
    """The passages of one file. Raises ConfigurationError."""
    front, first, lines = _front(path)
    faults: list[str] = []
    passages: dict[str, Passage] = {}
    for heading, line, text in sections(lines, first):
        fault = fault_of(heading, text) or (f"the heading {heading!r} is there twice" if heading in passages else "")
        if fault:
            faults.append(f"{path}:{line}: {fault}")
            continue
        passages[heading] = Passage(**front.model_dump(), ref=ref_of(path.stem, heading), heading=heading, text=text)
    if not passages and not faults:
        faults.append(f"{path}:{first}: no passage: a `## heading` is wanted")
    if faults:
        raise ConfigurationError("\n".join(faults))
    return list(passages.values())


def _front(path: Path) -> tuple[Front, int, list[str]]:
    """The front matter, the number of the first line below it, and the lines below it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != _FENCE:
        raise ConfigurationError(f"{path}:1: front matter between two lines `---` is wanted")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == _FENCE), 0)
    if not end:
        raise ConfigurationError(f"{path}:1: the front matter has no end: a second line `---` is wanted")
    file = YamlFile(path, text="\n".join(["", *lines[1:end]]))
    if not isinstance(file.data, dict):
        raise ConfigurationError(f"{path}:2: expected `key: value`")
    return file.validate(Front), end + 2, lines[end + 1 :]


def sections(lines: Sequence[str], first: int = 1) -> Iterator[tuple[str, int, str]]:
    """Headings of the second level with their line numbers, and the text below each; what is above is left out."""
    heading, begun, text = "", 0, list[str]()
    for number, line in enumerate(lines, first):
        if line.startswith("## "):
            if begun:
                yield heading, begun, "\n".join(text).strip()
            heading, begun, text = line[3:].strip(), number, []
        elif begun:
            text.append(line)
    if begun:
        yield heading, begun, "\n".join(text).strip()


def fault_of(heading: str, text: str) -> str:
    """What keeps a section from being a passage; empty where nothing does."""
    if not heading or len(heading) > _LONGEST_HEADING:
        return f"a heading of 1 to {_LONGEST_HEADING} characters is wanted"
    if not text:
        return f"no text below {heading!r}"
    if len(text) > LONGEST:
        return f"{heading!r} has {len(text)} characters, {LONGEST} at most: part it by another `## heading`"
    return ""
