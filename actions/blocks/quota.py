"""Places: how many there are in all, and how many of them a unit may take. Pure.

Places are numbered, in all and within a unit, so that two writers who both saw the last one meet in a key of the
database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from actions.core.catalogue import Declared


class Quota(Declared):
    """How many entries are taken. `units` sets single units apart from `unit`, which holds for each of them."""

    total: int | None = Field(None, gt=0)
    unit: int | None = Field(None, ge=0)
    units: dict[str, int] = Field(default_factory=dict)

    def cap(self, unit: str) -> int | None:
        """How many places a unit may take; None where only the total counts. Who is in no unit is a unit of its own."""
        return self.units.get(unit, self.unit)


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """Numbers of the places that are gone: in all, and by unit."""

    numbers: frozenset[int] = frozenset()
    by_unit: dict[str, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seat:
    """A free place; `unit_number` is None where the unit has no quota of its own."""

    number: int
    unit_number: int | None


Full = Literal["total", "unit"]


def free_seat(quota: Quota, taken: Taken, unit: str) -> Seat | Full:
    """The first free place for somebody of a unit, or which quota is used up."""
    number = _first_free(quota.total, taken.numbers)
    if number is None:
        return "total"
    cap = quota.cap(unit)
    if cap is None:
        return Seat(number=number, unit_number=None)
    of_unit = _first_free(cap, taken.by_unit.get(unit, frozenset()))
    return "unit" if of_unit is None else Seat(number=number, unit_number=of_unit)


def _first_free(most: int | None, gone: frozenset[int]) -> int | None:
    number = 1
    while number in gone:
        number += 1
    return None if most is not None and number > most else number
