"""The commands of this life: a member's questions; an officer's passages; the questions without an answer."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from actions.core.commands import Command
from actions.knowledge.passages import LONGEST

#: Code points of a question, of an answer, of a file in base64.
LONGEST_QUESTION, LONGEST_ANSWER, LARGEST_FILE = 2_000, 1_000, 14_000_000


class Ask(Command):
    """A question, or the choice (`pick`, a passage's ref or none) out of the candidates of the last one.

    `service` is whom the question was taken for. `about` is the question before, where this one follows it up.
    `strict`: nobody said that this is a question about the union, so it is answered only where that is plain.
    `keep`: without an answer it goes to the officers' list, with the `intent` that it was taken for. `names` are
    persons in it, to be masked. Not `alone`: something else waits for an answer, so that nothing can be chosen from.
    """

    name: ClassVar[str] = "knowledge.ask"
    question: str = Field("", max_length=LONGEST_QUESTION)
    service: str = ""
    about: str = Field("", max_length=LONGEST_QUESTION)
    pick: str = ""
    strict: bool = False
    keep: bool = True
    alone: bool = True
    names: tuple[str, ...] = ()
    intent: str = Field("", max_length=40)


class NoteQuestion(Command):
    """Keeps a question that nobody could place; `names` are persons in it."""

    name: ClassVar[str] = "unanswered.note"
    question: str = Field(min_length=1, max_length=LONGEST_QUESTION)
    names: tuple[str, ...] = ()


class Load(Command):
    """Passages out of a file: Word (.docx), PDF, Markdown or plain text, as base64 (`content`) or as `text`.

    Headings of the file become passages; `heading` is that of a file without any. The same `document` again replaces
    the passages that it has changed, and adds new ones; those it no longer has are retired.
    """

    name: ClassVar[str] = "knowledge.load"
    document: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")
    service: str
    title: str = Field(min_length=1, max_length=120)
    source: str = Field(min_length=1, max_length=200)
    issuer: str = Field("", max_length=80)
    url: str = Field("", max_length=300)
    effective: date | None = None
    expires: date | None = None
    owner: str = Field("校工会", min_length=1, max_length=60)
    status: Literal["confirmed", "示例"] = "示例"
    verbatim: bool = False
    file_name: str = Field("", max_length=160)
    content: str = Field("", max_length=LARGEST_FILE)
    text: str = Field("", max_length=200_000)
    heading: str = Field("", max_length=60)


class Confirm(Command):
    """A passage is right as it stands, or with what is given here instead; from now on it is no 示例 any more."""

    name: ClassVar[str] = "knowledge.confirm"
    ref: str
    text: str | None = Field(None, min_length=1, max_length=LONGEST)
    source: str | None = Field(None, min_length=1, max_length=200)
    issuer: str | None = Field(None, max_length=80)
    effective: date | None = None
    expires: date | None = None


class Retire(Command):
    """A passage is not quoted any more."""

    name: ClassVar[str] = "knowledge.retire"
    ref: str


class History(Command):
    """What became of a passage, the newest first."""

    name: ClassVar[str] = "knowledge.history"
    ref: str


class ListPassages(Command):
    """The passages that are quoted; `status` and `service` narrow them down."""

    name: ClassVar[str] = "knowledge.list"
    service: str = ""
    status: Literal["", "confirmed", "示例", "expired"] = ""


class ListQuestions(Command):
    """Open questions, those alike together, the greatest group first."""

    name: ClassVar[str] = "unanswered.list"


class AnswerQuestion(Command):
    """An answer (`reason`) to a question and those like it: whoever asked is told.

    `as_passage` keeps it for everybody, under `heading` (the question itself where that is empty) in `service`.
    """

    name: ClassVar[str] = "unanswered.answer"
    question_id: int
    reason: str = Field("", max_length=LONGEST_ANSWER)
    as_passage: bool = False
    service: str = ""
    heading: str = Field("", max_length=60)


class LabelQuestion(Command):
    """What a question and those like it should have been taken for (`reason` is an intent): material for training."""

    name: ClassVar[str] = "unanswered.label"
    question_id: int
    reason: str = Field("", max_length=40)


class DismissQuestion(Command):
    """A question and those like it need no answer."""

    name: ClassVar[str] = "unanswered.dismiss"
    question_id: int


class ExportLabels(Command):
    """Writes what was labelled into var/, for people to look through before it joins the training data."""

    name: ClassVar[str] = "unanswered.export"
