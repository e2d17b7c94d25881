"""What the gazetteer names: exactly as it is written, or by words that sound alike."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nlu.entities.hits import Hit
from nlu.text import reading, readings, two_character_words
from nlu.times.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlu.types import Gazetteer

_CHINESE = re.compile("[\u4e00-\u9fff]")


class Sound(NamedTuple):
    """The toneless readings of a character, and the commonest of them."""

    common: str
    every: frozenset[str]

    def like(self, other: Sound) -> bool:
        """Whether one may be typed for the other. Two rare readings do not meet: nobody types 提 (dī) for 的 (dí)."""
        return self.common in other.every or other.common in self.every


class Surface(NamedTuple):
    """One way to write one value of the gazetteer, and how each of its characters sounds."""

    text: str
    name: str
    value: str
    sounds: tuple[Sound, ...]


class Names:
    """An index of a gazetteer, made once and never changed."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        exact: dict[str, list[Surface]] = {}
        by_sound: dict[str, list[Surface]] = {}
        for name, values in gazetteer.items():
            for written, value in values.items():
                text = fold(written.strip())
                if not text:
                    continue
                surface = Surface(text, name, value, tuple(map(_sound, text)))
                exact.setdefault(text[0], []).append(surface)
                if len(text) >= 2 and _CHINESE.search(text):
                    for sound in surface.sounds[0].every:
                        by_sound.setdefault(sound, []).append(surface)
        self._exact = {key: tuple(found) for key, found in exact.items()}
        self._by_sound = {key: tuple(found) for key, found in by_sound.items()}

    def exact(self, text: str) -> Iterator[Hit]:
        """Yield every place where a surface stands in a folded text."""
        for at, first in enumerate(text):
            for surface in self._exact.get(first, ()):
                end = at + len(surface.text)
                if text.startswith(surface.text, at) and _whole_word(text, at, end):
                    yield Hit(surface.name, surface.value, at, end)

    def by_sound(self, text: str) -> Iterator[Hit]:
        """Yield every place where as many characters of a folded text sound like a surface (喝医生: 何医生)."""
        heard = [_sound(character) for character in text]
        for at, first in enumerate(heard):
            for surface in dict.fromkeys(each for sound in first.every for each in self._by_sound.get(sound, ())):
                end = at + len(surface.text)
                if end > len(text) or not _whole_word(text, at, end):
                    continue
                alike = all(map(Sound.like, surface.sounds, heard[at:end]))
                if alike and _plausible_slip(text[at:end], surface):
                    yield Hit(surface.name, surface.value, at, end)


def _whole_word(text: str, start: int, end: int) -> bool:
    """Whether no Latin word or number is cut at either end."""
    return not (_joined(text, start) or _joined(text, end))


def _joined(text: str, at: int) -> bool:
    if not 0 < at < len(text):
        return False
    left, right = text[at - 1], text[at]
    if not (left.isascii() and right.isascii()):
        return False
    return (left.isdigit() and right.isdigit()) or (left.isalpha() and right.isalpha())


@lru_cache(maxsize=8192)
def _sound(character: str) -> Sound:
    """How a Chinese character is read; another one stands for itself."""
    if not _CHINESE.match(character):
        return Sound(character, frozenset(character))
    return Sound(reading(character), readings(character))


def _plausible_slip(typed: str, surface: Surface) -> bool:
    """Whether words that sound like a surface are a slip of the keyboard and not words of their own.

    Two or three syllables sound alike by chance (关于家事 has 瑜伽室 in it): one character must be right, in a short
    name of a person the surname, and two characters may be no word of the dictionary.
    """
    same = [left == right for left, right in zip(typed, surface.text, strict=True)]
    if all(same):
        return False
    if len(typed) > 3:
        return True
    if len(typed) == 2 and surface.name in {"person", "counsellor"} and not same[0]:
        return False
    if len(typed) == 2 and typed in two_character_words():
        return False
    return any(same)
