"""The short text form of a segment, read and written: `单位:文学院,机电学院 且 非 角色:unit_officer`.

    expression := term { 或 term }         或 | or | "|"
    term       := factor { 且 factor }     且 | and | "&"
    factor     := 非 factor | ( expression ) | 全体 | KIND : value { , value }     非 | not | "!"

What is written reads the same again. Values with blanks or marks stand in double quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from actions.announcements import segments as s
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Kinds by the words for them; the first is written.
KINDS: dict[type[s.Named], tuple[str, ...]] = {
    s.Units: ("单位", "unit", "units", "学院"),
    s.Clubs: ("社团", "club", "clubs"),
    s.Roles: ("角色", "role", "roles"),
    s.Tags: ("标签", "tag", "tags"),
    s.Sexes: ("性别", "sex"),
    s.Statuses: ("状态", "status"),
    s.People: ("工号", "member", "members", "staff"),
    s.Registrants: ("报名", "registrants", "registered", "offering"),
    s.Unanswered: ("未回复", "unanswered"),
    s.Groups: ("群", "group", "groups"),
}
_EVERYONE = ("全体", "all", "everyone", "所有人", "全体会员", "全校")
_AND, _OR, _NOT = ("且", "and", "&", "&&", "并且"), ("或", "or", "|", "||"), ("非", "not", "!", "！")
_WORDS = {
    s.Statuses: {"在职": "active", "退休": "retired"},
    s.Roles: {
        "分工会干部": "unit_officer",
        "校工会干部": "union_officer",
        "咨询师": "counsellor",
        "社团负责人": "club_leader",
        "管理员": "administrator",
        "评审": "reviewer",
    },
}
_TOKEN = re.compile(r"\s*(?:\"((?:[^\"\\]|\\.)*)\"|([(（)）,，、:：!！&|]{1,2}?)|([^\s()（）,，、:：!！&|\"]+))")
_BLANK = re.compile(r"\s*$")
_PLAIN = re.compile(r"[^\s()（）,，、:：!！&|\"\\]+")
_SAME = str.maketrans("（），、：！", "(),,:!")
_REF = re.compile(r"(?:通知|公告)?(\d+)")
_LONGEST = 2_000

#: A token: its text, and whether it stood in quotes.
_Token = tuple[str, bool]


def read(text: str) -> s.Segment:
    """The segment of a text. Raises DomainError("segment_unclear") that shows where it stops making sense."""
    if len(text) > _LONGEST:
        raise _unclear(text[:20])
    reader = _Reader(_tokens(text))
    segment = reader.expression(0)
    if reader.rest:
        raise _unclear("".join(token for token, _quoted in reader.rest[:4]))
    return segment


def _unclear(text: str) -> DomainError:
    return DomainError("segment_unclear", field="audience", text=text or "…")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while _BLANK.match(text, at) is None:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unclear(text[at : at + 20])
        quoted, mark, word = match.groups()
        if quoted is not None:
            found.append((re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL), True))
        else:
            found.append(((mark or word).translate(_SAME) if mark else word, False))
        at = match.end()
    return found


class _Reader:
    """Takes tokens one after the other."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self.rest = list(tokens)

    def _next_is(self, words: Sequence[str]) -> bool:
        return bool(self.rest) and not self.rest[0][1] and self.rest[0][0].lower() in words

    def _take(self, words: Sequence[str]) -> bool:
        taken = self._next_is(words)
        if taken:
            self.rest.pop(0)
        return taken

    def expression(self, depth: int) -> s.Segment:
        parts = [self._term(depth)]
        while self._take(_OR):
            self._take(_OR)  # "||" comes as two marks
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else s.Or(parts=tuple(parts))

    def _term(self, depth: int) -> s.Segment:
        parts = [self._factor(depth)]
        while self._take(_AND):
            self._take(_AND)
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else s.And(parts=tuple(parts))

    def _factor(self, depth: int) -> s.Segment:
        if depth > s.DEEPEST:
            raise _unclear("(((")
        if self._take(_NOT):
            return s.Not(part=self._factor(depth + 1))
        if self._take(("(",)):
            inner = self.expression(depth + 1)
            if not self._take((")",)):
                raise _unclear("".join(token for token, _quoted in self.rest[:4]))
            return inner
        return self._leaf()

    def _leaf(self) -> s.Segment:
        if not self.rest:
            raise _unclear("")
        word, quoted = self.rest.pop(0)
        if not quoted and not self._next_is((":",)) and word.lower() in _EVERYONE:
            return s.Everyone()
        kind = next((kind for kind, words in KINDS.items() if word.lower() in words), None)
        if quoted or kind is None or not self._take((":",)):
            raise _unclear(word)
        names = [self._value(kind)]
        while self._take((",",)):
            names.append(self._value(kind))
        try:
            return kind(names=tuple(names))
        except ValidationError as error:
            raise _unclear(names[0]) from error

    def _value(self, kind: type[s.Named]) -> str:
        """One value; a ref keeps its colon (announcement:12)."""
        if not self.rest or (not self.rest[0][1] and _PLAIN.fullmatch(self.rest[0][0]) is None):
            raise _unclear(self.rest[0][0] if self.rest else "")
        value, quoted = self.rest.pop(0)
        if quoted:
            return value
        while self._next_is((":",)) and len(self.rest) > 1:
            self.rest.pop(0)
            value = f"{value}:{self.rest.pop(0)[0]}"
        if kind is s.Unanswered and (match := _REF.fullmatch(value)):
            return f"announcement:{match[1]}"
        return _WORDS.get(kind, {}).get(value, value)


def write(segment: s.Segment) -> str:
    """The text of a segment; `read` gives the same segment again."""
    if isinstance(segment, s.Everyone):
        return _EVERYONE[0]
    if isinstance(segment, s.Or):
        return f" {_OR[0]} ".join(_inner(part, s.Or) for part in segment.parts)
    if isinstance(segment, s.And):
        return f" {_AND[0]} ".join(_inner(part, s.Or, s.And) for part in segment.parts)
    if isinstance(segment, s.Not):
        return f"{_NOT[0]} {_inner(segment.part, s.Or, s.And)}"
    kind = type(segment)
    return f"{KINDS[kind][0]}:{','.join(_written(name, kind) for name in segment.names)}"


def _inner(part: s.Segment, *loose: type[s.Or | s.And]) -> str:
    return f"({write(part)})" if isinstance(part, loose) else write(part)


def _written(name: str, kind: type[s.Named]) -> str:
    """One value, so that it reads as it was: in quotes where it would read as something else."""
    words = _WORDS.get(kind, {})
    if kind is s.Unanswered and (match := re.fullmatch(r"announcement:([0-9]+)", name)):
        return f"通知{match[1]}"
    spoken = next((word for word, value in words.items() if value == name), "")
    if spoken:
        return spoken
    ambiguous = name in words or (kind is s.Unanswered and _REF.fullmatch(name) is not None)
    if _PLAIN.fullmatch(name) and not ambiguous:
        return name
    escaped = re.sub(r"([\\\"])", r"\\\1", name)
    return f'"{escaped}"'
