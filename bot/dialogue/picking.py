"""Picking one of the offered choices: by number, ordinal, label, part of a label, or "whatever". Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.dialogue.words import bare, plain
from nlu.text import simplified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.life import Choice
    from bot.dialogue.words import Words
    from nlu.types import Parse

_NUMBER = re.compile(r"^(?:选|第|要)?\s*([0-9０-９]{1,3}|[一二两三四五六七八九十]{1,2})\s*(?:个|号|项|、|\.)?$")
_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
#: Between the choices of a list.
_BETWEEN = re.compile(r"[、,，;；/\s+＋和跟与及]+")
_NEGATED = re.compile(r"不要|不想|别|除了|避开|不是|不去|不约|认识|很熟|换一[个位]")


def picked(
    choices: Sequence[Choice], parse: Parse, words: Words, *, whatever: bool = True, whole: bool = False
) -> Choice | None:
    """The offered choice that a message picks.

    `whatever` tells whether 都行 picks the best one; `whole` takes a label only where nothing else is said, since
    确认一下能停车吗 confirms nothing.
    """
    if not choices:
        return None
    by_label = labelled(choices, parse.text, whole=whole)
    if by_label is not None:
        return by_label
    number = number_said(parse.text) if whole else position(parse)
    if number is not None:
        index = number - 1 if number > 0 else number
        return choices[index] if -len(choices) <= index < len(choices) else None
    if whatever and (words.says("any", parse.text) or any(entity.name == "any" for entity in parse.entities)):
        return next((choice for choice in choices if choice.value == "any"), choices[0])
    return None


def picked_several(choices: Sequence[Choice], parse: Parse) -> tuple[Choice, ...]:
    """The choices that a message lists by number or label (1、3; 讲座和瑜伽); none where a part of it is no choice."""
    whole = labelled(choices, parse.text, whole=True)
    if whole is not None:
        return (whole,)
    found, rest = _said_labels(choices, simplified(parse.text).lower().strip())
    for part in filter(None, (bare(each) for each in _BETWEEN.split(rest))):
        number = number_said(part)
        index = number - 1 if number is not None else _labelled_at(choices, part)
        if not 0 <= index < len(choices):
            return ()
        found.add(index)
    return tuple(choice for index, choice in enumerate(choices) if index in found)


def _said_labels(choices: Sequence[Choice], text: str) -> tuple[set[int], str]:
    """The choices whose whole label is in a text, the longer label first, and what is left of it."""
    found: set[int] = set()
    for index in sorted(range(len(choices)), key=lambda index: -len(choices[index].label)):
        label = simplified(choices[index].label).lower()
        if len(label) > 1 and label in text:
            found.add(index)
            text = text.replace(label, " ")
    return found, text


def _labelled_at(choices: Sequence[Choice], part: str) -> int:
    named = labelled(choices, part)
    return -1 if named is None else choices.index(named)


def labelled(choices: Sequence[Choice], text: str, *, whole: bool = False) -> Choice | None:
    """The choice whose label a message says: in whole or, unless `whole`, within a sentence or in part (瑜伽, 文昌)."""
    said = bare(text)
    exact = [choice for choice in choices if said and said in (bare(choice.label), bare(choice.value))]
    if exact:
        return exact[0]
    if whole or _NEGATED.search(text):
        return None
    contained = [choice for choice in choices if bare(choice.label) in said]
    if len(contained) == 1:
        return contained[0]
    part = plain(text)
    partly = [choice for choice in choices if len(part) > 1 and not part.isdecimal() and part in bare(choice.label)]
    return partly[0] if len(partly) == 1 else None


def position(parse: Parse) -> int | None:
    """The number that a message is, or the ordinal that it names; -1 is the last one."""
    number = number_said(parse.text)
    if number is not None:
        return number
    ordinals = [entity for entity in parse.entities if entity.name == "ordinal"]
    if len(ordinals) == 1 and ordinals[0].value.lstrip("-").isdecimal():
        return int(ordinals[0].value)
    return None


def number_said(text: str) -> int | None:
    """The number that a whole text is: 2, ２, 二, 十二, 第2个."""
    match = _NUMBER.match(text.strip())
    if match is None:
        return None
    digits = match[1]
    if digits.isdecimal():
        return int(digits)
    if len(digits) == 1:
        return _DIGITS[digits]
    return 10 + _DIGITS[digits[1]] if digits[0] == "十" else _DIGITS[digits[0]] * 10
