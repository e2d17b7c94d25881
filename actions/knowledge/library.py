"""The passages that count at the moment, ready to be searched: the files, and over them what officers have said."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select

from actions.knowledge.passages import Front, Passage, fingerprint, load_passages
from actions.knowledge.retrieval import Index, build_index, texts_of
from actions.knowledge.tables import PassageVersion
from actions.knowledge.words import load_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.meaning import Encoder

# Vectors of earlier texts that are kept beside the present ones.
_KEPT_FILES = 3


@dataclass(kw_only=True, slots=True)
class _Shelf:
    revision: int
    index: Index


class Library:
    """Reads data/knowledge when it is first asked, and again whenever an officer has changed something."""

    def __init__(self, folder: Path, encoder: Encoder | None, cache: Path | None = None) -> None:
        """Opens nothing yet. `cache` is a folder for vectors, which take seconds to make and do not change."""
        self._folder = folder
        self._encoder = encoder
        self._cache = cache
        self._files: tuple[Passage, ...] | None = None
        self._shelf: _Shelf | None = None

    @property
    def encoder(self) -> Encoder | None:
        """The sentence vectors that are searched with."""
        return self._encoder

    @property
    def files(self) -> tuple[Passage, ...]:
        """The passages of data/knowledge. Raises ConfigurationError."""
        if self._files is None:
            self._files = load_passages(self._folder)
        return self._files

    async def index(self, session: AsyncSession) -> Index:
        """What can be quoted now. One look at the newest version's id tells whether anything has changed."""
        revision = (await session.execute(select(func.max(PassageVersion.id)))).scalar_one() or 0
        if self._shelf is None or self._shelf.revision != revision:
            passages = merged(self.files, await newest(session) if revision else [])
            self._shelf = _Shelf(revision=revision, index=self._built(passages))
        return self._shelf.index

    @property
    def latest(self) -> Index:
        """As `index` at the last look, or the files alone: for who has no session at hand. Raises ConfigurationError.

        The first look takes seconds, in which words and weights are read: whoever can spare them looks early.
        """
        if self._shelf is None:
            self._shelf = _Shelf(revision=0, index=self._built(self.files))
        return self._shelf.index

    def _built(self, passages: Sequence[Passage]) -> Index:
        words = load_words(self._folder / "words.yml")
        meanings = None if self._encoder is None else self._meanings(passages, self._encoder)
        return build_index(passages, words, self._encoder, meanings=meanings)

    def _meanings(self, passages: Sequence[Passage], encoder: Encoder) -> NDArray[np.float32]:
        """The vectors, kept by the hash of what they were made of."""
        if self._cache is None:
            return _made(encoder, *texts_of(passages))
        path = self._cache / f"meanings-{fingerprint(passages)[:24]}.npy"
        try:
            kept: NDArray[np.float32] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            kept = np.zeros((0, 0), dtype=np.float32)
        if len(kept) == 2 * len(passages):
            return kept
        made = _made(encoder, *texts_of(passages))
        self._keep(path, made)
        return made

    def _keep(self, path: Path, made: NDArray[np.float32]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, made)
        part.replace(path)
        older = sorted(path.parent.glob("meanings-*.npy"), key=lambda each: each.stat().st_mtime, reverse=True)
        for left in older[_KEPT_FILES:]:
            left.unlink(missing_ok=True)


@lru_cache(maxsize=4)
def _made(encoder: Encoder, *texts: str) -> NDArray[np.float32]:
    """Vectors, made once for all who read the same passages in this process."""
    return encoder(texts)


async def newest(session: AsyncSession) -> list[PassageVersion]:
    """The newest version of every passage that officers have touched."""
    ids = select(func.max(PassageVersion.id)).group_by(PassageVersion.ref)
    query = select(PassageVersion).where(PassageVersion.id.in_(ids)).order_by(PassageVersion.id)
    return list((await session.execute(query)).scalars())


def merged(files: Sequence[Passage], versions: Sequence[PassageVersion]) -> tuple[Passage, ...]:
    """The passages of the files with those of officers over them; what was retired is left out."""
    passages = {passage.ref: passage for passage in files}
    for row in versions:
        if row.status == "retired":
            passages.pop(row.ref, None)
        else:
            passages[row.ref] = passage_of(row)
    return tuple(passages.values())


def passage_of(row: PassageVersion) -> Passage:
    """A version as a passage."""
    front = {name: getattr(row, name) for name in Front.model_fields}
    return Passage(**front, ref=row.ref, heading=row.heading, text=row.text)
