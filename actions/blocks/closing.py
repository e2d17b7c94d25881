"""The end of an activity: how many may have a prize. Pure."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from actions.core.catalogue import Declared


class ClosingRules(Declared):
    """How an activity is closed.

    Attributes:
        prize_share: of those who took part, how many may have a prize, as a fraction (示例: 2/3, after the usual rule
            that prizes of mass activities reach at most two thirds of those taking part).
        split_field: the answer by which the sheet for picking things up is divided (the campus), where there is one.

    """

    prize_share: str = Field("2/3", pattern=r"^(1|\d{1,3}/\d{1,3}|0?\.\d{1,3})$")
    split_field: str = ""


def prizes_allowed(people: int, share: str) -> int:
    """How many of so many people may have a prize at most, rounded down; `share` as in `ClosingRules`.

    Raises ValueError for a share that is no fraction between 0 and 1.
    """
    numerator, _, denominator = share.partition("/")
    if denominator and not int(denominator):
        message = f"prize_share: {share} is no fraction"
        raise ValueError(message)
    value = Fraction(numerator) / Fraction(denominator or 1)
    if not 0 < value <= 1:
        message = f"prize_share: {share} is not between 0 and 1"
        raise ValueError(message)
    return int(people * value)
