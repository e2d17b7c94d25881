"""Entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlu.types import Entity, Gazetteer, TimeMention


class Extractor:
    """Finds entities."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer

    def extract(self, text: str, times: tuple[TimeMention, ...] = ()) -> tuple[Entity, ...]:
        """Find the entities."""
        return ()
