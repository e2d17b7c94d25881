"""Words of a text: segmented, and with what is said in several ways brought to one word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_WORD = re.compile(r"[0-9a-z\u3400-\u9fff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """`groups`: what people say -> the word of the rules (one way of saying may mean several).

    `stop` are words that stand everywhere, `terms` words that the dictionary does not know.
    """

    groups: Mapping[str, tuple[str, ...]]
    stop: frozenset[str] = frozenset()
    terms: tuple[str, ...] = ()

    def of(self, text: str) -> list[str]:
        """The words of a text that can tell one matter from another, in order; those of a group marked with ≈."""
        folded = text.lower()
        said = [surface for surface in self.groups if surface in folded]
        meant = dict.fromkeys(f"≈{name}" for surface in said for name in self.groups[surface])
        spans = [(at, at + len(surface)) for surface in said for at in _places(surface, folded)]
        plain: list[str] = []
        end = 0
        for word in _cutter(self.terms)(folded):
            start, end = end, end + len(word)
            # 孩子 in 生孩子 says nothing of its own: the group's word stands for both.
            part = any(low <= start and end <= high and (low, high) != (start, end) for low, high in spans)
            if not part and word not in self.stop and _WORD.search(word):
                plain.append(word)
        return [*plain, *meant]


def _places(part: str, text: str) -> list[int]:
    """Where a part begins in a text."""
    return [found.start() for found in re.finditer(re.escape(part), text)]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    stop: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    same: tuple[Annotated[tuple[str, ...], Field(min_length=2)], ...] = ()


def load_words(path: Path) -> Words:
    """Reads the groups, in each the word of the rules first. Raises ConfigurationError with file and line."""
    file = YamlFile(path).validate(_File)
    groups: dict[str, tuple[str, ...]] = {}
    for group in file.same:
        for word in group:
            groups[word.lower()] = (*groups.get(word.lower(), ()), group[0])
    return Words(groups=groups, stop=frozenset(file.stop), terms=tuple(term.lower() for term in file.terms))


@lru_cache(maxsize=2)
def _cutter(terms: tuple[str, ...]) -> Callable[[str], Sequence[str]]:
    import rjieba  # noqa: PLC0415 - its dictionary takes a moment and some memory: for who searches

    cutter = rjieba.Jieba()
    for term in terms:
        cutter.add_word(term, 20_000, "n")
    return cutter.cut
