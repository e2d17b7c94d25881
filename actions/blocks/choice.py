"""A choice of a few sets, each worth the same: how many of one there are, and how many of each are to be bought. Pure.

Nobody has to hurry: who has not chosen when the choice closes is given the default set, of which there is always
enough. The value of a set is the policy's to say, and is not computed here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


class Option(Declared):
    """One of the choices that an offering holds: a set of a benefit, a route. Who does not choose gets the default.

    `stock` is how many of it there are, where there are not enough for everybody.
    """

    title: str = Field(max_length=60)
    also: tuple[str, ...] = ()
    summary: str = ""
    default: bool = False
    stock: int | None = Field(None, gt=0)


class ChoiceRules(Declared):
    """How a set is chosen and handed out.

    `beside` are the other answers of who has not chosen, by the form's keys (the campus where it is picked up).
    `split_field` is the answer by which counts for the purchase are divided.
    """

    beside: dict[str, str] = Field(default_factory=dict)
    split_field: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How many of a set are wanted at one place; `defaulted` of them by those who have not chosen."""

    option: str
    split: str
    count: int
    defaulted: int = 0


def option_faults(options: Sequence[Option]) -> str:
    """What is wrong with the sets of an offering, or "": a title twice, two defaults, a default that may run out."""
    titles = [option.title for option in options]
    if len(set(titles)) < len(titles):
        return "options: a title is there twice"
    defaults = [option for option in options if option.default]
    if len(defaults) > 1:
        return "options: only one can be the default"
    if any(option.stock is not None for option in defaults):
        return "options: the default has no stock, as it is for everybody who has not chosen"
    return ""


def free_number(stock: int | None, gone: Collection[int]) -> int | None:
    """The first number of a set that is free, counted from 1; None where `stock` of them are gone."""
    number = next(number for number in range(1, len(gone) + 2) if number not in gone)
    return None if stock is not None and number > stock else number


def available(options: Sequence[Option], gone: Mapping[str, int], *, own: str = "") -> tuple[Option, ...]:
    """The sets of which one is left; `gone` counts those taken, by title. One's `own` stays to be had."""
    return tuple(
        option
        for option in options
        if option.stock is None or option.title == own or gone.get(option.title, 0) < option.stock
    )


def purchase(
    options: Sequence[Option], chosen: Iterable[tuple[str, str, bool]], *, silent: int = 0, silent_at: str = ""
) -> tuple[Wanted, ...]:
    """How many of each set are wanted where.

    Args:
        options: the sets, in the order in which they are told.
        chosen: (title, place, whether it is the default of somebody who did not choose), one for each entry.
        silent: how many have not chosen yet; they get the default set.
        silent_at: where these pick it up.

    Returns:
        One row for each set and place of which any are wanted; all counts together are all entries and the silent.

    """
    wanted: Counter[tuple[str, str]] = Counter()
    defaulted: Counter[tuple[str, str]] = Counter()
    for title, place, default in chosen:
        wanted[title, place] += 1
        defaulted[title, place] += default
    default_title = next((option.title for option in options if option.default), None)
    if default_title is not None and silent:
        wanted[default_title, silent_at] += silent
        defaulted[default_title, silent_at] += silent
    order = {option.title: number for number, option in enumerate(options)}
    keys = sorted(wanted, key=lambda key: (order.get(key[0], len(order)), key))
    return tuple(Wanted(option=key[0], split=key[1], count=wanted[key], defaulted=defaulted[key]) for key in keys)
