"""Whether a model's sentence says nothing but what the passages say: pure, and strict. What fails is dropped."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 300
#: How much of a sentence's pairs of characters its passages must hold: measured in tests/llm/test_grounded.py.
_SHARED = 0.55

_CITED = re.compile(r"[\[【［]\s*(\d{1,2})\s*[\]】］]")
_SENTENCES = re.compile(r"(?<=[。!?;\n])")
_ARABIC = re.compile(r"\d+(?:[.,:：/-]\d+)*%?")
_COUNTED = re.compile(
    r"[零〇一二三四五六七八九十百千万亿两半]+(?=[元块年月日天周个人次名届级胎岁时分点折成倍张份场轮门类种项条款号])|百分之"
)
_FOREIGN = re.compile(r"[A-Za-z]{2,}|https?|www|[{}<>`#*|\\]")
_WORD = re.compile(r"[\u3400-\u9fff]")


def grounded(answer: str, passages: Sequence[str]) -> bool:
    """Whether each sentence cites passages that are there, and holds no figure and little else that they do not.

    Args:
        answer: what the model wrote, with citations like [1].
        passages: those that it was given; the first one is [1].

    """
    plain = unicodedata.normalize("NFKC", answer).strip()
    if not 0 < len(plain) <= LONGEST:
        return False
    sentences = [part for part in _SENTENCES.split(_joined(plain)) if _WORD.search(part)]
    return bool(sentences) and all(_holds(part, passages) for part in sentences)


def without_citations(answer: str) -> str:
    """The sentences as a member reads them; where they stand is said below."""
    return _CITED.sub("", answer).strip()


def cited(answer: str) -> tuple[int, ...]:
    """The numbers of the passages that an answer rests on, each once, from 1."""
    found = (int(number) for number in _CITED.findall(answer))
    return tuple(dict.fromkeys(found))


def _joined(plain: str) -> str:
    """A citation behind the full stop belongs to the sentence before it."""
    return re.sub(rf"([。!?;])((?:\s*{_CITED.pattern})+)", r"\2\1", plain)


def _holds(sentence: str, passages: Sequence[str]) -> bool:
    numbers = {int(number) for number in _CITED.findall(sentence)}
    if not numbers or not all(1 <= number <= len(passages) for number in numbers):
        return False
    said = _CITED.sub("", sentence)
    source = unicodedata.normalize("NFKC", "".join(passages[number - 1] for number in sorted(numbers)))
    if not _figures(said) <= _figures(source) or not set(_FOREIGN.findall(said)) <= set(_FOREIGN.findall(source)):
        return False
    pairs, known = _pairs(said), _pairs(source)
    return not pairs or len(pairs & known) / len(pairs) >= _SHARED


def _figures(text: str) -> set[str]:
    """Every number of a text: digits as they stand, and Chinese numerals that count something."""
    return {*_ARABIC.findall(text), *(found.group() for found in _COUNTED.finditer(text))}


def _pairs(text: str) -> set[str]:
    words = "".join(_WORD.findall(text))
    return {words[at : at + 2] for at in range(len(words) - 1)}
