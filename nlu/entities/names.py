"""What the gazetteer names: exactly as it is written, or by words that sound alike."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from nlu.entities.hits import Hit
from nlu.times.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlu.types import Gazetteer

_CHINESE = re.compile("[\u4e00-\u9fff]")


class Surface(NamedTuple):
    """One way to write one value of the gazetteer; `sounds` holds a toneless syllable for each character."""

    text: str
    name: str
    value: str
    sounds: tuple[str, ...]


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
                surface = Surface(text, name, value, _sounds(text))
                exact.setdefault(text[0], []).append(surface)
                if len(text) >= 2 and len(surface.sounds) == len(text) and _CHINESE.search(text):
                    by_sound.setdefault(surface.sounds[0], []).append(surface)
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
        readings = [_readings(character) for character in text]
        for at, sounds in enumerate(readings):
            for sound in sounds:
                for surface in self._by_sound.get(sound, ()):
                    end = at + len(surface.text)
                    if end > len(text) or not _whole_word(text, at, end):
                        continue
                    alike = all(s in r for s, r in zip(surface.sounds, readings[at:end], strict=True))
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


def _sounds(text: str) -> tuple[str, ...]:
    """A syllable for each character as its word is read; other characters stand for themselves."""
    # Imported here and below: the dictionary is slow to load, and only a gazetteer needs it.
    from pypinyin import lazy_pinyin  # noqa: PLC0415

    return tuple(chain.from_iterable(map(_split, lazy_pinyin(text, errors=lambda rest: "\0" + rest))))


def _split(sound: str) -> tuple[str, ...]:
    """A syllable as it is; what was no Chinese comes marked and in one piece."""
    return tuple(sound[1:]) if sound.startswith("\0") else (sound,)


@lru_cache(maxsize=8192)
def _readings(character: str) -> frozenset[str]:
    """All toneless readings of one character."""
    if not _CHINESE.match(character):
        return frozenset(character)
    from pypinyin import Style, pinyin  # noqa: PLC0415

    return frozenset(pinyin(character, style=Style.NORMAL, heteronym=True)[0])


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
    if len(typed) == 2:
        from pypinyin.constants import PHRASES_DICT  # noqa: PLC0415

        if typed in PHRASES_DICT or (surface.name in {"person", "counsellor"} and not same[0]):
            return False
    return any(same)
