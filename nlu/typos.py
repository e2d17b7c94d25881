"""Slips of a pinyin input method: a character becomes another one of the same sound."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from nlu.text import reading

if TYPE_CHECKING:
    from random import Random

# The first level of GB 2312: the 3,755 characters in everyday use, which input methods offer first.
_FIRST, _LAST = 0xB0, 0xD7
_CELLS: Final = range(0xA1, 0xFF)


def slip(text: str, dice: Random, *, slips: int = 1) -> str:
    """The text with `slips` of its characters (or as many as can be) mistyped."""
    letters = list(text)
    places = [place for place, char in enumerate(letters) if _others(char)]
    for place in dice.sample(places, min(slips, len(places))):
        letters[place] = dice.choice(_others(letters[place]))
    return "".join(letters)


def _others(char: str) -> tuple[str, ...]:
    """Everyday characters that sound like an everyday one, without itself."""
    sounds = _by_sound()
    return tuple(other for other in sounds.get(reading(char), ()) if other != char) if char > "⺀" else ()


@cache
def _by_sound() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for high in range(_FIRST, _LAST + 1):
        for low in _CELLS:
            char = bytes((high, low)).decode("gb2312", "ignore")
            if char:
                found.setdefault(reading(char), []).append(char)
    return {sound: tuple(chars) for sound, chars in found.items()}
