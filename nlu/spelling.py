"""What was meant by a message typed by sound or spoken: 下周三想玉约心里自寻 is 下周三想预约心理咨询.

A character becomes another one that sounds like it where the characters around it speak very clearly for that:
probabilities of three characters in a row, counted in the training data (docs/nlu.md).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final

from nlu.text import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: With fewer messages to learn from, what is rare in them is still common elsewhere.
FEWEST: Final = 2000

_BEFORE, _AFTER = "\u2402", "\u2403"
_CLEARLY = 3000.0  # times as likely as what was written
# How much threes, twos and single characters say, and what is left for what was never seen.
_THREE, _TWO, _ONE, _NEVER = 0.55, 0.35, 0.09, 2e-6

# Sounds that are mixed up where people speak with an accent: zh z, ch c, sh s, l n, -ng -n.
_FLAT: Final = re.compile(r"(?<=^[zcs])h|(?<=n)g$")
_NASAL: Final = re.compile(r"^l")


class Speller:
    """Mends messages.

    Args:
        counts: how often each character, two and three of them in a row were met.

    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self.counts: Final = dict(counts)
        self._all = sum(count for gram, count in counts.items() if len(gram) == 1)

    @staticmethod
    def learn(texts: Iterable[str]) -> Speller:
        """A speller that takes normalised messages for well written."""
        counts = Counter(gram for text in texts for gram in _grams(f"{_BEFORE * 2}{text}{_AFTER}"))
        return Speller({gram: count for gram, count in sorted(counts.items()) if len(gram) < 3 or count > 1})

    def mended(self, text: str) -> str:
        """A normalised message as it was most likely meant: as long as it was, and mostly the same."""
        whole = f"{_BEFORE * 2}{text}{_AFTER}"
        for at in range(2, len(whole) - 1):
            meant = self._meant(whole[at - 2 : at], whole[at], whole[at + 1 : at + 3])
            if meant != whole[at]:
                whole = whole[:at] + meant + whole[at + 1 :]
        return whole[2:-1]

    def _meant(self, left: str, written: str, right: str) -> str:
        if written < "⺀":
            return written
        chance = self._chance(left, written, right)
        if chance * _CLEARLY >= 1:  # nothing can be so much likelier
            return written
        likely = (other for other in self._alike.get(_sound(written), ()) if self._meets(left, other, right))
        best, other = max(((self._chance(left, other, right), other) for other in likely), default=(0.0, written))
        return other if best > chance * _CLEARLY else written

    def _meets(self, left: str, char: str, right: str) -> bool:
        """Whether a character was ever met beside one of its neighbours: no other can be clearly meant."""
        return left[-1] + char in self.counts or char + right[0] in self.counts

    def _chance(self, left: str, char: str, right: str) -> float:
        """How likely a character is between two before and up to two behind it."""
        whole = left + char + right
        chance = 1.0
        for end in range(3, len(whole) + 1):
            chance *= self._next(whole[end - 3 : end])
        return chance

    def _next(self, three: str) -> float:
        """How likely the last of three characters is after the other two."""
        count = self.counts.get
        chance = _NEVER + _ONE * count(three[2], 0) / self._all
        if two := count(three[1:], 0):
            chance += _TWO * two / self.counts[three[1]]
            if seen := count(three, 0):
                chance += _THREE * seen / self.counts[three[:2]]
        return chance

    @cached_property
    def _alike(self) -> dict[str, tuple[str, ...]]:
        """The characters met, by their sound."""
        found: dict[str, list[str]] = {}
        for char in self.counts:
            if len(char) == 1 and char > "⺀":
                found.setdefault(_sound(char), []).append(char)
        return {sound: tuple(chars) for sound, chars in found.items()}


def _sound(char: str) -> str:
    """The syllable of a character as a careless ear hears it."""
    return _NASAL.sub("n", _FLAT.sub("", reading(char)))


def _grams(whole: str) -> Iterator[str]:
    for size in (1, 2, 3):
        for start in range(len(whole) - size + 1):
            yield whole[start : start + size]
