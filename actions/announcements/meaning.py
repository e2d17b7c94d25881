"""Whom an officer means: 文学院的女老师, 报名多功能室的人, 还没回执的. Pure; names are those that the records know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from actions.announcements import segments as s
from actions.announcements.segment_text import read
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EVERYONE = re.compile(r"全体|全校|全员|所有(?:的)?(?:人|老师|会员|教职工|教师|职工)|大家|每个人")
_WORDS: tuple[tuple[re.Pattern[str], s.Segment], ...] = (
    (re.compile(r"女(?:教职工|职工|老师|教师|会员|同志|同事)"), s.Sexes(names=("女",))),
    (re.compile(r"男(?:教职工|职工|老师|教师|会员|同志|同事)"), s.Sexes(names=("男",))),
    (re.compile(r"(?:离)?退休"), s.Statuses(names=("retired",))),
    (re.compile(r"在职"), s.Statuses(names=("active",))),
    (re.compile(r"(?:分|单位|学院|二级|基层)工会(?:的)?(?:主席|干部|委员)"), s.Roles(names=("unit_officer",))),
    (re.compile(r"校工会(?:的)?(?:干部|老师)"), s.Roles(names=("union_officer",))),
    (re.compile(r"社团负责人|协会负责人"), s.Roles(names=("club_leader",))),
)
_UNANSWERED = re.compile(
    r"(?:没|未|没有|还没|还没有)(?:给)?(?:回执|回复|回|收到|确认|答复)[^\d]{0,8}(?:通知|公告)?\s*(\d+)?"
    r"|(?:通知|公告)\s*(\d+)[^\d]{0,6}(?:没|未)(?:有)?(?:回执|回复|回|收到|确认)"
)
_TAKES_PART = re.compile(r"(?:报名|报了|预约|约了|参加|选了)(?:了|的)?$")
_BEHIND = re.compile(r"[:：]\s*(\S.{5,})$", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownNames:
    """Names that the records know: of units, tags, offerings, clubs and groups."""

    units: Sequence[str] = ()
    tags: Sequence[str] = ()
    offerings: Sequence[str] = ()
    clubs: Sequence[str] = ()
    groups: Sequence[str] = ()
    #: What people say -> the tag that it means.
    short_tags: Mapping[str, str] = field(default_factory=dict)


def meant(text: str, known: KnownNames, *, latest: int | None = None) -> s.Segment | None:
    """The segment that a sentence means; None where it names nobody.

    What is of one kind is joined by 或, of several kinds by 且: 文学院和机电学院的女老师. Groups stand beside the rest.
    `latest` is the announcement that is meant where 没回执的 names none.
    """
    try:
        return read(text)
    except DomainError:
        pass
    named, rest = _names(text, known)
    of_people = ((kind, names) for kind, names in named.items() if names and kind is not s.Groups)
    parts: list[s.Segment] = [kind(names=tuple(names)) for kind, names in of_people]
    if (answered := _unanswered(rest, latest)) is not None:
        parts.append(answered)
    parts += [segment for pattern, segment in _WORDS if pattern.search(rest)]
    people = _joined(parts, everyone=_EVERYONE.search(rest) is not None)
    groups = s.Groups(names=tuple(named[s.Groups])) if named[s.Groups] else None
    if people is not None and groups is not None:
        return s.Or(parts=(people, groups))
    return people or groups


def _joined(parts: Sequence[s.Segment], *, everyone: bool) -> s.Segment | None:
    if len(parts) > 1:
        return s.And(parts=tuple(parts))
    if parts:
        return parts[0]
    return s.Everyone() if everyone else None


def _unanswered(text: str, latest: int | None) -> s.Segment | None:
    match = _UNANSWERED.search(text)
    if match is None:
        return None
    number = match[1] or match[2] or latest
    return None if number is None else s.Unanswered(names=(f"announcement:{number}",))


def _names(text: str, known: KnownNames) -> tuple[dict[type[s.Named], list[str]], str]:
    """Names by kind, the longest first at each place, and the text without them."""
    kinds: dict[str, tuple[type[s.Named], str]] = {}
    for word, tag in known.short_tags.items():
        kinds[word] = (s.Tags, tag)
    by_kind: tuple[tuple[type[s.Named], Sequence[str]], ...] = (
        (s.Registrants, known.offerings),
        (s.Tags, known.tags),
        (s.Clubs, known.clubs),
        (s.Units, known.units),
        (s.Groups, known.groups),
    )
    for kind, names in by_kind:
        kinds |= {name: (kind, name) for name in names}
    found: dict[type[s.Named], list[str]] = {kind: [] for kind in (s.Units, s.Tags, s.Clubs, s.Registrants, s.Groups)}
    rest, at = "", 0
    longest_first = sorted(kinds, key=len, reverse=True)
    while at < len(text):
        word = next((word for word in longest_first if text.startswith(word, at)), "")
        if not word:
            rest += text[at]
            at += 1
            continue
        kind, name = kinds[word]
        # 多功能室停用 is no segment; 约了多功能室的人 is one.
        if kind is not s.Registrants or _TAKES_PART.search(text[:at]):
            found[kind] += [name] if name not in found[kind] else []
        rest += " "
        at += len(word)
    return found, rest


def text_behind(request: str) -> str:
    """What an officer's request already holds of the notice itself: what stands behind a colon, word for word."""
    match = _BEHIND.search(request)
    return match[1].strip() if match else ""
