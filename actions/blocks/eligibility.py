"""Who may take part: by what the roster says of a person. Pure; the record itself is shown to nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.core.commands import Actor
    from actions.core.tables import Member

#: Which part of a rule a person does not meet; `age_unknown`: the roster does not know, so that nobody can tell.
Refusal = Literal["sex", "status", "age", "age_unknown", "unit", "group", "enrolled"]


class Eligibility(Declared):
    """Who may take part; what is not given is open to all.

    `tags`, `roles` and `staff_ids` open the same door: who has one of the tags, holds one of the roles, or is named.
    Ages are full years, both ends included. `enrolled_by` is the last day on which one may have joined the union; of
    whom the roster knows no day joined before anybody wrote it down.
    """

    sexes: tuple[Literal["男", "女"], ...] = ()
    statuses: tuple[Literal["active", "retired"], ...] = ()
    units: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    staff_ids: tuple[str, ...] = ()
    enrolled_by: date | None = None
    min_age: int | None = Field(None, gt=0)
    max_age: int | None = Field(None, gt=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """What a rule looks at. `age` is None where the roster has no birthday."""

    sex: str = ""
    status: str = "active"
    unit: str = ""
    age: int | None = None
    tags: frozenset[str] = field(default_factory=frozenset)
    roles: frozenset[str] = field(default_factory=frozenset)
    staff_id: str = ""
    enrolled_on: date | None = None


def traits(member: Member, roles: Iterable[str], today: date) -> Traits:
    """The traits of a member on a day, as the roster has them."""
    return Traits(
        sex=member.sex,
        status=member.status,
        unit=member.unit.name if member.unit else "",
        age=None if member.birthday is None else age_on(member.birthday, today),
        tags=frozenset(member.tags),
        roles=frozenset(roles),
        staff_id=member.staff_id,
        enrolled_on=member.enrolled_on,
    )


def roles_of(actor: Actor, service: str) -> frozenset[str]:
    """The roles that an actor holds for a service."""
    return frozenset(grant.role for grant in actor.grants if grant.service in ("", service))


def age_on(birthday: date, today: date) -> int:
    """Full years; who is born on 29 February is a year older on 1 March."""
    return today.year - birthday.year - ((today.month, today.day) < (birthday.month, birthday.day))


def refusal(rule: Eligibility, person: Traits) -> Refusal | None:
    """The first part of a rule that a person does not meet, or None."""
    if rule.statuses and person.status not in rule.statuses:
        return "status"
    if rule.sexes and person.sex not in rule.sexes:
        return "sex"
    if rule.units and person.unit not in rule.units:
        return "unit"
    named = rule.tags or rule.roles or rule.staff_ids
    if named and not (
        person.tags & set(rule.tags) or person.roles & set(rule.roles) or person.staff_id in rule.staff_ids
    ):
        return "group"
    if rule.enrolled_by is not None and person.enrolled_on is not None and person.enrolled_on > rule.enrolled_by:
        return "enrolled"
    return _age_refusal(rule, person.age)


def _age_refusal(rule: Eligibility, age: int | None) -> Refusal | None:
    if rule.min_age is None and rule.max_age is None:
        return None
    if age is None:
        return "age_unknown"
    young = rule.min_age is not None and age < rule.min_age
    old = rule.max_age is not None and age > rule.max_age
    return "age" if young or old else None
