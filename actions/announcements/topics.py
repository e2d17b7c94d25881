"""What members get news about, and what a message says of that: 别再推了, 讲座的留着. Pure but for reading the file."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Wants: TypeAlias = Literal["all", "none", "digest"]
#: What is wanted of a topic; the empty topic is all that have no wish of their own.
Wishes: TypeAlias = tuple[tuple[str, Wants], ...]

_CLAUSES = re.compile(r"[\s,，。.;；!！?？~～…]+|但是?|不过|可是")
_MARKS = re.compile(r"[\s,，。.;；、!！?？~～…“”\"'‘’（）()]+")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Topic(_Part):
    """Something that news are about; `words` are what people call it."""

    id: str = Field(pattern=r"^[a-z_]{1,40}$")
    title: str
    words: tuple[str, ...] = ()


class WishWords(_Part):
    """Words of a wish."""

    all: tuple[str, ...]
    none: tuple[str, ...]
    digest: tuple[str, ...]
    except_: tuple[str, ...] = Field(alias="except")
    only: tuple[str, ...]


class Topics(_Part):
    """All topics, and how wishes about them are said."""

    topics: tuple[Topic, ...] = Field(min_length=1)
    words: WishWords
    filler: tuple[str, ...]
    about: tuple[str, ...]

    @model_validator(mode="after")
    def _once(self) -> Topics:
        words = [word for topic in self.topics for word in topic.words]
        doubled = {word for word in words if words.count(word) > 1}
        if doubled or len({topic.id for topic in self.topics}) < len(self.topics):
            message = f"topics: an id or a word is there twice: {', '.join(sorted(doubled))}"
            raise ValueError(message)
        return self

    def title(self, topic: str) -> str:
        """What a topic is called; its id where nobody knows it."""
        return next((each.title for each in self.topics if each.id == topic), topic)

    @property
    def fallback(self) -> str:
        """The topic of what belongs to no other."""
        return next((topic.id for topic in self.topics if not topic.words), self.topics[0].id)

    def about_what(self, text: str) -> str:
        """The topic that a notice speaks of most; the fallback where it names none."""
        counted = {topic.id: sum(text.count(word) for word in topic.words) for topic in self.topics}
        best = max(counted, key=lambda topic: counted[topic])
        return best if counted[best] else self.fallback

    def wishes(self, text: str, default: Wants) -> Wishes:
        """What a message wishes for, clause after clause; `default` where no word says which way.

        A wish for all comes before those for single topics, and takes back the earlier ones.
        """
        found: dict[str, Wants] = {}
        for clause in _CLAUSES.split(text):
            for topic, wants in self._clause(clause):
                if not topic:
                    found.clear()
                found[topic] = wants
        if not found:
            found = dict.fromkeys(self._topics_in(text) or [""], default)
        return tuple(sorted(found.items()))

    def _clause(self, clause: str) -> Iterable[tuple[str, Wants]]:
        said = {kind for kind, _word in self._spans(clause)}
        topics = self._topics_in(clause)
        if topics and said & {"except", "only"}:
            rest: Wants = "digest" if "digest" in said else "none"
            # 除了讲座都留着 keeps the others.
            turned = "except" in said and "all" in said and "none" not in said
            yield "", "all" if turned else rest
            for topic in topics:
                yield topic, "none" if turned else "all"
            return
        wants: Wants | None = next((each for each in ("digest", "none", "all") if each in said), None)
        if wants is not None:
            for topic in topics or [""]:
                yield topic, wants

    def alone(self, text: str) -> bool:
        """Whether a message by itself is surely a wish about news: it says nothing else."""
        said = _MARKS.sub("", text).lower()
        spans = list(self._spans(said))
        kinds = {kind for kind, _word in spans}
        told = "".join(word for _kind, word in spans)
        about = any(word in said for word in self.about)
        wish = bool(kinds & {"all", "none", "digest", "except", "only"})
        single = "topic" in kinds or "digest" in kinds
        return wish and about and single and len(told) == len(said)

    def _topics_in(self, text: str) -> list[str]:
        by_word = {word: topic.id for topic in self.topics for word in topic.words}
        return list(dict.fromkeys(by_word[word] for kind, word in self._spans(text) if kind == "topic"))

    def _spans(self, text: str) -> Iterable[tuple[str, str]]:
        """(kind, word) of everything that is known in a text, the longest first at each place."""
        small, at = text.lower(), 0
        while at < len(small):
            for word, kind in self._known:
                if small.startswith(word, at):
                    yield kind, word
                    at += len(word)
                    break
            else:
                at += 1

    @cached_property
    def _known(self) -> Sequence[tuple[str, str]]:
        kinds = {
            "about": self.about,
            "filler": self.filler,
            "all": self.words.all,
            "none": self.words.none,
            "digest": self.words.digest,
            "except": self.words.except_,
            "only": self.words.only,
            "topic": tuple(word for topic in self.topics for word in topic.words),
        }
        # What stands later here counts where a word is of two kinds.
        known = {word: kind for kind, words in kinds.items() for word in words}
        return sorted(known.items(), key=lambda item: (-len(item[0]), item[0]))


def load_topics(data_dir: Path) -> Topics:
    """Reads topics.yml. Raises ConfigurationError with file and line."""
    return YamlFile(data_dir / "topics.yml").validate(Topics)
