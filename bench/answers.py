"""Answers out of data/knowledge: right passage first, among three, and what has none refused; with and without vectors.

The questions of data/evaluation/questions.jsonl were written before the passages, from the list of topics alone;
thresholds and words were found on others (bench/questions_tuning.jsonl, out of the NLU's training data).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from actions.knowledge.passages import load_passages
from actions.knowledge.retrieval import Question, build_index
from actions.knowledge.words import load_words
from bot.lives import encode
from bot.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from actions.knowledge.retrieval import Found, Index

TODAY = date(2026, 11, 22)
KNOWLEDGE = ROOT / "data" / "knowledge"
EVALUATION = ROOT / "data" / "evaluation" / "questions.jsonl"
TUNING = Path(__file__).with_name("questions_tuning.jsonl")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question and the passages that answer it; none where nothing does."""

    text: str
    service: str
    passages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Shares, 0 to 1, of the questions that have an answer (first six), and of those that have none (last three).

    `first` and `three`: the right passage comes first, or among three, whatever is said in the end. What is said:
    `answered` rightly, `offered` among candidates, `missed` (nothing found), `wrong`. `refused` is the right thing for
    what has no answer; `tempted` offers candidates there, `invented` quotes a passage as the answer.
    """

    first: float
    three: float
    answered: float
    offered: float
    missed: float
    wrong: float
    refused: float
    tempted: float
    invented: float


def read_questions(path: Path) -> list[Asked]:
    """The questions of a file. Raises KeyError, ValueError."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [Asked(text=row["text"], service=row["service"], passages=tuple(row["passages"])) for row in rows]


def indexes() -> dict[str, Index]:
    """The passages, searched with and without vectors."""
    passages, words = load_passages(KNOWLEDGE), load_words(KNOWLEDGE / "words.yml")
    return {"words and vectors": build_index(passages, words, encode), "words alone": build_index(passages, words)}


def measure(index: Index, questions: Sequence[Asked]) -> Figures:
    """Asks every question."""
    found = [(asked, index.search(Question(text=asked.text, service=asked.service), TODAY)) for asked in questions]
    known = [each for each in found if each[0].passages]
    strange = [each for each in found if not each[0].passages]
    return Figures(
        first=_share(_right(*each, most=1) for each in known),
        three=_share(_right(*each, most=3) for each in known),
        answered=_share(said.verdict == "sure" and _right(asked, said, most=1) for asked, said in known),
        offered=_share(said.verdict == "unsure" and _right(asked, said, most=3) for asked, said in known),
        missed=_share(said.verdict == "nothing" for _, said in known),
        wrong=_share(said.verdict == "sure" and not _right(asked, said, most=1) for asked, said in known),
        refused=_share(said.verdict == "nothing" for _, said in strange),
        tempted=_share(said.verdict == "unsure" for _, said in strange),
        invented=_share(said.verdict == "sure" for _, said in strange),
    )


def _right(asked: Asked, found: Found, *, most: int) -> bool:
    return any(hit.passage.ref in asked.passages for hit in found.hits[:most])


def _share(cases: Iterable[bool]) -> float:
    found = list(cases)
    return sum(found) / len(found)


def run(say: Callable[[str], None]) -> None:
    """Prints the figures and how long a search takes."""
    every = indexes()
    for title, path in (("evaluation", EVALUATION), ("tuning", TUNING)):
        questions = read_questions(path)
        strange = sum(not asked.passages for asked in questions)
        say(f"{title}: {len(questions) - strange} questions with an answer, {strange} without one")
        columns = {name: measure(index, questions) for name, index in every.items()}
        say(f"  {'':<10}" + "".join(f"{name:>20}" for name in columns))
        for field in Figures.__slots__:
            say(f"  {field:<10}" + "".join(f"{getattr(figures, field):>20.3f}" for figures in columns.values()))
    questions = read_questions(EVALUATION)
    for name, index in every.items():
        say(f"{name:<18} {len(index.passages)} passages, {_speed(index, questions):.1f} ms a search (median)")


def _speed(index: Index, questions: Sequence[Asked]) -> float:
    took = []
    for asked in questions:
        began = perf_counter()
        index.search(Question(text=asked.text, service=asked.service), TODAY)
        took.append((perf_counter() - began) * 1000)
    return median(took)
