"""Finding the passage that answers a question: BM25 over words, joined with sentence vectors. Pure, in memory."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from actions.knowledge.wanted import gives, wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from actions.core.meaning import Encoder
    from actions.knowledge.passages import Passage
    from actions.knowledge.words import Words

Verdict = Literal["sure", "unsure", "nothing"]

# BM25: how soon a word that is repeated counts no more, and how much a long text is held against it.
_K1, _B = 1.2, 0.4
# A word of the heading says more of what a passage answers than one of its text.
_HEADING, _TITLE = 3, 1
# Two sentences that have nothing to do with one another are still so much alike; a text says less than a heading.
_UNLIKE, _TEXT = 0.2, 0.8
# 那双胞胎呢 says little of its own: what was talked about before makes up for some of it.
_FOLLOWING = 0.04
# The beginning of a text tells what it is about; the encoder reads no more than this anyway.
_READ = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """How a score is put together, and from where on it is an answer; found on data/nlu questions (docs/knowledge.md).

    `words` and `meaning` weigh the two halves (each 0 to 1), `service` is added where the passage is of the service
    that the question was taken for, `over` taken off where its time is over; what holds nothing of the kind that is
    asked for (a price, an hour) keeps the share `lacks`. The best one is the answer where its score and its lead over
    the next one come to `sure` and the lead is `margin`; what reaches `unsure` is offered to choose from. `strict` is
    the score that is needed where nobody said that it is a question about the union. `topic` is how much the question
    before counts.
    """

    words: float = 0.6
    meaning: float = 0.4
    service: float = 0.1
    over: float = 0.05
    lacks: float = 0.6
    topic: float = 0.5
    sure: float = 0.66
    margin: float = 0.03
    unsure: float = 0.42
    strict: float = 0.48


#: With words alone: there are no vectors (yet).
WORDS_ALONE = Weights(words=1.0, meaning=0.0, service=0.12)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked. `service` is whom it was taken for, `about` the question before it, where it follows one up.

    `without` are services that must not be spoken of here; `strict` asks for more certainty: nobody said that it is
    a question about the union at all.
    """

    text: str
    service: str = ""
    about: str = ""
    without: Collection[str] = ()
    strict: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A passage and how well it fits."""

    passage: Passage
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Passages, best first, and whether the first is the answer, or they are candidates, or none will do."""

    verdict: Verdict
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """Passages ready to be searched.

    Attributes:
        passages: what can be found.
        words: how texts are cut.
        postings: word -> (passage, weighed count) pairs.
        lengths: of each passage in weighed words.
        meanings: (2 x passages, dimensions) float32, headings first, texts after; None without an encoder.

    """

    passages: tuple[Passage, ...]
    words: Words
    postings: Mapping[str, Sequence[tuple[int, int]]]
    lengths: NDArray[np.float32]
    meanings: NDArray[np.float32] | None
    encoder: Encoder | None
    weights: Weights = field(default_factory=Weights)

    def search(self, question: Question, today: date, *, most: int = 3) -> Found:
        """The passages that fit a question, best first, `most` of them, and the verdict."""
        if not self.passages or not question.text.strip():
            return Found(verdict="nothing")
        scores = self._scores(question, today)
        order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))[:most]
        hits = tuple(Hit(passage=self.passages[place], score=float(scores[place])) for place in order)
        return Found(verdict=self._verdict(hits, question), hits=hits)

    def _verdict(self, hits: Sequence[Hit], question: Question) -> Verdict:
        if not hits:
            return "nothing"
        weights, best = self.weights, hits[0].score
        second = hits[1].score if len(hits) > 1 else 0.0
        lead = best - second
        asked = wanted(question.text)
        apart = lead >= weights.margin and gives(asked, hits[0].passage) and self._speaks(question, hits[0].passage)
        if question.strict:
            return "sure" if apart and best >= weights.strict else "nothing"
        if apart and best + lead >= weights.sure - (_FOLLOWING if question.about else 0):
            return "sure"
        return "unsure" if best >= weights.unsure else "nothing"

    def _speaks(self, question: Question, passage: Passage) -> bool:
        """Whether a passage holds a word of a question that follows: what was asked before alone is no reason."""
        own = set(self.words.of(question.text)) if question.about else set()
        return not own or bool(own & set(self.words.of(f"{passage.heading}\n{passage.text}")))

    def _scores(self, question: Question, today: date) -> NDArray[np.float32]:
        weights = self.weights
        scores = weights.words * self._by_words(question)
        if self.meanings is not None and self.encoder is not None:
            scores += weights.meaning * self._by_meaning(question)
        asked = wanted(question.text)
        for place, passage in enumerate(self.passages):
            if passage.service in question.without:
                scores[place] = -1.0
                continue
            scores[place] += weights.service * (passage.service == question.service)
            scores[place] -= weights.over * passage.expired(today)
            if asked and not gives(asked, passage):
                scores[place] *= weights.lacks
        return scores

    def _by_words(self, question: Question) -> NDArray[np.float32]:
        """How much of what is asked stands in each passage, 0 to 1: BM25 over the best that could be reached."""
        count = len(self.passages)
        asked: dict[str, float] = dict.fromkeys(self.words.of(question.text), 1.0)
        for word in self.words.of(question.about):
            asked.setdefault(word, self.weights.topic)
        found = np.zeros(count, dtype=np.float32)
        if not asked:
            return found
        best = 0.0
        norm = _K1 * (1 - _B + _B * self.lengths / max(1.0, float(self.lengths.mean())))
        for word, weight in asked.items():
            places = self.postings.get(word, ())
            rarity = math.log(1 + (count - len(places) + 0.5) / (len(places) + 0.5)) * weight
            best += rarity
            for place, times in places:
                found[place] += rarity * times / (times + norm[place])
        return found / best

    def _by_meaning(self, question: Question) -> NDArray[np.float32]:
        """Likeness to the heading, or to the text where that is greater."""
        assert self.encoder is not None  # noqa: S101 - for the type checker: asked for with meanings alone
        assert self.meanings is not None  # noqa: S101
        vector = self.encoder([question.text])[0]
        if question.about:
            vector = vector + self.weights.topic * self.encoder([question.about])[0]
            vector = vector / max(1e-6, float(np.linalg.norm(vector)))
        likeness = (self.meanings @ vector).reshape(2, len(self.passages))
        closest = np.maximum(likeness[0], _TEXT * likeness[1])
        meant: NDArray[np.float32] = np.clip((closest - _UNLIKE) / (1 - _UNLIKE), 0, 1)
        return meant


