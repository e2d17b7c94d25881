"""Finds the fragments of a text from left to right, in time linear in its length."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from nlu.times.model import Clock, DayRule, Fragment, Moment, Rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Builder: TypeAlias = Callable[["re.Match[str]", "Context"], Fragment | None]
"""A match in its context -> the fragment, or None where the words are no time here.
A fragment that holds nothing is a phrase to pass over (早一点, 每周三)."""

Rule: TypeAlias = tuple[str, Builder]

_IN_NUMBER = frozenset("零一二两三四五六七八九十百千万亿廿卅几第0123456789.")
_RUN = re.compile(r"\d+|[零一二两三四五六七八九十廿卅]+|.", re.DOTALL)
_TO = re.compile(r" {0,2}(?:到|至|-{1,2}) {0,2}")
_LIST = re.compile(r" {0,2}(?:和|或者?|及|以及|跟|与|、|/|还是)? {0,2}")
_BLANKS = re.compile(r" {0,2}")


@dataclass(slots=True)
class Context:
    """The folded text, and how far and to what it has been read."""

    text: str
    read: int = 0
    last: Fragment | None = None
    day: Fragment | None = None

    def take(self, fragment: Fragment) -> None:
        """Go on behind a fragment."""
        if fragment.day:
            self.day = fragment
        elif not (fragment.clock and self._touches(fragment.start)):
            self.day = None
        self.read, self.last = fragment.end, fragment

    def listed(self, position: int, series: str) -> Fragment | None:
        """The day after which `position` goes on a list (下周三下午或|周四); None where there is none of its series."""
        day, last = self.day, self.last
        if day is None or last is None or day.series != series or not _LIST.fullmatch(self.text, last.end, position):
            return None
        return day

    def before(self, position: int) -> str:
        """The character before `position`, or "" at the begin and where a fragment is, also across 到 or a dash."""
        if position <= self.read or (self.last is not None and _TO.fullmatch(self.text, self.last.end, position)):
            return ""
        return self.text[position - 1]

    def inside_number(self, position: int) -> bool:
        """Whether what begins at `position` goes on with a number (三 in 十三) or an ordinal (第三)."""
        return self.before(position) in _IN_NUMBER

    def after_day(self, position: int) -> bool:
        """Whether a day stands right before `position`."""
        return self._touches(position) and self.last is not None and self.last.day is not None

    def after_part(self, position: int) -> bool:
        """Whether a part of the day with no hour stands right before `position`."""
        clock = self.last.clock if self.last is not None and self._touches(position) else None
        return clock is not None and clock.hour is None

    def _touches(self, position: int) -> bool:
        last = self.last
        return last is not None and _BLANKS.fullmatch(self.text, last.end, position) is not None

    def found(
        self,
        match: re.Match[str],
        *,
        day: DayRule | None = None,
        clock: Clock | None = None,
        moment: Moment | None = None,
        rank: Rank = "date",
    ) -> Fragment:
        """Make the fragment of a match."""
        return Fragment(start=match.start(), end=match.end(), day=day, clock=clock, moment=moment, rank=rank)


@dataclass(frozen=True, slots=True)
class Scanner:
    """Patterns in the order in which they are tried at one place."""

    rules: tuple[tuple[re.Pattern[str], Builder], ...]
    any_rule: re.Pattern[str] = field(repr=False)

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Scanner:
        """Compile the patterns, and one that finds where any of them begins."""
        listed = tuple(rules)
        nameless = "|".join(re.sub(r"\(\?P<\w+>", "(?:", pattern) for pattern, _ in listed)
        return cls(tuple((re.compile(pattern), build) for pattern, build in listed), re.compile(nameless))

    def scan(self, text: str) -> Iterator[Fragment]:
        """Yield the fragments of a folded text in order; they do not overlap."""
        context, position = Context(text), 0
        while (candidate := self.any_rule.search(text, position)) is not None:
            fragment = self._at(candidate.start(), context)
            if fragment is None:
                run = _RUN.match(text, candidate.start())
                position = candidate.start() + 1 if run is None else run.end()
                continue
            position = context.read = fragment.end
            if fragment.day or fragment.clock or fragment.moment:
                context.take(fragment)
                yield fragment

    def _at(self, position: int, context: Context) -> Fragment | None:
        for pattern, build in self.rules:
            match = pattern.match(context.text, position)
            if match is not None and match.end() > position:
                fragment = build(match, context)
                if fragment is not None:
                    return fragment
        return None
