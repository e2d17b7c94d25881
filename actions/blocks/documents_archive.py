"""Papers and other files of one activity as one archive (.zip): each paper as Word, all of them as one workbook."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from actions.blocks.documents import file_name
from actions.blocks.documents_excel import workbook
from actions.blocks.documents_word import word
from actions.core.zones import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from actions.blocks.documents import Paper


def archive(title: str, papers: Sequence[Paper], now: datetime, others: Mapping[str, bytes] | None = None) -> bytes:
    """The bytes of a .zip. `others` are further files by name; names that are taken get a number.

    No name leads out of the folder that it is unpacked to.
    """
    out = io.BytesIO()
    moment = local(now)
    stamp = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    files = [(f"{number:02} {paper.title}.docx", word(paper)) for number, paper in enumerate(papers, start=1)]
    if any(part.table for paper in papers for part in paper.parts):
        files.append((f"{title}.xlsx", workbook(papers)))
    files += list((others or {}).items())
    taken: set[str] = set()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            info = zipfile.ZipInfo(_free(name, taken), stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            made.writestr(info, content)
    return out.getvalue()


def _free(name: str, taken: set[str]) -> str:
    stem, dot, ending = name.rpartition(".")
    base = file_name(stem or name)
    wanted, number = f"{base}{dot}{file_name(ending)}" if dot else base, 1
    while wanted.casefold() in taken:
        number += 1
        wanted = f"{base} {number}{dot}{file_name(ending)}"
    taken.add(wanted.casefold())
    return wanted
