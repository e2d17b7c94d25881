"""Commands around a draw: make it, lay it over days and venues, put a game off."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import AwareDatetime, Field
from sqlalchemy import select

from actions.activities import notices
from actions.activities.blocks import Block
from actions.activities.competition import Words, answered, entrants_of, locked, read
from actions.activities.draw_tables import DrawRecord
from actions.activities.tables import Entry
from actions.blocks.workdays import day_kind
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.zones import local
from actions.fixtures.days import Season, Slot, slots
from actions.fixtures.draws import draw
from actions.fixtures.model import Format
from actions.fixtures.timetable import Rest, arrange, openings, postpone, tasks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.competition import Competition, Say
    from actions.core.commands import Context
    from actions.fixtures.sports import Sport

#: Nobody looks through more free slots than these.
_OPENINGS = 8


class _OfDraw(Command):
    offering_id: int


class MakeDraw(_OfDraw):
    """Draws those who are registered. `seeds` ranks entrants by name, unit or entry number, 1 the strongest.

    `seed` is drawn where none is given (officers may take one that all have seen, such as a lottery's number). `again`
    draws anew, which is possible until the first result is entered.
    """

    name: ClassVar[str] = "draws.make"
    sport: str
    format: Format
    seeds: dict[str, int] = Field(default_factory=dict)
    seed: str = Field("", max_length=64)
    again: bool = False


class Arrange(_OfDraw):
    """Lays the games over days and venues. Games that have been played stay where they were."""

    name: ClassVar[str] = "draws.arrange"
    season: Season
    rest: Rest = Rest()


class Postpone(_OfDraw):
    """Moves one game; `game` is its number or id."""

    name: ClassVar[str] = "draws.postpone"
    game: str
    start: AwareDatetime
    venue: str


class Openings(_OfDraw):
    """To where one game can be moved while all others stay."""

    name: ClassVar[str] = "draws.openings"
    game: str


class Draws(Block):
    """Draws and timetables. `sports` are the rules of each sport, `say` renders a sentence of data/responses."""

    rule = "action"

    def __init__(self, sports: Mapping[str, Sport], say: Say) -> None:
        self._sports = sports
        self._say = say

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this module; each asks for who answers for the offering."""
        return (
            Registration(command=MakeDraw, handler=self.make, right=bound),
            Registration(command=Arrange, handler=self.arrange, right=bound),
            Registration(command=Postpone, handler=self.postpone, right=bound),
            Registration(command=Openings, handler=self.openings, right=bound),
        )

    async def make(self, command: MakeDraw, context: Context) -> Outcome:
        """Raises DomainError: not_found, no_such_sport, draw_there, no_such_entrant, draw_twice, draw_too_few."""
        offering = await answered(context, command.offering_id)
        sport = self._sport(command.sport)
        record = await context.database.lock(context.session, DrawRecord, offering.id)
        if record is not None and (record.results or not command.again):
            raise DomainError("draw_there", title=offering.title, played=bool(record.results))
        seed = command.seed or secrets.token_hex(8)
        made = draw(await entrants_of(context, offering, command.seeds), command.format, seed)
        if record is None:
            record = DrawRecord(offering_id=offering.id, times=0)
            context.session.add(record)
        record.sport, record.draw = sport.id, made.model_dump(mode="json")
        record.season, record.rest, record.slots, record.results, record.withdrawn = {}, {}, {}, {}, []
        record.times += 1
        record.drawn_at = context.now
        record.drawn_by = context.actor.member.id if context.actor.member else None
        await context.session.flush()
        names = {entrant.id: entrant.name for entrant in made.entrants}
        groups = [
            {"name": group.name, "entrants": [names[ref] for ref in group.entrants]}
            for group in (made.groups if command.format.kind in ("groups", "heats") else ())
        ]
        params = {"entrants": len(made.entrants), "games": len(made.games), "seed": seed, "groups": groups}
        return Outcome(
            wording="fixtures.drawn",
            params={"title": offering.title, **params},
            subject=f"offering:{offering.id}",
            data={**params, "times": record.times, "draw": record.draw},
        )

    def _sport(self, name: str) -> Sport:
        """A sport by its id or title. Raises DomainError("no_such_sport")."""
        for sport in self._sports.values():
            if name in (sport.id, sport.title):
                return sport
        raise DomainError("no_such_sport", sport=name, known=[sport.title for sport in self._sports.values()])

    async def arrange(self, command: Arrange, context: Context) -> Outcome:
        """Raises DomainError: not_found, no_draw, no_slots; ForbiddenError."""
        record = await locked(context, command.offering_id)
        competition = read(record, self._sports)
        kept = {ref: slot for ref, slot in competition.slots.items() if ref in competition.results}
        season = command.season
        found = [slot for slot in slots(season, day_kind) if not any(slot.overlaps(other) for other in kept.values())]
        if not found:
            raise DomainError("no_slots", first=season.first.isoformat(), last=season.last.isoformat())
        made = arrange(tasks_of(competition.draw), found, command.rest, kept)
        record.season, record.rest = season.model_dump(mode="json"), command.rest.model_dump(mode="json")
        record.slots = {ref: slot.model_dump(mode="json") for ref, slot in made.slots.items()}
        await context.session.flush()
        ordered = sorted(made.slots.values(), key=lambda slot: slot.start)
        words = Words(self._say, read(record, self._sports))
        params = {
            "title": competition.offering.title,
            "placed": len(made.slots),
            "first": local(ordered[0].start) if ordered else None,
            "last": local(max(slot.end for slot in ordered)) if ordered else None,
            "left": len(made.left),
        }
        games = [words.facts(game.id) for game in competition.draw.games]
        return Outcome(
            wording="fixtures.arranged",
            params=params,
            subject=f"offering:{command.offering_id}",
            data={"games": games, "left": list(made.left)},
        )

    async def openings(self, command: Openings, context: Context) -> Outcome:
        """Raises DomainError: not_found, no_draw, no_such_game; ForbiddenError."""
        competition = read(await locked(context, command.offering_id), self._sports)
        game = competition.game(command.game)
        found = slots(competition.season, day_kind) if competition.season else ()
        later = [slot for slot in found if slot.start > context.now]
        free = openings(competition.slots, tasks_of(competition.draw), game.id, later, competition.rest)
        rows = [{"start": local(slot.start), "venue": slot.venue} for slot in free[:_OPENINGS]]
        facts = Words(self._say, competition).facts(game.id)
        params = {**facts, "rows": rows}
        data = {"openings": [slot.model_dump(mode="json") for slot in free]}
        return Outcome(wording="fixtures.openings", params=params, subject=f"offering:{command.offering_id}", data=data)

    async def postpone(self, command: Postpone, context: Context) -> Outcome:
        """Raises DomainError: not_found, no_draw, no_such_game, game_over, game_past, and what `postpone` refuses."""
        record = await locked(context, command.offering_id)
        competition = read(record, self._sports)
        game = competition.game(command.game)
        if competition.outcomes[game.id].settled:
            raise DomainError("game_over", game=Words(self._say, competition).number(game.id))
        if command.start <= context.now:
            raise DomainError("game_past")
        slot = _slot(command, competition)
        moved = postpone(competition.slots, tasks_of(competition.draw), game.id, slot, competition.rest)
        old = competition.slots.get(game.id)
        record.slots = {ref: there.model_dump(mode="json") for ref, there in moved.items()}
        await context.session.flush()
        after = read(record, self._sports)
        facts = {**Words(self._say, after).facts(game.id), "old": local(old.start).isoformat() if old else None}
        await tell_players(context, after, game.id, "fixtures.game_moved", facts)
        return Outcome(
            wording="fixtures.postponed", params=facts, subject=f"offering:{command.offering_id}", data=facts
        )


def _slot(command: Postpone, competition: Competition) -> Slot:
    """As long as a game of the season, or of the sport."""
    minutes = competition.season.minutes if competition.season else competition.sport.minutes
    return Slot.lasting(command.venue, command.start, minutes)


async def tell_players(
    context: Context, competition: Competition, ref: str, wording: str, facts: Mapping[str, Any]
) -> None:
    """Tells everybody in the entries that play a game."""
    ids = [int(one.removeprefix("e")) for one in competition.plays(ref)]
    query = select(Entry).where(Entry.id.in_(ids)).order_by(Entry.id)
    for entry in (await context.session.execute(query)).unique().scalars():
        await notices.tell_people(context, entry, wording, **facts)
