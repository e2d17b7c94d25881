"""A questionnaire: its questions, how they are asked in a form, and what their answers are counted as. Pure."""

from __future__ import annotations

from collections import Counter
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from actions.core.catalogue import Declared, DeclaredChoice, FormField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

QuestionKind = Literal["one", "several", "scale", "text"]
#: The ends of a scale.
LOWEST, HIGHEST = 1, 5
#: How the field of a question begins, so that it is no field of the declaration.
FIELD = "question_"


class Question(Declared):
    """One question. `title` names it where it is listed and its answers where they are kept; `text` is how it is asked.

    Of the kind one an option is picked, of several some of them; a scale goes from 1 (`low`) to 5 (`high`).
    """

    kind: QuestionKind
    title: str = Field(min_length=1, max_length=20)
    text: str = Field(min_length=1, max_length=300)
    options: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    optional: bool = False
    max_length: int = Field(500, gt=0, le=1_000)

    @model_validator(mode="after")
    def _fits(self) -> Question:
        listed = self.kind in ("one", "several")
        if listed != bool(self.options) or (listed and len(self.options) < 2):
            message = "options: at least two are given for the kinds one and several, and only there"
            raise ValueError(message)
        if len(set(self.options)) < len(self.options) or not all(self.options):
            message = "options: one is there twice, or empty"
            raise ValueError(message)
        return self

    @property
    def answers(self) -> tuple[str, ...]:
        """What can be answered; empty for an open question."""
        if self.kind == "scale":
            return tuple(str(mark) for mark in range(LOWEST, HIGHEST + 1))
        return self.options


class QuestionnaireTexts(Declared):
    """What is said along with a question, in data: `scale` knows {low} and {high}; `hidden` warns of free text."""

    several: str
    scale: str
    optional: str
    hidden: str
    why: str


class QuestionnaireRules(Declared):
    """How a service asks the questions of its offerings.

    `way_field` is the choice of the form by which a member answers without their name, with the value `hidden`; it is
    asked where the offering leaves that choice. Counts under `least` are shown to nobody, and open texts only where
    there are so many of them.
    """

    way_field: str
    hidden: str
    least: int = Field(5, ge=5)
    texts: QuestionnaireTexts


def faults(questions: Sequence[Question]) -> str:
    """What is wrong with the questions of an offering, or ""."""
    titles = [question.title for question in questions]
    return "questions: a title is there twice" if len(set(titles)) < len(titles) else ""


def fields(questions: Sequence[Question], texts: QuestionnaireTexts, *, hidden: bool) -> tuple[FormField, ...]:
    """The questions as fields of a form, numbered; the answers of who stays `hidden` are repeated nowhere."""
    return tuple(
        _field(question, texts, key=key, place=f"{number}/{len(questions)}", hidden=hidden)
        for number, (key, question) in enumerate(keyed(questions), 1)
    )


_TYPES: Mapping[QuestionKind, Literal["choice", "choices", "text"]] = {
    "one": "choice",
    "several": "choices",
    "scale": "choice",
    "text": "text",
}


def keyed(questions: Sequence[Question]) -> list[tuple[str, Question]]:
    """The questions with the keys of their fields, which tell the place of each: question_b is the second."""
    return [(f"{FIELD}{_letters(place)}", question) for place, question in enumerate(questions)]


def _letters(place: int) -> str:
    more, last = divmod(place, len(ascii_lowercase))
    return (_letters(more - 1) if more else "") + ascii_lowercase[last]


def _field(question: Question, texts: QuestionnaireTexts, *, key: str, place: str, hidden: bool) -> FormField:
    hints = [
        texts.several if question.kind == "several" else "",
        texts.scale.format(low=question.low, high=question.high) if question.kind == "scale" and question.low else "",
        texts.hidden if question.kind == "text" and hidden else "",
        texts.optional if question.optional else "",
    ]
    return FormField(
        key=key,
        type=_TYPES[question.kind],
        label=question.title,
        prompt=f"{place} {question.text}",
        hint=" ".join(filter(None, hints)),
        why=texts.why,
        choices=tuple(DeclaredChoice(value=answer) for answer in question.answers),
        optional=question.optional,
        confidential=True,
        verbatim=True,
        only_asked=True,
        unsaid=hidden,
        max_length=question.max_length,
    )


def fault(questions: Sequence[Question], answers: Mapping[str, Any]) -> str:
    """The title of the first question whose answer is missing or not one of its own, or of one not asked; or ""."""
    known = {question.title for question in questions}
    strange = next((title for title in answers if title not in known), "")
    return strange or next((one.title for one in questions if not _answered(one, answers.get(one.title))), "")


def _answered(question: Question, answer: Any) -> bool:
    if answer is None:
        return question.optional
    if question.kind == "text":
        return isinstance(answer, str) and 0 < len(answer.strip()) <= question.max_length
    if question.kind == "several":
        picked = list(answer) if isinstance(answer, list | tuple) else []
        return bool(picked) and len(set(picked)) == len(picked) and set(picked) <= set(question.answers)
    return answer in question.answers


def counted(question: Question, answers: Iterable[Mapping[str, Any]], *, passed: str) -> dict[str, int]:
    """How many gave each answer of a question that is answered with one; `passed` counts who left it out, if allowed.

    Every questionnaire is in exactly one of them.
    """
    given = Counter(str(answer.get(question.title) or passed) for answer in answers)
    known = (*question.answers, *((passed,) if question.optional else ()))
    return {answer: given[answer] for answer in known}


def picked(question: Question, option: str, answers: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """How many picked an option of a question that is answered with several, and how many did not."""
    every = [option in (answer.get(question.title) or ()) for answer in answers]
    return sum(every), len(every) - sum(every)
