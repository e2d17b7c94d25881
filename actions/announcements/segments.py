"""Whom a message is for: composable, typed expressions over the members, each of which is one SQL condition.

As JSON: `{"kind": "and", "parts": [{"kind": "units", "names": ["文学院"]}, {"kind": "not", "part": {"kind": "roles",
"names": ["unit_officer"]}}]}`; the short text form is in segment_text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select, true

from actions.core.errors import DomainError
from actions.core.tables import Member, RoleGrant, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Expressions that are nested deeper are not read: nobody means them.
DEEPEST = 12

Names: TypeAlias = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=120)], ...], Field(min_length=1)]


class _Expression(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Named(_Expression):
    """Whom a list of names gives."""

    names: Names


class Everyone(_Expression):
    """Every member who has not left."""

    kind: Literal["everyone"] = "everyone"


class Units(_Named):
    """Members of the units of these names."""

    kind: Literal["units"] = "units"


class Clubs(_Named):
    """Members of the clubs of these titles."""

    kind: Literal["clubs"] = "clubs"


class Roles(_Named):
    """Who holds one of these roles, for whatever."""

    kind: Literal["roles"] = "roles"


class Tags(_Named):
    """Who has one of these tags (教代会代表)."""

    kind: Literal["tags"] = "tags"


class Sexes(_Named):
    """男 or 女, as the roster has it."""

    kind: Literal["sexes"] = "sexes"


class Statuses(_Expression):
    """active or retired."""

    kind: Literal["statuses"] = "statuses"
    names: Annotated[tuple[Literal["active", "retired"], ...], Field(min_length=1)]


class People(_Named):
    """The members of these 工号."""

    kind: Literal["people"] = "people"


class Registrants(_Named):
    """Who is in one of these offerings: its id, its title, or title@校区."""

    kind: Literal["registrants"] = "registrants"


class Unanswered(_Expression):
    """Who was asked by one of these records ("announcement:12") and has not answered."""

    kind: Literal["unanswered"] = "unanswered"
    names: Names


class Groups(_Named):
    """Bound groups of these titles: they are told as such, not their members."""

    kind: Literal["groups"] = "groups"


class And(_Expression):
    """Who is in all of the parts."""

    kind: Literal["and"] = "and"
    parts: Annotated[tuple[Segment, ...], Field(min_length=2)]


class Or(_Expression):
    """Who is in one of the parts."""

    kind: Literal["or"] = "or"
    parts: Annotated[tuple[Segment, ...], Field(min_length=2)]


class Not(_Expression):
    """Who is not in the part."""

    kind: Literal["not"] = "not"
    part: Segment


Named: TypeAlias = Units | Clubs | Roles | Tags | Sexes | Statuses | People | Registrants | Unanswered | Groups
Segment: TypeAlias = Annotated[
    Everyone
    | Units
    | Clubs
    | Roles
    | Tags
    | Sexes
    | Statuses
    | People
    | Registrants
    | Unanswered
    | Groups
    | And
    | Or
    | Not,
    Field(discriminator="kind"),
]

for _model in (And, Or, Not):
    _model.model_rebuild()
_ADAPTER: TypeAdapter[Segment] = TypeAdapter(Segment)


def from_json(value: Mapping[str, Any]) -> Segment:
    """The segment of a JSON object. Raises DomainError("segment_unclear")."""
    if _depth(value) > DEEPEST:
        raise DomainError("segment_unclear", field="audience", text="…")
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        text = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3])
        raise DomainError("segment_unclear", field="audience", text=text) from error


def to_json(segment: Segment) -> dict[str, Any]:
    """The JSON object of a segment."""
    return segment.model_dump(mode="json")


def _depth(value: Any) -> int:
    """How deep mappings and lists are nested, at most one more than is read."""
    level, depth = [value], 0
    while level and depth <= 2 * DEEPEST:
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list, tuple))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        depth += 1
    # A part of an expression is a mapping within a list.
    return (depth + 1) // 2


def leaves(segment: Segment) -> Iterator[Everyone | Named]:
    """Everything that is named in a segment."""
    if isinstance(segment, And | Or):
        for part in segment.parts:
            yield from leaves(part)
    elif isinstance(segment, Not):
        yield from leaves(segment.part)
    else:
        yield segment


def split(segment: Segment) -> tuple[Segment | None, tuple[str, ...]]:
    """The members' part of a segment, and the titles of the groups that stand beside it.

    Raises DomainError("segment_group") where a group is within and, or not: it is no set of members.
    """
    if isinstance(segment, Groups):
        return None, segment.names
    if not isinstance(segment, Or):
        if any(isinstance(leaf, Groups) for leaf in leaves(segment)):
            raise DomainError("segment_group", field="audience")
        return segment, ()
    found = [split(part) for part in segment.parts]
    titles = tuple(dict.fromkeys(title for _part, names in found for title in names))
    parts = tuple(part for part, _names in found if part is not None)
    if len(parts) > 1:
        return Or(parts=parts), titles
    return (parts[0] if parts else None), titles


def query(segment: Segment, looked_up: Mapping[Segment, Select[int]], *, sqlite: bool) -> Select[int]:
    """Ids of the members of a segment, as one select.

    Args:
        segment: holds no groups.
        looked_up: for each leaf that a life answers (registrants, clubs, unanswered), its query of member ids.
        sqlite: how JSON is taken apart differs between the databases.

    """
    return select(Member.id).where(Member.status != "left", _condition(segment, looked_up, sqlite=sqlite))


def _condition(segment: Segment, looked_up: Mapping[Segment, Select[int]], *, sqlite: bool) -> ColumnElement[bool]:
    if isinstance(segment, And):
        return and_(*(_condition(part, looked_up, sqlite=sqlite) for part in segment.parts))
    if isinstance(segment, Or):
        return or_(*(_condition(part, looked_up, sqlite=sqlite) for part in segment.parts))
    if isinstance(segment, Not):
        return not_(_condition(segment.part, looked_up, sqlite=sqlite))
    if segment in looked_up:
        return Member.id.in_(looked_up[segment])
    return _of_the_roster(segment, sqlite=sqlite)


def _of_the_roster(segment: Segment, *, sqlite: bool) -> ColumnElement[bool]:
    if isinstance(segment, Tags):
        return _tagged(segment.names, sqlite=sqlite)
    condition: ColumnElement[bool]
    match segment:
        case Everyone():
            condition = true()
        case Units():
            # Not `in`: for who is in no unit that would be neither true nor false, and so would its negation.
            condition = exists().where(Unit.id == Member.unit_id, Unit.name.in_(segment.names))
        case Roles():
            condition = exists().where(RoleGrant.member_id == Member.id, RoleGrant.role.in_(segment.names))
        case Sexes():
            condition = Member.sex.in_(segment.names)
        case Statuses():
            condition = Member.status.in_(segment.names)
        case People():
            condition = Member.staff_id.in_(segment.names)
        case _:
            message = f"{segment.kind} was not looked up"
            raise TypeError(message)
    return condition


def _tagged(names: tuple[str, ...], *, sqlite: bool) -> ColumnElement[bool]:
    each = func.json_each if sqlite else func.json_array_elements_text
    tags = each(Member.tags).table_valued("value")
    return exists(select(tags.c.value).where(tags.c.value.in_(names)))
