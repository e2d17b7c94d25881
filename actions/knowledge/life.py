"""The life question: answered out of passages and nothing else. All of its commands with their rights."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from actions.core.catalogue import NoRules
from actions.core.commands import Command, Context, Registration, anyone, role
from actions.core.life import Choice, Resolved
from actions.core.zones import local
from actions.knowledge import commands as c
from actions.knowledge import unanswered
from actions.knowledge.asking import AnswerDesk
from actions.knowledge.officers import OfficeDesk
from actions.knowledge.retrieval import Question
from actions.knowledge.rules import LIFE, QuestionRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from actions.core.catalogue import Declaration
    from actions.core.facts import FactSource
    from actions.core.tables import Offering
    from actions.knowledge.library import Library
    from actions.knowledge.passages import Passage
    from actions.knowledge.rules import KnowledgeRules

_OFFICERS = ("union_officer", "administrator")


class Questions:
    """Questions about the union's rules and services."""

    name = LIFE
    rules = QuestionRules
    spec = NoRules

    def __init__(
        self,
        library: Library,
        rules: KnowledgeRules,
        *,
        intents: Mapping[str, str],
        folder: Path,
        sources: Sequence[FactSource] = (),
    ) -> None:
        """`intents` are those a question may be labelled with, `folder` is where labels are written for review.

        `sources` know answers from the records.
        """
        self.library = library
        self._rules = rules
        self._answers = AnswerDesk(library=library, rules=rules, sources=tuple(sources))
        self._office = OfficeDesk(library=library)
        self._labels = unanswered.LabelDesk(intents=dict(intents), folder=folder)

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this life. Who asks is audited under a pseudonym."""
        answers, office, labels, officer = self._answers, self._office, self._labels, role(*_OFFICERS)
        return (
            Registration(command=c.Ask, handler=answers.ask, right=anyone, private=_always),
            Registration(command=c.NoteQuestion, handler=answers.note, right=anyone, private=_always),
            Registration(command=c.Load, handler=office.load, right=officer),
            Registration(command=c.Confirm, handler=office.confirm, right=self._keeper),
            Registration(command=c.Retire, handler=office.retire, right=self._keeper),
            Registration(command=c.History, handler=office.history, right=self._keeper),
            Registration(command=c.ListPassages, handler=office.list_passages, right=officer),
            Registration(command=c.ListQuestions, handler=unanswered.list_questions, right=officer),
            Registration(command=c.AnswerQuestion, handler=office.answer, right=officer),
            Registration(command=c.LabelQuestion, handler=labels.label, right=officer),
            Registration(command=c.DismissQuestion, handler=unanswered.dismiss, right=officer),
            Registration(command=c.ExportLabels, handler=labels.export, right=officer),
        )

    async def _keeper(self, command: c.Confirm | c.Retire | c.History, context: Context) -> bool:
        """Right: an officer for the service of the passage; for one that is there no more, for all services."""
        index = await self.library.index(context.session)
        service = next((each.service for each in index.passages if each.ref == command.ref), "")
        return any(context.actor.holds(name, service=service) for name in _OFFICERS)

    def sources(self, text: str, now: datetime, *, service: str = "") -> tuple[Passage, ...]:
        """The passages that a plain question would be answered with: what a language model may phrase (phrasing.py)."""
        found = self.library.latest.search(Question(text=text, service=service), local(now).date())
        return (found.hits[0].passage,) if found.verdict == "sure" else ()

    # --- as the dialogue sees it, where a question is run as a form

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Anybody may ask."""
        del context, service
        return {}

    async def resolve(
        self, context: Context, service: Declaration, values: Mapping[str, Any], changed: Iterable[str]
    ) -> Resolved:
        """A question is taken as it was said."""
        del context, service, changed
        return Resolved(values=dict(values))

    async def choices(
        self, context: Context, service: Declaration, values: Mapping[str, Any], key: str
    ) -> tuple[Choice, ...]:
        """None: a question is open."""
        del context, service, values, key
        return ()

    async def hold(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Nothing is scarce here."""
        del context, service, values
        return {}

    async def release(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
        """Nothing was held."""
        del context, service, values

    def commit(self, service: Declaration, values: Mapping[str, Any]) -> Command:
        """Ask; without a question, what can be asked is told."""
        return c.Ask(service=service.id, question=str(values.get("question", "")))

    async def offering_cancelled(self, context: Context, offering: Offering) -> int:
        """There are no offerings of questions."""
        del context, offering
        return 0

    async def sweep(self, context: Context) -> int:
        """Forgets questions whose retention is over."""
        return await unanswered.forget(context, context.now - timedelta(days=self._rules.keep_days))


def _always(_command: Command, _context: Context) -> bool:
    return True
