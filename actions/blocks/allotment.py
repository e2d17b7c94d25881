"""Allotting a few places by wishes: who may apply again, who comes first, who gets what, and what a withdrawal moves.

Pure. Ranks only order people; that somebody is recommended, approved or named is decided elsewhere, by people.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_BETWEEN = re.compile(r"[、,，;；\n]+|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff]{2,4}[（(])")


class Companions(Declared):
    """Who may come along at their own cost: so many, of these relations, as a text field of the form tells them."""

    field: str
    most: int = Field(gt=0)
    relations: tuple[str, ...] = Field(min_length=1)


class AllotmentRules(Declared):
    """Places of a few options (routes) that are allotted by wishes.

    `preference_fields` are the fields of the form, first wish first; the value `no_further` of a later one wishes for
    nothing more. Nobody takes part again within `again_after_years` full calendar years. The list is made public for
    `publicity_days` working days. Identity numbers, which the insurance asks for, are deleted `identity_days` days
    after the last end of an option, or once somebody says that the insurance is done; `insurance_columns` head their
    list.
    """

    preference_fields: tuple[str, ...] = Field(min_length=1)
    no_further: str
    again_after_years: int = Field(ge=0)
    publicity_days: int = Field(5, gt=0)
    identity_days: int = Field(7, ge=0)
    insurance_columns: tuple[str, str, str, str, str]
    companions: Companions | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Applicant:
    """Somebody who is recommended. `rank` is their place in their unit's list, from 1; `last_year` when they took part
    last, None for never. `wishes` are options, first wish first.
    """

    key: str
    unit: str
    rank: int
    wishes: tuple[str, ...]
    last_year: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """How many places there are: of each option, and for each unit (None: no limit of its own)."""

    capacity: Mapping[str, int]
    units: Mapping[str, int | None] = field(default_factory=dict)

    def without(self, seats: Iterable[tuple[str, str]]) -> Room:
        """The room that is left beside (option, unit) pairs; the unit "" takes from no unit's share."""
        taken = list(seats)
        options, units = Counter(option for option, _unit in taken), Counter(unit for _option, unit in taken if unit)
        return Room(
            capacity={option: count - options[option] for option, count in self.capacity.items()},
            units={unit: None if most is None else most - units[unit] for unit, most in self.units.items()},
        )

    def takes(self, option: str, unit: str) -> bool:
        """Whether there is a place of an option for somebody of a unit."""
        most = self.units.get(unit)
        return self.capacity.get(option, 0) > 0 and (most is None or most > 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Who gets what: `given` by key, `standby` those who got nothing; both in the order of `order`."""

    order: tuple[Applicant, ...]
    given: Mapping[str, str]

    @property
    def standby(self) -> tuple[Applicant, ...]:
        """Who waits, first in line first."""
        return tuple(one for one in self.order if one.key not in self.given)

    @property
    def seats(self) -> list[tuple[str, str]]:
        """(option, unit) of every place that is given."""
        return [(self.given[one.key], one.unit) for one in self.order if one.key in self.given]


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Somebody comes to an option: from another one, or ("") from the line."""

    key: str
    option: str
    before: str = ""


def may_again(last_year: int | None, this_year: int, years: int) -> bool:
    """Whether somebody may take part this year who did last in `last_year`: with 3 years, 2023 and again in 2027."""
    return last_year is None or this_year - last_year > years


def rotation(last_year: int | None, key: str) -> tuple[int, str]:
    """By what people take turns: who was never there, then who was there longest ago; alike ones by their key."""
    return (-1 if last_year is None else last_year, key)


def ordered(applicants: Iterable[Applicant]) -> tuple[Applicant, ...]:
    """The order in which people choose: the first of every unit's list, then the second; alike ranks by rotation."""
    return tuple(sorted(applicants, key=lambda one: (one.rank, *rotation(one.last_year, one.key))))


def allot(applicants: Iterable[Applicant], room: Room) -> Plan:
    """Each in their turn gets the first of their wishes of which there is a place.

    So nobody further back has what somebody before them wished for more, unless the share of the unit of who is before
    was used up. The same applicants give the same plan, however they are handed in.
    """
    order, given, left = ordered(applicants), dict[str, str](), room
    for one in order:
        option = next((wish for wish in one.wishes if left.takes(wish, one.unit)), None)
        if option is not None:
            given[one.key] = option
            left = left.without([(option, one.unit)])
    return Plan(order=order, given=given)


def moved_up(plan: Plan, room: Room, *, fixed: frozenset[str] = frozenset()) -> tuple[Move, ...]:
    """What comes of places that are free: each goes to the first in the order who likes it better than what they have.

    Nobody loses anything by it. What somebody leaves behind goes on in the same way. `fixed` are those who keep what
    they have (a journey that is booked), and those in the line who do not want one any more.

    Args:
        plan: who has what now; who withdrew is in it no more.
        room: all places, those that are given included.
        fixed: keys of those who are not moved.

    """
    moves: list[Move] = []
    given = dict(plan.given)
    while (move := _first_better(replace(plan, given=given), room, fixed)) is not None:
        moves.append(move)
        given[move.key] = move.option
    return _joined(moves)


def _first_better(plan: Plan, room: Room, fixed: frozenset[str]) -> Move | None:
    for one in plan.order:
        if one.key in fixed:
            continue
        own = plan.given.get(one.key, "")
        better = one.wishes[: one.wishes.index(own)] if own in one.wishes else () if own else one.wishes
        beside = [
            (plan.given[other.key], other.unit) for other in plan.order if other.key in plan.given and other != one
        ]
        left = room.without(beside)
        option = next((wish for wish in better if left.takes(wish, one.unit)), None)
        if option is not None:
            return Move(key=one.key, option=option, before=own)
    return None


def _joined(moves: Sequence[Move]) -> tuple[Move, ...]:
    """One move for each person, from where they were to where they come."""
    found: dict[str, Move] = {}
    for move in moves:
        found[move.key] = replace(move, before=found[move.key].before if move.key in found else move.before)
    return tuple(found.values())


def companions_fault(text: str, rules: Companions) -> str:
    """What is wrong with the companions that somebody names ("too_many", "no_relation"), or "" for nothing."""
    named = [part for part in (each.strip() for each in _BETWEEN.split(text)) if part]
    if len(named) > rules.most:
        return "too_many"
    return "" if all(any(relation in part for relation in rules.relations) for part in named) else "no_relation"
