"""Entities before they are chosen, and which of them may stand together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Hit(NamedTuple):
    """An entity before it is chosen, in code points of the text; no value means the text itself."""

    name: str
    value: str
    start: int
    end: int


class Chosen:
    """Hits that may stand together; longer ones are taken first."""

    def __init__(self, length: int) -> None:
        self.hits: list[Hit] = []
        self._length = length
        self._owners: dict[str, list[Hit | None]] = {}

    def spans(self, *, but: str = "") -> Iterator[tuple[int, int]]:
        """Where the hits are, save those of one name."""
        return ((hit.start, hit.end) for hit in self.hits if hit.name != but)

    def add(self, hits: Iterable[Hit]) -> None:
        """Take the hits that overlap none of their name, and lie inside no longer one of the same call."""
        over: list[Hit | None] = [None] * self._length
        for hit in sorted(set(hits), key=lambda hit: (hit.start - hit.end, hit)):
            owner = self._owners.setdefault(hit.name, [None] * self._length)
            around = over[hit.start]
            nested = (
                around is not None and around is over[hit.end - 1] and around.end - around.start > hit.end - hit.start
            )
            if nested or any(owner[hit.start : hit.end]):
                continue
            self.hits.append(hit)
            owner[hit.start : hit.end] = [hit] * (hit.end - hit.start)
            over[hit.start : hit.end] = [each or hit for each in over[hit.start : hit.end]]


class Taken:
    """The parts of a text that spans have taken.

    Args:
        length: of the text, in code points.
        spans: (start, end) of each.

    """

    def __init__(self, length: int, spans: Iterable[tuple[int, int]]) -> None:
        # For each character the length of the longest span over it: one look tells, however many spans there are.
        self._longest = [0] * length
        for start, end in spans:
            for at in range(start, end):
                self._longest[at] = max(self._longest[at], end - start)

    def free(self, hit: Hit) -> bool:
        """Whether a hit overlaps no span."""
        return not any(self._longest[hit.start : hit.end])

    def outlasts(self, hit: Hit) -> bool:
        """Whether a hit is longer than every span that it overlaps."""
        return max(self._longest[hit.start : hit.end], default=0) < hit.end - hit.start
