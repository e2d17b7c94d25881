"""A competition as it stands: its draw, timetable, results and tables, and how they are said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.activities import store
from actions.activities.draw_tables import DrawRecord
from actions.activities.tables import Entry
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Offering
from actions.core.zones import local
from actions.fixtures.days import Season, Slot
from actions.fixtures.model import Draw, Entrant, Known, Placed, WinnerOf
from actions.fixtures.results import NOBODY, Result, settle
from actions.fixtures.standings import standings
from actions.fixtures.timetable import Rest

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.fixtures.model import Game, Side
    from actions.fixtures.results import Outcome as GameOutcome
    from actions.fixtures.sports import Sport
    from actions.fixtures.standings import Row

Say = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True, kw_only=True)
class Competition:
    """The record of a draw, read."""

    offering: Offering
    sport: Sport
    draw: Draw
    season: Season | None
    rest: Rest
    slots: Mapping[str, Slot]
    results: Mapping[str, Result]
    withdrawn: frozenset[str]
    times: int

    @cached_property
    def outcomes(self) -> Mapping[str, GameOutcome]:
        """What every game came to, by id."""
        return settle(self.draw, self.results, self.withdrawn, self.sport)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Names of entrants by id."""
        return {entrant.id: entrant.name for entrant in self.draw.entrants}

    def table(self, group: str) -> tuple[Row, ...]:
        """The table of a group."""
        return standings(self.draw, group, self.outcomes, self.sport)

    def game(self, ref: str) -> Game:
        """A game by its id, or by its number in the draw. Raises DomainError("no_such_game")."""
        found = [game for number, game in enumerate(self.draw.games, start=1) if ref.upper() in (game.id, str(number))]
        if not found:
            raise DomainError("no_such_game", game=ref)
        return found[0]

    def plays(self, ref: str) -> frozenset[str]:
        """The entrants of a game, as far as they are known."""
        outcome = self.outcomes[ref]
        return frozenset(side for side in (outcome.home, outcome.away) if side)


def read(record: DrawRecord, sports: Mapping[str, Sport]) -> Competition:
    """A record as values. Raises DomainError("no_such_sport") where the file of sports knows it no more."""
    if record.sport not in sports:
        raise DomainError("no_such_sport", sport=record.sport, known=[sport.title for sport in sports.values()])
    return Competition(
        offering=record.offering,
        sport=sports[record.sport],
        draw=Draw.model_validate(record.draw),
        season=Season.model_validate(record.season) if record.season else None,
        rest=Rest.model_validate(record.rest),
        slots={ref: Slot.model_validate(slot) for ref, slot in record.slots.items()},
        results={ref: Result.model_validate(result) for ref, result in record.results.items()},
        withdrawn=frozenset(record.withdrawn),
        times=record.times,
    )


async def locked(context: Context, offering_id: int) -> DrawRecord:
    """The record of an offering's draw, locked, for who answers for it.

    Raises DomainError: not_found, no_draw; ForbiddenError.
    """
    await answered(context, offering_id)
    record = await context.database.lock(context.session, DrawRecord, offering_id)
    if record is None:
        raise DomainError("no_draw")
    return record


async def answered(context: Context, offering_id: int) -> Offering:
    """An offering of this life that the actor answers for. Raises DomainError("not_found"), ForbiddenError."""
    offering = await context.session.get(Offering, offering_id)
    if offering is None or context.catalogue[offering.service].life != "activity":
        raise DomainError("not_found")
    if not store.answers_for(context, offering):
        raise ForbiddenError
    return offering


async def entrants_of(context: Context, offering: Offering, seeds: Mapping[str, int]) -> list[Entrant]:
    """Who is registered, as entrants "e<entry>". `seeds` ranks them by name, unit or entry id.

    Teams are called by their unit; a unit's second team is "文学院 2". Raises DomainError("no_such_entrant").
    """
    query = select(Entry).where(Entry.offering_id == offering.id, Entry.state == "registered", Entry.kind != "wish")
    entries = await store.rows(context, query.order_by(Entry.id))
    found: dict[str, Entrant] = {}
    taken: set[str] = set()
    for entry in entries:
        name = _name(entry, taken)
        taken.add(name)
        unit = entry.unit.name if entry.unit else ""
        keys = {name, str(entry.id), unit if entry.kind in ("team", "relay") else name}
        seed = next((rank for key, rank in seeds.items() if key in keys), None)
        found[f"e{entry.id}"] = Entrant(id=f"e{entry.id}", name=name, unit=unit, seed=seed)
    ranked = sum(1 for entrant in found.values() if entrant.seed is not None)
    if ranked < len(seeds):
        known = {key for entrant in found.values() for key in (entrant.name, entrant.unit, entrant.id[1:])}
        raise DomainError("no_such_entrant", names=[key for key in seeds if key not in known] or list(seeds))
    return list(found.values())