def build_index(
    passages: Sequence[Passage],
    words: Words,
    encoder: Encoder | None = None,
    *,
    meanings: NDArray[np.float32] | None = None,
    weights: Weights | None = None,
) -> Index:
    """Makes passages ready; `meanings` are those of an earlier time, where they were kept (of `texts_of`)."""
    postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    lengths = np.zeros(len(passages), dtype=np.float32)
    for place, passage in enumerate(passages):
        counts = Counter(words.of(passage.text))
        for word in words.of(passage.heading):
            counts[word] += _HEADING
        for word in words.of(passage.title):
            counts[word] += _TITLE
        lengths[place] = counts.total()
        for word, times in counts.items():
            postings[word].append((place, times))
    if encoder is not None and meanings is None and passages:
        meanings = encoder(texts_of(passages))
    chosen = weights or (Weights() if encoder is not None else WORDS_ALONE)
    return Index(
        passages=tuple(passages),
        words=words,
        postings=dict(postings),
        lengths=lengths,
        meanings=meanings if encoder is not None else None,
        encoder=encoder,
        weights=chosen,
    )


def texts_of(passages: Sequence[Passage]) -> tuple[str, ...]:
    """What is read of each passage for its vectors: the headings, then the beginnings of the texts."""
    return (*(each.heading for each in passages), *(each.text[:_READ] for each in passages))
