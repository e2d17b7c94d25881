"""Set phrases of a conversation, from data/responses/keywords.yml: matched whole, before any probability."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, field_validator

from actions.core.yamlfile import YamlFile
from nlu.text import simplified

if TYPE_CHECKING:
    from pathlib import Path

_NOISE = re.compile(r"[\s,，。.!！?？~～、…;；:：\"“”'‘’（）()]+")
_PARTICLES = re.compile(r"(?<=.)[吧呀啊哦呢了哈啦喽]+$")
# Longer texts say more than a set phrase; nothing is lost by not looking.
_LONGEST = 16


def bare(text: str) -> str:
    """A message without blanks and punctuation, in simplified characters and lower case."""
    return _NOISE.sub("", simplified(text)).lower()


def plain(text: str) -> str:
    """As `bare`, without the particles at its end (好吧 is 好)."""
    return _PARTICLES.sub("", bare(text))


@lru_cache(maxsize=64)
def _joined(phrases: frozenset[str], fillers: frozenset[str]) -> re.Pattern[str]:
    """One or more of the phrases one after the other, with particles and courtesies around them."""
    some = "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))
    more = "|".join([*(re.escape(filler) for filler in fillers), "[吧呀啊哦呢了哈啦喽]"])
    return re.compile(rf"(?:{more})*(?:{some})(?:{some}|{more})*")


class Words(BaseModel):
    """What people say to steer; every set holds bare texts.

    `keep` leaves a form as it was before a change; `cancel_this` gives up the form at hand where one is open (with none
    open it means a booking on record); `book` wants a time and does not say for what; `polite` may stand behind any of
    them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    affirm: frozenset[str]
    deny: frozenset[str]
    cancel: frozenset[str]
    cancel_this: frozenset[str]
    keep: frozenset[str]
    resume: frozenset[str]
    why: frozenset[str]
    skip: frozenset[str]
    any: frozenset[str]
    book: frozenset[str]
    polite: frozenset[str]

    @field_validator("*", mode="after")
    @classmethod
    def _bare(cls, words: frozenset[str]) -> frozenset[str]:
        return frozenset(bare(word) for word in words)

    def says(self, kind: str, text: str) -> bool:
        """Whether a message says nothing but such phrases: one, several (没问题就这样), with particles (好吧)."""
        said = bare(text)
        if not said or len(said) > _LONGEST:
            return False
        phrases: frozenset[str] = getattr(self, kind)
        return _joined(phrases, self.polite).fullmatch(said) is not None


def load_words(folder: Path) -> Words:
    """Reads keywords.yml. Raises ConfigurationError with file and line."""
    return YamlFile(folder / "keywords.yml").validate(Words)
