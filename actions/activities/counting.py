"""The results of a survey: counted once, after the end, with small counts hidden; from then on they never change.

Two counts of the same survey, one answer apart, would tell that answer: so there is one.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sqlalchemy import func, select

from actions.activities import store
from actions.activities.asked import asked
from actions.activities.rules import rules_of, spec_of
from actions.activities.survey_tables import Urn
from actions.activities.tables import Entry
from actions.blocks.documents import Column, Paper, Part, Table
from actions.blocks.documents_excel import workbook
from actions.blocks.materials_made import Draft
from actions.blocks.materials_types import XLSX
from actions.blocks.questionnaire import counted, picked
from actions.blocks.small_counts import by_unit, shown
from actions.core.commands import Command, Context, Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice
from actions.core.offerings import lock_offering
from actions.core.tables import Member, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.competition import Say
    from actions.blocks.documents import Cell
    from actions.blocks.materials_made import Shelf
    from actions.blocks.questionnaire import Question, QuestionnaireRules
    from actions.core.tables import Offering

T = TypeVar("T")

#: The workbook can be made anew, and need not lie about.
_KEPT = timedelta(days=7)
#: Open texts in one message of a chat; the workbook has all.
_TOLD = 20
#: How who left a question out is called in what is kept; it is worded where it is told.
PASSED = ""


class ShowResults(Command):
    """The results of a survey, for who answers for it. The first look counts, and nothing can be answered after it."""

    name: ClassVar[str] = "surveys.results"
    offering_id: int


class Count:
    """Counts, tells, and hands the same out as a workbook."""

    def __init__(self, say: Say | None, shelf: Shelf | None) -> None:
        self._say = say
        self._shelf = shelf

    async def show(self, command: ShowResults, context: Context) -> Outcome:
        """Raises DomainError: not_found, results_not_yet, file_no_account; ForbiddenError."""
        offering = await lock_offering(context, command.offering_id)
        if offering is None or offering.service not in context.catalogue:
            raise DomainError("not_found")
        service = context.catalogue[offering.service]
        if service.life != "activity" or rules_of(service).questionnaire is None:
            raise DomainError("not_found")
        if not store.answers_for(context, offering):
            raise ForbiddenError
        results = await _results(context, offering)
        params = {"title": offering.title, **results, "texts": _fewer(results["texts"])}
        if results["answers"] is not None:
            await self._hand_over(context, offering, results)
        return Outcome(
            wording="survey.results", params=params, subject=f"offering:{offering.id}", data={"results": results}
        )

    async def _hand_over(self, context: Context, offering: Offering, results: Mapping[str, Any]) -> None:
        """Lays the workbook out for who asks, where they can fetch it."""
        if self._shelf is None or self._say is None or context.actor.member is None:
            return
        notice = Notice(
            member_id=context.actor.member_id,
            wording="survey.workbook",
            params={"title": offering.title, "days": _KEPT.days},
            subject=f"papers:{offering.id}",
            expires=context.now + _KEPT,
        )
        name, paper = (
            self._say("survey.paper.title", {"title": offering.title}),
            _paper(self._say, offering.title, results),
        )
        await self._shelf.make(context, [Draft(name=name, kind=XLSX, build=partial(workbook, [paper]))], notice)


async def _results(context: Context, offering: Offering) -> dict[str, Any]:
    """What is shown, as it was counted. Raises DomainError("results_not_yet") before the end."""
    await store.alone(context)
    urn = await context.session.get(Urn, offering.id, populate_existing=True)
    if urn is not None and urn.counted_at is not None:
        return dict(context.vault.open(urn.results, about="activity"))
    closes_at = spec_of(offering).closes_at
    if offering.state == "open" and (closes_at is None or context.now < closes_at):
        raise DomainError("results_not_yet", title=offering.title, closes_at=closes_at)
    if urn is None:
        urn = Urn(offering_id=offering.id)
        context.session.add(urn)
    results = await _count(context, offering, urn)
    urn.results = context.vault.seal(results, about="activity")
    urn.answers, urn.counted_at = "", context.now
    await context.session.flush()
    return results


async def _count(context: Context, offering: Offering, urn: Urn) -> dict[str, Any]:
    rules = rules_of(context.catalogue[offering.service]).questionnaire
    if rules is None:
        raise DomainError("not_found")
    lying: list[dict[str, Any]] = context.vault.open(urn.answers, about="activity") if urn.answers else []
    every = [*lying, *await _named(context, offering, rules)]
    return tables(spec_of(offering).questions, every, rules)


async def _named(context: Context, offering: Offering, rules: QuestionnaireRules) -> list[dict[str, Any]]:
    """What was answered by name, without the names; a unit where few are asked counts with the others here too."""
    service, spec = context.catalogue[offering.service], spec_of(offering)
    sizes = (
        select(Unit.name)
        .join(Member, Member.unit_id == Unit.id)
        .where(Member.id.in_(asked(context, service, spec)))
        .group_by(Unit.name)
        .having(func.count() >= rules.least)
    )
    large = set((await context.session.execute(sizes)).scalars())
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state == "registered", Entry.confidential != "")
    rows = await store.rows(context, query)
    units = [row.unit.name if row.unit is not None and row.unit.name in large else "" for row in rows]
    answers = [context.vault.open(row.confidential, about="activity") for row in rows]
    return [{"unit": unit, "answers": answer} for unit, answer in zip(units, answers, strict=True)]


def tables(
    questions: Sequence[Question], every: Sequence[Mapping[str, Any]], rules: QuestionnaireRules
) -> dict[str, Any]:
    """What is shown of all answers ({"unit", "answers"} each): nothing at all of fewer than the least. Pure but for
    the order of the texts, which is drawn.
    """
    if len(every) < rules.least:
        return {"answers": None, "least": rules.least, "questions": [], "texts": []}
    counted_ones = [_question(one, every, rules.least) for one in questions if one.kind != "text"]
    texts = [_texts(one, every, rules.least) for one in questions if one.kind == "text"]
    return {"answers": len(every), "least": rules.least, "questions": counted_ones, "texts": texts}


def _question(question: Question, every: Sequence[Mapping[str, Any]], least: int) -> dict[str, Any]:
    if question.kind == "several":
        return _several(question, every, least)
    all_answers = [each["answers"] for each in every]
    counts = counted(question, all_answers, passed=PASSED)
    units = {
        unit: tuple(counted(question, answers, passed=PASSED).values()) for unit, answers in _by_unit(every).items()
    }
    row = shown(tuple(counts.values()), least)
    return {
        "title": question.title,
        "kind": question.kind,
        "rows": [list(pair) for pair in zip(counts, row.counts, strict=True)],
        "hidden": row.total - sum(count or 0 for count in row.counts),
        "mean": _mean(counts) if question.kind == "scale" and row.whole else None,
        "units": [{"units": list(group.units), "counts": list(group.counts)} for group in by_unit(units, least)],
    }


def _several(question: Question, every: Sequence[Mapping[str, Any]], least: int) -> dict[str, Any]:
    """Each option is a question of its own: so many picked it, so many did not."""
    rows = [
        [option, shown(picked(question, option, [each["answers"] for each in every]), least).counts[0]]
        for option in question.answers
    ]
    return {"title": question.title, "kind": "several", "rows": rows, "hidden": 0, "mean": None, "units": []}


def _mean(counts: Mapping[str, int]) -> float | None:
    """The mean mark, of those who gave one; told only where every count is."""
    marks = {int(mark): count for mark, count in counts.items() if mark != PASSED}
    given = sum(marks.values())
    return round(sum(mark * count for mark, count in marks.items()) / given, 2) if given else None


def _by_unit(every: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in every:
        found.setdefault(each["unit"], []).append(each["answers"])
    return found


def _texts(question: Question, every: Sequence[Mapping[str, Any]], least: int) -> dict[str, Any]:
    """Open texts in an order of their own, so that those of one person do not stand together; few are not shown."""
    written = [str(each["answers"][question.title]) for each in every if each["answers"].get(question.title)]
    return {"title": question.title, "texts": shuffled(written) if len(written) >= least else []}


def shuffled(values: Sequence[T]) -> list[T]:
    """In an order that cannot be guessed."""
    drawn = list(values)
    secrets.SystemRandom().shuffle(drawn)
    return drawn


def _fewer(texts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "texts": one["texts"][:_TOLD], "more": len(one["texts"][_TOLD:])} for one in texts]


def _paper(say: Say, title: str, results: Mapping[str, Any]) -> Paper:
    """The same as a workbook: a sheet for each question, one for each table of units."""
    hidden = say("survey.paper.hidden", {})
    parts: list[Part] = []
    for one in results["questions"]:
        rows = tuple((label or say("survey.paper.passed", {}), _cell(count, hidden)) for label, count in one["rows"])
        columns = (Column(title=say("survey.paper.answer", {}), width=16), Column(title=say("survey.paper.count", {})))
        parts.append(Part(heading=one["title"], table=Table(columns=columns, rows=rows)))
        if one["units"]:
            parts.append(_unit_part(say, one))
    for one in results["texts"]:
        written = one["texts"] or [say("survey.paper.few", {"least": results["least"]})]
        sheet = Table(
            columns=(Column(title=say("survey.paper.text", {}), width=40),), rows=tuple((t,) for t in written)
        )
        parts.append(Part(heading=one["title"], table=sheet))
    note = say("survey.paper.note", {"least": results["least"], "answers": results["answers"]})
    return Paper(title=say("survey.paper.title", {"title": title}), subtitle=note, parts=tuple(parts))


def _unit_part(say: Say, one: Mapping[str, Any]) -> Part:
    labels = [label or say("survey.paper.passed", {}) for label, _count in one["rows"]]
    columns = (
        Column(title=say("survey.paper.unit", {}), width=16),
        *(Column(title=label, width=6) for label in labels),
    )
    rows = tuple((say("survey.paper.units", {"units": group["units"]}), *group["counts"]) for group in one["units"])
    return Part(heading=say("survey.paper.by_unit", {"title": one["title"]}), table=Table(columns=columns, rows=rows))


def _cell(count: int | None, hidden: str) -> Cell:
    return hidden if count is None else count
