"""What a message looks and sounds like: n-grams of its characters and of its toneless syllables, weighed by rarity.

Characters carry what is written, syllables what is meant when the input method picked the wrong homophone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from nlu.text import syllables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

#: The two views of a message: n-grams of characters, n-grams of syllables (marked with ~).
Views: TypeAlias = tuple[list[str], list[str]]

_LONGEST = 3  # of the n-grams
_FEWEST = 5  # messages that a pair or triple is met in; rarer ones cost memory and tell nothing (docs/nlu.md)
_BEGIN, _END = "\u2402", "\u2403"
_LONG_NUMBER = re.compile(r"\d{6,}")
_NUMBER = re.compile(r"\d+")
_SILENT = re.compile(r"[^\w?]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The n-grams a model has met: `rows` gives each one's row, `idf` (terms,) float32 its weight."""

    rows: Mapping[str, int]
    idf: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    def vector(self, seen: Views) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Rows and values of one message; each view has length 1 (or 0), so that neither drowns the other."""
        rows, values = zip(*(self._block(view) for view in seen), strict=True)
        return np.concatenate(rows), np.concatenate(values)

    def _block(self, terms: Iterable[str]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        counts = Counter(self.rows[term] for term in terms if term in self.rows)
        rows = np.fromiter(counts.keys(), dtype=np.intp, count=len(counts))
        values = (1 + np.log(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))) * self.idf[rows]
        length = float(np.sqrt(values @ values))
        return rows, (values / length if length else values).astype(np.float32)

    def known_share(self, seen: Views) -> float:
        """How much of a message the model has met, 0 to 1; a character known by its sound alone counts half.

        A single syllable proves nothing (every other one is known), so by sound alone it takes two in a row.
        """
        letters, sounds = seen
        single = [term in self.rows for term in letters if len(term) == 1]
        heard = [term in self.rows for term in sounds if " " not in term]
        pairs = (term for term in sounds if " " in term and _BEGIN not in term and _END not in term)
        if not any(single) and not any(term in self.rows for term in pairs):
            return 0.0
        return max(sum(single) / len(single), sum(heard) / (2 * max(1, len(heard))))


def views(text: str) -> Views:
    """The n-grams of a normalised message, of its characters and of its syllables."""
    plain = _SILENT.sub("", _NUMBER.sub("0", _LONG_NUMBER.sub("#", text)))
    return list(_grams(list(plain), "")), ["~" + gram for gram in _grams(syllables(plain), " ")]


def learn(seen: Sequence[Views]) -> Vocabulary:
    """The vocabulary of some messages: every single character and syllable, and the pairs and triples met often."""
    met = Counter(term for letters, sounds in seen for term in {*letters, *sounds})
    enough = min(_FEWEST, 1 + len(seen) // 2000)
    terms = sorted(term for term, count in met.items() if count >= enough or _size(term) == 1)
    # The root of the usual weight: the rarest n-grams of short messages are accidents more than topics.
    idf = [math.sqrt(math.log((1 + len(seen)) / (1 + met[term])) + 1) for term in terms]
    return Vocabulary(rows={term: row for row, term in enumerate(terms)}, idf=np.array(idf, dtype=np.float32))


def _grams(tokens: list[str], glue: str) -> Iterator[str]:
    if not tokens:
        return
    yield from tokens
    padded = [_BEGIN, *tokens, _END]
    for size in range(2, _LONGEST + 1):
        for start in range(len(padded) - size + 1):
            yield glue.join(padded[start : start + size])


def _size(term: str) -> int:
    return term.count(" ") + 1 if term.startswith("~") else len(term)
