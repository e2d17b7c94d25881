"""Small counts stay hidden, and can be computed from nothing that is shown. Pure.

The total of a row and the number of answers of every unit are taken to be known to all: who has not answered is known.
What is decided here is decided by the totals, or in the same way for every order of the hidden counts; so even who
knows these rules cannot tell which hidden count is which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Counts = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row as it may be shown: None stands for a count that is hidden."""

    total: int
    counts: tuple[int | None, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is hidden."""
        return None not in self.counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Units that are shown together; one that is large enough stands alone."""

    units: tuple[str, ...]
    counts: Counts


def shown(counts: Sequence[int], least: int) -> Row:
    """A row of counts, with what has to be hidden hidden.

    Hidden is every count under `least`; and, so that what is missing to the total is not a single count, all that are
    the next larger ones, until two different counts are hidden. A row that could consist of small counts alone is
    hidden as a whole, whatever is in it.

    Args:
        counts: how many gave each answer; everybody gave exactly one.
        least: the smallest count that may be shown.

    Returns:
        The row. Whoever knows its total and this rule still finds at least two numbers that any hidden count may be.

    """
    total = sum(counts)
    if total < least * len(counts):
        return Row(total=total, counts=(None,) * len(counts))
    hidden = {count for count in counts if count < least}
    if len(hidden) == 1:
        hidden.add(min(count for count in counts if count not in hidden))
    return Row(total=total, counts=tuple(None if count in hidden else count for count in counts))


def by_unit(counts: Mapping[str, Sequence[int]], least: int) -> tuple[Group, ...]:
    """The rows of the units, small ones put together, as far as nothing in them has to be hidden; empty where not.

    Units are put together by nothing but the number of their answers: beginning with the smallest, until every count
    of every row is large enough. A single row would be that of all, and is not shown again.

    Args:
        counts: of each unit that has answered, how many gave each answer.
        least: the smallest count that may be shown.

    """
    ordered = sorted((unit for unit in counts if sum(counts[unit])), key=lambda unit: (-sum(counts[unit]), unit))
    for alone in (len(ordered), *range(len(ordered) - 2, 0, -1)):
        together = ordered[alone:]
        groups = [Group(units=(unit,), counts=tuple(counts[unit])) for unit in ordered[:alone]]
        if together:
            added = tuple(map(sum, zip(*(counts[unit] for unit in together), strict=True)))
            groups.append(Group(units=tuple(together), counts=added))
        if len(groups) > 1 and all(count >= least for group in groups for count in group.counts):
            return tuple(groups)
    return ()
