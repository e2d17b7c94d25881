"""Double opt-in: what two people say of one another is told only when both have said yes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Collection


class MatchingRules(Declared):
    """Whom a person may wish to hear from again after an activity.

    `most` wishes each, so that nobody says yes to all to learn who said it too. They count for `days` after the end,
    and are deleted then, whatever came of them.
    """

    most: int = Field(3, gt=0)
    days: int = Field(7, gt=0)


def wish(one: int, other: int) -> str:
    """How a wish is named: of whom, for whom. Names of two directions differ."""
    return f"{one}>{other}"


def both(one: int, other: int, wishes: Collection[str]) -> bool:
    """Whether each of two wishes for the other."""
    return wish(one, other) in wishes and wish(other, one) in wishes


def room(wishes: int, most: int) -> bool:
    """Whether somebody with so many wishes may have one more."""
    return wishes < most
