"""Which texts are alike: by their meaning (sentence vectors) and by the characters that they share. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: How much the shared characters count beside the meaning, found on planted duplicates (bench/similarity.py).
_SHARED = 0.25
#: So many of the closest in meaning are compared by their characters too.
_CANDIDATES = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Alike:
    """One that is alike: its place in the list that was searched, and how much (0 to 1)."""

    place: int
    score: float


def packed(vector: NDArray[np.float32]) -> bytes:
    """A vector as it is kept: half precision, 1 kB."""
    return vector.astype(np.float16).tobytes()


def unpacked(rows: Sequence[bytes]) -> NDArray[np.float32]:
    """Kept vectors as a matrix, one row each."""
    return np.frombuffer(b"".join(rows), dtype=np.float16).reshape(len(rows), -1).astype(np.float32)


def bigrams(text: str) -> frozenset[str]:
    """Pairs of neighbouring characters, without blanks and punctuation."""
    plain = "".join(character for character in text.lower() if character.isalnum())
    return frozenset(plain[at : at + 2] for at in range(len(plain) - 1))


def shared(one: frozenset[str], other: frozenset[str]) -> float:
    """How much of the shorter text stands in the other one, 0 to 1."""
    least = min(len(one), len(other))
    return len(one & other) / least if least else 0.0


def alike(
    text: str,
    vector: NDArray[np.float32] | None,
    others: Sequence[str],
    matrix: NDArray[np.float32] | None,
    *,
    least: float,
    most: int,
) -> tuple[Alike, ...]:
    """The texts that are alike, most alike first.

    Args:
        text: what is held against the others.
        vector: its meaning, of shape (dimensions,), length 1; None where only characters are to count.
        others: the texts that are searched.
        matrix: their meanings, of shape (texts, dimensions).
        least: how much alike they must be at least.
        most: how many at most.

    """
    if not others:
        return ()
    own = bigrams(text)
    if vector is None or matrix is None or not vector.any():
        scores = {place: shared(own, bigrams(other)) for place, other in enumerate(others)}
    else:
        close = np.clip(matrix @ vector, 0, 1)
        near = np.argsort(-close, kind="stable")[:_CANDIDATES]
        scores = {
            int(place): float((1 - _SHARED) * close[place] + _SHARED * shared(own, bigrams(others[place])))
            for place in near
        }
    best = sorted(scores, key=lambda place: (-scores[place], place))[:most]
    return tuple(Alike(place=place, score=scores[place]) for place in best if scores[place] >= least)
