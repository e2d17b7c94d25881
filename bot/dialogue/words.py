"""Set phrases of a conversation, from data/responses/keywords.yml: matched whole, before any probability."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, field_validator

from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from pathlib import Path

_NOISE = re.compile(r"[\s,，。.!！?？~～、…;；:：\"“”'‘’（）()]+")
_PARTICLES = re.compile(r"(?<=.)[吧呀啊哦呢了哈啦喽]+$")


def bare(text: str) -> str:
    """A message without blanks and punctuation, lower case."""
    return _NOISE.sub("", text).lower()


class Words(BaseModel):
    """What people say to steer; every set holds bare texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    affirm: frozenset[str]
    deny: frozenset[str]
    cancel: frozenset[str]
    resume: frozenset[str]
    why: frozenset[str]
    skip: frozenset[str]
    any: frozenset[str]

    @field_validator("*", mode="after")
    @classmethod
    def _bare(cls, words: frozenset[str]) -> frozenset[str]:
        return frozenset(bare(word) for word in words)

    def says(self, kind: str, text: str) -> bool:
        """Whether a message says nothing but one of the phrases, with or without a particle at its end."""
        said = bare(text)
        phrases: frozenset[str] = getattr(self, kind)
        return said in phrases or _PARTICLES.sub("", said) in phrases


def load_words(folder: Path) -> Words:
    """Reads keywords.yml. Raises ConfigurationError with file and line."""
    return YamlFile(folder / "keywords.yml").validate(Words)
