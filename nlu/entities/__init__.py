"""Entities of a message: what the gazetteer names, exactly or by sound, and what rules find (numbers, persons…)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlu.entities.hits import Chosen, Taken
from nlu.entities.names import Names
from nlu.entities.numbers import anys, long_numbers, numbers, ordinals
from nlu.entities.persons import persons
from nlu.times.folding import fold
from nlu.types import Entity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nlu.entities.hits import Hit
    from nlu.types import Gazetteer, TimeMention

__all__ = ["Extractor"]

_RULES: tuple[Callable[[str, Sequence[Hit]], Iterator[Hit]], ...] = (long_numbers, ordinals, numbers, anys, persons)
"""In the order in which they claim their part of the text."""


class Extractor:
    """Finds the entities of a message.

    Built from a gazetteer in one pass and never changed, so that a new one can take its place at any time.

    Args:
        gazetteer: entity name -> surface -> value.

    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._names = Names(gazetteer)

    def extract(self, text: str, times: tuple[TimeMention, ...] = ()) -> tuple[Entity, ...]:
        """Find the entities of a message.

        Args:
            text: the message as it was written.
            times: the times found in it. What lies inside one of them is no entity; what only overlaps one is an
                entity if the gazetteer has it and it is the longer of the two.

        Returns:
            The entities by their place; those of one name do not overlap. An exact match wins over one by sound,
            and a longer one over what lies inside it.

        """
        folded = fold(text)
        spans = [(mention.offset, mention.offset + len(mention.text)) for mention in times]
        chosen = Chosen(len(folded))
        chosen.add(filter(Taken(len(text), spans).outlasts, self._names.exact(folded)))
        chosen.add(filter(Taken(len(text), [*spans, *chosen.spans()]).free, self._names.by_sound(folded)))
        for find in _RULES:
            taken = Taken(len(text), [*spans, *chosen.spans(but="person")])
            chosen.add(filter(taken.free, find(folded, chosen.hits)))
        ordered = sorted(chosen.hits, key=lambda hit: (hit.start, hit.end, hit.name))
        return tuple(
            Entity(name=hit.name, value=hit.value or text[hit.start : hit.end], start=hit.start, end=hit.end)
            for hit in ordered
        )
