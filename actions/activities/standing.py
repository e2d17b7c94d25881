"""A contest as it stands: which round it is, who is on, and how each did."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from actions.activities import store
from actions.activities.contest_tables import ClosedRound, Mark
from actions.activities.rules import rules_of, spec_of
from actions.activities.tables import Entry
from actions.blocks.rounds import Cut, cut, places
from actions.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.blocks.rounds import Round, RoundRules
    from actions.core.commands import Context
    from actions.core.tables import Offering

_BETWEEN = re.compile(r"[,，、;；\n]+")
_MARKED = re.compile(r"(\S.*?)\s*[:：]?\s*(-?\d+(?:\.\d+)?|不通过|没通过|未通过|通过)\s*分?")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`number` counts from 0, and is `len(rounds)` when all are over; `on` are the entries of that round."""

    offering: Offering
    rules: RoundRules
    rounds: Sequence[Round]
    number: int
    on: Sequence[Entry]
    marks: Mapping[int, Mark]

    @property
    def round(self) -> Round:
        """The round that is on. Raises DomainError("rounds_over")."""
        if self.number >= len(self.rounds):
            raise DomainError("rounds_over", title=self.offering.title)
        return self.rounds[self.number]

    @property
    def last(self) -> bool:
        """Whether no round follows."""
        return self.number == len(self.rounds) - 1

    @property
    def scores(self) -> dict[int, float]:
        """Scores by entry."""
        return {ref: mark.score for ref, mark in self.marks.items() if mark.score is not None}

    @property
    def unmarked(self) -> list[Entry]:
        """Who is on and has no mark of this round yet."""
        wants = "score" if self.round.by == "score" else "passed"
        marks = self.marks
        return [entry for entry in self.on if entry.id not in marks or getattr(marks[entry.id], wants) is None]

    def cut(self) -> Cut:
        """Who goes through."""
        if self.round.by == "pass":
            return Cut(certain=frozenset(ref for ref, mark in self.marks.items() if mark.passed))
        return cut(self.scores, self.round.through)

    def entry(self, who: str) -> Entry:
        """Somebody who is on, by name or 工号. Raises DomainError: not_in_round, several_called."""
        wanted = who.strip().removesuffix("老师")
        found = [
            entry
            for entry in self.on
            if wanted in {key for person in entry.people for key in (person.member.name, person.member.staff_id)}
        ]
        if len(found) > 1:
            raise DomainError("several_called", name=wanted)
        if not found:
            raise DomainError("not_in_round", name=wanted, round=self.round.title, title=self.offering.title)
        return found[0]

    def read(self, words: str) -> dict[int, float | bool]:
        """Marks as they are said: 林一帆 92.5，王敏 88; 林一帆 通过，王敏 不通过. Raises DomainError("bad_mark")."""
        found: dict[int, float | bool] = {}
        for piece in filter(None, map(str.strip, _BETWEEN.split(words))):
            match = _MARKED.fullmatch(piece)
            if match is None:
                raise self.bad(piece)
            by_number = match[2][-1].isdigit()
            found[self.entry(match[1]).id] = float(match[2]) if by_number else match[2] == "通过"
        return found

    def bad(self, said: object) -> DomainError:
        """That something is no mark of this round."""
        return DomainError(
            "bad_mark",
            said=str(said),
            by=self.round.by,
            round=self.round.title,
            lowest=self.rules.lowest,
            highest=self.rules.highest,
        )


def rounds_of(context: Context, offering: Offering) -> RoundRules | None:
    """The rounds of an offering; None where its service has none."""
    service = context.catalogue[offering.service]
    rules = rules_of(service).rounds if service.life == "activity" else None
    own = spec_of(offering).rounds if rules is not None else ()
    return rules.model_copy(update={"rounds": own}) if rules is not None and own else rules


async def standing(context: Context, offering: Offering) -> Standing:
    """How it stands. Raises DomainError("not_found") where there are no rounds."""
    rules = rounds_of(context, offering)
    if rules is None:
        raise DomainError("not_found")
    number = await closed(context, offering.id)
    marks = await marks_of(context, offering.id, number)
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state == "registered", Entry.kind != "wish")
    if number:
        ahead = Mark.offering_id == offering.id, Mark.round == number - 1, Mark.through.is_(True)
        query = query.where(Entry.id.in_(select(Mark.entry_id).where(*ahead)))
    on = list(await store.rows(context, query.order_by(Entry.id)))
    known = {entry.id for entry in on}
    return Standing(
        offering=offering,
        rules=rules,
        rounds=rules.rounds,
        number=number,
        on=on,
        marks={ref: mark for ref, mark in marks.items() if ref in known},
    )


async def closed(context: Context, offering_id: int) -> int:
    """How many rounds are over."""
    query = select(func.count()).select_from(ClosedRound).where(ClosedRound.offering_id == offering_id)
    return (await context.session.execute(query)).scalar_one()


async def marks_of(context: Context, offering_id: int, number: int) -> dict[int, Mark]:
    """The marks of a round by entry, those of who has withdrawn as well."""
    query = select(Mark).where(Mark.offering_id == offering_id, Mark.round == number)
    return {mark.entry_id: mark for mark in (await context.session.execute(query)).scalars()}


def row(entry: Entry, mark: Mark | None) -> dict[str, Any]:
    """An entry as it is told."""
    return {
        "name": "、".join(person.member.name for person in entry.people if person.role != "leader"),
        "unit": entry.unit.name if entry.unit else "",
        "topic": [str(value) for key, value in entry.fields.items() if key != "result" and isinstance(value, str)],
        "score": mark.score if mark else None,
        "passed": mark.passed if mark else None,
        "place": mark.place if mark else None,
        "through": mark.through if mark else None,
    }


async def next_in_line(context: Context, offering: Offering, number: int) -> Entry | None:
    """Who came next in a closed round and is still there; nobody where two share that place, or it went by passing."""
    ranked = [
        (mark.place, ref)
        for ref, mark in (await marks_of(context, offering.id, number)).items()
        if mark.place is not None and not mark.through
    ]
    entries = {ref: await context.session.get_one(Entry, ref) for _place, ref in ranked}
    there = sorted((place, ref) for place, ref in ranked if entries[ref].state == "registered")
    if not there or (len(there) > 1 and there[0][0] == there[1][0]):
        return None
    return entries[there[0][1]]


def ranked_rows(found: Standing) -> list[dict[str, Any]]:
    """Everybody who is on, the best first."""
    ranked = places(found.scores)
    rows = [{**row(entry, found.marks.get(entry.id)), "place": ranked.get(entry.id)} for entry in found.on]
    return sorted(rows, key=by_place)


def by_place(told: Mapping[str, Any]) -> tuple[bool, int, bool]:
    """In which order rows are told: by place, who has none at the end."""
    return told["place"] is None, told["place"] or 0, not told["through"]
