"""Whom a team, a relay or a pair consists of. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Fault = Literal["too_few", "too_many", "sex_too_few", "sex_too_many", "joint", "twice", "number_twice"]


class Composition(Declared):
    """Who makes up an entry. Sexes count people: `at_least: {女: 1}`.

    Colleagues of several units may only stand together where each of their units has fewer than `joint_under` members;
    0 forbids it, None allows it to all.
    """

    minimum: int = Field(1, gt=0)
    maximum: int = Field(1, gt=0)
    at_least: dict[Literal["男", "女"], int] = Field(default_factory=dict)
    at_most: dict[Literal["男", "女"], int] = Field(default_factory=dict)
    joint_under: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _possible(self) -> Composition:
        if self.minimum > self.maximum or sum(self.at_least.values()) > self.maximum:
            message = "composition: more are asked for than there may be"
            raise ValueError(message)
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Player:
    """One of an entry's people. `unit_size` is how many members the unit has."""

    name: str
    sex: str = ""
    unit: str = ""
    unit_size: int = 0
    number: int | None = None
    key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What is wrong, with what a sentence needs to say it."""

    fault: Fault
    params: Mapping[str, Any] = field(default_factory=dict)


def faults(rule: Composition, people: Sequence[Player]) -> tuple[Found, ...]:
    """All that is wrong with an entry's people; empty where nothing is."""
    return (*_doubled(people), *_counted(rule, people), *_sexes(rule, people), *_units(rule, people))


def _doubled(people: Sequence[Player]) -> Iterator[Found]:
    for key, count in Counter(player.key or player.name for player in people).items():
        if count > 1:
            name = next(player.name for player in people if (player.key or player.name) == key)
            yield Found(fault="twice", params={"name": name})
    for number, count in Counter(player.number for player in people if player.number is not None).items():
        if count > 1:
            yield Found(fault="number_twice", params={"number": number})


def _counted(rule: Composition, people: Sequence[Player]) -> Iterator[Found]:
    bounds = {"minimum": rule.minimum, "maximum": rule.maximum, "count": len(people)}
    if len(people) < rule.minimum:
        yield Found(fault="too_few", params=bounds)
    if len(people) > rule.maximum:
        yield Found(fault="too_many", params=bounds)


def _sexes(rule: Composition, people: Sequence[Player]) -> Iterator[Found]:
    there = Counter(player.sex for player in people)
    for sex, wanted in rule.at_least.items():
        if there[sex] < wanted:
            yield Found(fault="sex_too_few", params={"sex": sex, "wanted": wanted, "count": there[sex]})
    for sex, most in rule.at_most.items():
        if there[sex] > most:
            yield Found(fault="sex_too_many", params={"sex": sex, "wanted": most, "count": there[sex]})


def _units(rule: Composition, people: Sequence[Player]) -> Iterator[Found]:
    sizes = {player.unit: player.unit_size for player in people}
    if len(sizes) < 2 or rule.joint_under is None:
        return
    large = sorted(unit for unit, size in sizes.items() if size >= rule.joint_under)
    if large:
        yield Found(fault="joint", params={"units": large, "under": rule.joint_under})
