"""Questions about sport that the records answer: when, against whom, how it ended, how places are decided."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.activities.competition import Words, read
from actions.activities.draw_tables import DrawRecord
from actions.activities.notices import offering_facts
from actions.activities.rules import spec_of
from actions.activities.tables import Entry
from actions.core.commands import Outcome
from actions.core.tables import Offering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.competition import Competition, Say
    from actions.core.commands import Context
    from actions.core.facts import Asked
    from actions.fixtures.sports import Sport

_RESULTS = re.compile(r"比分|成绩|结果|排名|名次表|积分|第几|几名|谁赢|赢了|输了|冠军|亚军|几比几|战绩|晋级")
_RULES = re.compile(r"规则|规程|怎么算|怎么排|相同|一样|并列|弃权|退出|退赛|平局|名次怎|积分怎么[算排计]|怎么积分")
_SCHEDULE = re.compile(
    r"什么时候|几点|哪天|时间|赛程|日程|安排|下一场|下场|对谁|跟谁|和谁|对手|在哪|哪儿|何时|今天|明天|后天|几号"
)
#: An answer in a chat holds so many games.
_LONGEST = 10
#: What opens the services whose offerings are sport.
_INTENT = "register_sports"


class SportsFacts:
    """A `core.facts.FactSource`. `sports` are the rules of each sport, `say` renders a sentence of data/responses."""

    intents = ("ask_sports",)

    def __init__(self, sports: Mapping[str, Sport], say: Say) -> None:
        self._sports = sports
        self._say = say

    async def answer(self, context: Context, asked: Asked) -> Outcome | None:
        """The answer about the event that is named; of one without a draw, its time and place."""
        kind = _kind(asked.text)
        if kind is None:
            return None
        offerings = await self._offerings(context)
        records = await _records(context, [offering.id for offering in offerings])
        named = _named(asked, offerings)
        if not named and records and kind != "rules":
            named = [record.offering for record in records.values()]
        if len(named) != 1:
            return self._which(named, kind) if named else None
        record = records.get(named[0].id)
        competition = read(record, self._sports) if record is not None else None
        if competition is not None and competition.draw.games:
            return self._of_draw(competition, kind, asked)
        if kind == "results":
            return await _ranking(context, named[0])
        return _of_spec(context, named[0]) if kind == "schedule" else None

    async def _offerings(self, context: Context) -> list[Offering]:
        services = [
            service.id
            for service in context.catalogue.opened_by(_INTENT)
            if service.life == "activity" and not service.private
        ]
        query = select(Offering).where(Offering.service.in_(services), Offering.state.in_(("open", "closed")))
        return list((await context.session.execute(query.order_by(Offering.id))).scalars())

    def _which(self, offerings: Sequence[Offering], kind: str) -> Outcome:
        """Asks which event is meant; a click asks the question of that one alone."""
        titles = [offering.title for offering in offerings[:_LONGEST]]
        asking = f"sports.ask.{kind}"
        options = [{"label": title, "value": self._say(asking, {"title": title})} for title in titles]
        return Outcome(wording="sports.which", options=options)

    def _of_draw(self, competition: Competition, kind: str, asked: Asked) -> Outcome:
        words = Words(self._say, competition)
        if kind == "rules":
            params = {
                "title": competition.offering.title,
                "rules": words.rules(),
                "source": competition.sport.source,
            }
            return Outcome(wording="sports.rules", params=params)
        team = _team(asked, competition)
        games = [game.id for game in competition.draw.games if not team or team in competition.plays(game.id)]
        facts: dict[str, Any] = {"title": competition.offering.title, "team": competition.names.get(team, "")}
        if kind == "schedule":
            return Outcome(wording="sports.schedule", params={**facts, **_coming(competition, words, games)})
        played = [words.facts(ref) for ref in games if competition.outcomes[ref].state in _OVER]
        tables = [] if team else [self._table(words, competition, group.name) for group in competition.draw.groups]
        final = competition.outcomes[competition.draw.games[-1].id]
        champion = competition.names.get(final.winner or "", "") if not final.game.group else ""
        facts |= {"rows": played[-_LONGEST:], "tables": tables, "champion": champion}
        return Outcome(wording="sports.results", params=facts)

    def _table(self, words: Words, competition: Competition, group: str) -> dict[str, Any]:
        one = len(competition.draw.groups) == 1
        draws = competition.sport.points.draw is not None
        return {"group": "" if one else group, "rows": words.rows(group), "draws": draws}


def _coming(competition: Competition, words: Words, games: Sequence[str]) -> dict[str, Any]:
    coming = [words.facts(ref) for ref in games if not competition.outcomes[ref].settled]
    coming.sort(key=lambda facts: (facts["start"] is None, facts["start"] or "", facts["number"]))
    return {"rows": coming[:_LONGEST], "more": len(coming[_LONGEST:])}


_OVER = ("played", "forfeited")


def _kind(text: str) -> str | None:
    """What a question is about: rules, results, schedule; None for none of them."""
    for kind, pattern in (("rules", _RULES), ("results", _RESULTS), ("schedule", _SCHEDULE)):
        if pattern.search(text):
            return kind
    return None


async def _records(context: Context, offerings: Sequence[int]) -> dict[int, DrawRecord]:
    query = select(DrawRecord).where(DrawRecord.offering_id.in_(offerings)).order_by(DrawRecord.offering_id)
    return {record.offering_id: record for record in (await context.session.execute(query)).unique().scalars()}


def _named(asked: Asked, offerings: Sequence[Offering]) -> list[Offering]:
    """The events that a question names; the longest name wins where one lies within another."""
    said = [asked.text, *(name for names in asked.names.values() for name in names)]
    found = {}
    for offering in offerings:
        names = [name for name in (offering.title, *spec_of(offering).also) if any(name in text for text in said)]
        if names:
            found[offering.id] = max(len(name) for name in names)
    longest = max(found.values(), default=0)
    return [offering for offering in offerings if found.get(offering.id) == longest]


def _team(asked: Asked, competition: Competition) -> str:
    """The entrant that a question names, "" for none."""
    said = [asked.text, *(name for names in asked.names.values() for name in names)]
    fitting = [one for one in competition.draw.entrants if any(one.name in text for text in said)]
    fitting += [one for one in competition.draw.entrants if one.unit and any(one.unit in text for text in said)]
    return fitting[0].id if fitting else ""


async def _ranking(context: Context, offering: Offering) -> Outcome | None:
    """What was noted of entries, of an event without games; None where nothing was."""
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state == "registered").order_by(Entry.id)
    entries = (await context.session.execute(query)).unique().scalars()
    rows = [
        {
            "name": entry.unit.name if entry.kind in ("team", "relay") and entry.unit else entry.member.name,
            "result": told,
        }
        for entry in entries
        if (told := str(entry.fields.get("result") or ""))
    ]
    return Outcome(wording="sports.ranking", params={"title": offering.title, "rows": rows}) if rows else None


def _of_spec(context: Context, offering: Offering) -> Outcome | None:
    facts = offering_facts(context, offering)
    return Outcome(wording="sports.sessions", params=facts) if facts["sessions"] else None