def _name(entry: Entry, taken: set[str]) -> str:
    players = [person.member.name for person in entry.people if person.role != "leader"]
    base = entry.unit.name if entry.kind in ("team", "relay") and entry.unit else "/".join(players) or entry.member.name
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base} {number}"
    return name


class Words:
    """How games and rounds are called: `say` renders a sentence of data/responses."""

    def __init__(self, say: Say, competition: Competition) -> None:
        self._say = say
        self._of = competition
        self._numbers = {game.id: number for number, game in enumerate(competition.draw.games, start=1)}

    def number(self, ref: str) -> int:
        """The number of a game in the draw, from 1."""
        return self._numbers[ref]

    def stage(self, game: Game) -> str:
        """The round: 第 2 轮, 半决赛, 决赛."""
        if game.group:
            one = len(self._of.draw.groups) == 1
            return self._say("fixtures.stage.group", {"one": one, "group": game.group, "round": game.round})
        if game.third:
            return self._say("fixtures.stage.third", {})
        known = {2: "fixtures.stage.final", 4: "fixtures.stage.semi"}
        return self._say(known.get(game.left, "fixtures.stage.knockout"), {"left": game.left})

    def side(self, side: Side, resolved: str | None) -> str:
        """Who plays: a name, or what decides who it is."""
        if resolved == NOBODY:
            return self._say("fixtures.bye", {})
        if resolved is not None:
            return self._of.names[resolved]
        if isinstance(side, Known):
            return self._of.names[side.entrant]
        if isinstance(side, Placed):
            return self._say("fixtures.placed", {"group": side.group, "place": side.place})
        key = "fixtures.winner_of" if isinstance(side, WinnerOf) else "fixtures.loser_of"
        number = self._say("fixtures.number", {"number": self.number(side.game)})
        return self._say(key, {"game": number})

    def facts(self, ref: str) -> dict[str, Any]:
        """Parameters of the sentences about a game; `start` is None and `venue` empty where it has no slot yet."""
        outcome, slot = self._of.outcomes[ref], self._of.slots.get(ref)
        home_score, away_score = outcome.score or (None, None)
        return {
            "title": self._of.offering.title,
            "game": ref,
            "number": self.number(ref),
            "stage": self.stage(outcome.game),
            "group": outcome.game.group,
            "home": self.side(outcome.game.home, outcome.home),
            "away": self.side(outcome.game.away, outcome.away),
            "start": local(slot.start).isoformat() if slot else None,
            "venue": slot.venue if slot else "",
            "state": outcome.state,
            "state_text": self._say(f"fixtures.state.{outcome.state}", {}),
            "home_score": home_score,
            "away_score": away_score,
            "periods": [list(period) for period in outcome.periods],
            "absent": [self._of.names[one] for one in outcome.absent if one],
            "winner": self._of.names.get(outcome.winner or "", ""),
        }

    def rules(self) -> list[str]:
        """The rules of the sport in sentences: points, ties, withdrawals."""
        sport = self._of.sport
        breaks = [self._say(f"fixtures.rules.{rule}", {}) for rule in sport.tie_breaks]
        return [
            self._say("fixtures.rules.points", sport.points.model_dump()),
            self._say("fixtures.rules.tie_breaks", {"breaks": breaks}),
            self._say(f"fixtures.rules.{sport.withdrawal}", {}),
            self._say("fixtures.rules.knockout", {}),
        ]

    def rows(self, group: str) -> list[dict[str, Any]]:
        """The table of a group; `decided` tells in words what put somebody below who stands above."""
        told = []
        for row in self._of.table(group):
            decided = row.decided if row.decided not in ("", "points", "annulled") else ""
            told.append(
                {
                    "place": row.place,
                    "name": self._of.names[row.entrant],
                    "played": row.played,
                    "won": row.won,
                    "drawn": row.drawn,
                    "lost": row.lost,
                    "scored": row.scored,
                    "conceded": row.conceded,
                    "points": row.points,
                    "decided": self._say(f"fixtures.rules.{decided}", {}) if decided else "",
                    "annulled": row.annulled,
                }
            )
        return told
