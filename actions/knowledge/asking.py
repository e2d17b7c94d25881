"""Answering a question: the passage with its source and date, candidates to choose from, or plainly nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from actions.core.commands import Outcome
from actions.core.facts import Asked
from actions.core.zones import local
from actions.knowledge import unanswered
from actions.knowledge.commands import LONGEST_QUESTION
from actions.knowledge.retrieval import Question
from actions.knowledge.rules import QuestionRules, services_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from actions.core.commands import Context
    from actions.core.facts import FactSource
    from actions.knowledge.commands import Ask, NoteQuestion
    from actions.knowledge.library import Library
    from actions.knowledge.passages import Passage
    from actions.knowledge.retrieval import Found, Index
    from actions.knowledge.rules import KnowledgeRules


#: What is picked where no candidate will do, and how people say it.
NONE, NONE_OF_THESE = "none", "都不是"


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerDesk:
    """Answers members' questions. `sources` know answers from the records; they are asked before the passages."""

    library: Library
    rules: KnowledgeRules
    sources: tuple[FactSource, ...] = ()

    async def ask(self, command: Ask, context: Context) -> Outcome:
        """Answers out of the passages. `data`: `verdict`, `refs` of what was found, and `about` for what follows.

        In a group nothing of a private service is said.
        """
        if command.pick == NONE:
            return await self._nothing(command.model_copy(update={"question": command.about}), context)
        index = await self.library.index(context.session)
        picked = next((each for each in index.passages if each.ref == command.pick), None)
        if picked is not None and picked.service not in _unspoken(context):
            return _answer(picked, command, context)
        if not command.question.strip():
            return _ask_away(command, context)
        return await self._from_records(command, context) or await self._from_passages(command, context, index)

    async def _from_passages(self, command: Ask, context: Context, index: Index) -> Outcome:
        question = Question(
            text=command.question,
            service=command.service,
            about=command.about,
            without=_unspoken(context),
            strict=command.strict,
        )
        found = index.search(question, local(context.now).date())
        if found.verdict == "sure":
            return _answer(found.hits[0].passage, command, context)
        if found.verdict == "unsure":
            return _candidates(found, command)
        return await self._nothing(command, context)

    async def _from_records(self, command: Ask, context: Context) -> Outcome | None:
        """What the records tell (a schedule, a table); nothing where it is not plain that this is the question."""
        if command.strict or command.service not in context.catalogue:
            return None
        intents = context.catalogue[command.service].triggers.intents
        for source in self.sources:
            if set(source.intents) & set(intents):
                told = await source.answer(context, Asked(text=command.question, names={}))
                if told is not None:
                    about = command.about or command.question
                    data = {**_data("nothing", command, ()), "verdict": "sure", "about": about[:200]}
                    return replace(told, data={**told.data, **data})
        return None

    async def note(self, command: NoteQuestion, context: Context) -> Outcome:
        """Keeps what nobody could place, where the settings want it kept."""
        if self.rules.keep_unplaced:
            await unanswered.note(command, context, self.library.encoder)
        return Outcome(wording="knowledge.not_found", params={"kept": self.rules.keep_unplaced})

    async def _nothing(self, command: Ask, context: Context) -> Outcome:
        """Says so; the question goes to the officers' list where it may be kept."""
        kept = command.keep and not command.strict and (command.alone or not command.about)
        if kept:
            # 那退休的呢 tells an officer nothing without what came before.
            whole = f"{command.about}；{command.question}" if command.about and not command.pick else command.question
            asked = command.model_copy(update={"question": whole[:LONGEST_QUESTION]})
            await unanswered.note(asked, context, self.library.encoder)
        data = _data("nothing", command, ())
        return Outcome(wording="knowledge.not_found", params={"kept": kept}, data=data)


def _answer(passage: Passage, command: Ask, context: Context) -> Outcome:
    params = told(passage, local(context.now).date())
    data = _data("sure", command, [passage])
    return Outcome(wording="knowledge.answer", params=params, subject=subject_of(passage.ref), data=data)


def told(passage: Passage, today: date) -> dict[str, Any]:
    """What the sentence that quotes a passage says of it."""
    return {
        "text": passage.text,
        "heading": passage.heading,
        "source": passage.source,
        "issuer": passage.issuer,
        "url": passage.url,
        "effective": spoken_date(passage.effective),
        "expired": spoken_date(passage.expires) if passage.expired(today) else "",
        "example": passage.status == "示例",
    }


def spoken_date(day: date | None) -> str:
    """2025年3月24日; empty where there is none."""
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def _candidates(found: Found, command: Ask) -> Outcome:
    passages = [hit.passage for hit in found.hits]
    headings = [each.heading for each in passages]
    if not command.alone:
        data = _data("later", command, passages)
        return Outcome(wording="knowledge.candidates_later", params={"headings": headings}, data=data)
    return Outcome(
        wording="knowledge.candidates",
        params={"headings": headings},
        data=_data("unsure", command, passages),
        options=[{"label": label, "value": label} for label in (*headings, NONE_OF_THESE)],
    )


def _data(verdict: str, command: Ask, passages: Sequence[Passage]) -> Mapping[str, Any]:
    """`about` is what a question that follows is understood by."""
    about = command.about or command.question
    if verdict == "sure":
        about = passages[0].heading if command.about else f"{passages[0].heading} {command.question}"
    offered = [[each.ref, each.heading] for each in passages] if verdict == "unsure" else []
    offered += [[NONE, NONE_OF_THESE]] if offered else []
    service = passages[0].service if passages else command.service
    refs = [each.ref for each in passages]
    return {"verdict": verdict, "about": about[:200], "offered": offered, "service": service, "refs": refs}


def _ask_away(command: Ask, context: Context) -> Outcome:
    rules = context.catalogue[command.service].rules if command.service in context.catalogue else QuestionRules()
    examples = list(rules.examples) if isinstance(rules, QuestionRules) else []
    return Outcome(wording="knowledge.ask_away", params={"examples": examples}, data=_data("nothing", command, ()))


def _unspoken(context: Context) -> frozenset[str]:
    """Services whose passages are not for a group."""
    if context.actor.private:
        return frozenset()
    services = services_of(context.catalogue)
    return frozenset(service for service in services if context.catalogue[service].private)


def subject_of(ref: str) -> str:
    """What the audit files a passage under."""
    return f"passage:{ref}"[:60]
