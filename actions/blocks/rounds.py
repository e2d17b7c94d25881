"""Rounds of a contest: places out of scores, and who goes through. Pure; that somebody is chosen is left to people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Round(Declared):
    """One round. `through` is how many go on by their score; with `by: pass` everybody who passed does.

    `honour` is what who goes through the last round is called (拟推荐人选), until somebody else decides.
    """

    title: str = Field(min_length=1, max_length=30)
    by: Literal["score", "pass"] = "score"
    through: int | None = Field(None, gt=0)
    honour: str = Field("", max_length=30)


class RoundRules(Declared):
    """The rounds of an offering that names none of its own, and the scores that can be given, both ends included."""

    rounds: tuple[Round, ...] = Field(min_length=1)
    lowest: float = 0
    highest: float = 100

    @model_validator(mode="after")
    def _in_order(self) -> RoundRules:
        if self.lowest >= self.highest:
            message = "rounds: highest must be more than lowest"
            raise ValueError(message)
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """Who goes through for certain, and the tied of whom only `left` can."""

    certain: frozenset[int]
    tied: frozenset[int] = frozenset()
    left: int = 0


def places(scores: Mapping[int, float]) -> dict[int, int]:
    """Places from 1; equal scores share one, and the next is counted on: 1, 2, 2, 4."""
    return {one: 1 + sum(other > score for other in scores.values()) for one, score in scores.items()}


def cut(scores: Mapping[int, float], most: int | None) -> Cut:
    """The best `most` of them; nobody for None. Who shares the last place that counts is left open, not drawn."""
    if most is None:
        return Cut(certain=frozenset())
    by_place = places(scores)
    within = {one for one, place in by_place.items() if place <= most}
    if len(within) <= most:
        return Cut(certain=frozenset(within))
    last = max(by_place[one] for one in within)
    certain = frozenset(one for one in within if by_place[one] < last)
    return Cut(certain=certain, tied=frozenset(within - certain), left=most - len(certain))


def settled(found: Cut, chosen: Collection[int]) -> frozenset[int] | None:
    """Who goes through, where somebody has chosen of the tied; None where the choice is not whole or names others."""
    if set(chosen) - found.tied - found.certain or len(set(chosen) & found.tied) != found.left:
        return None
    return found.certain | (found.tied & frozenset(chosen))
