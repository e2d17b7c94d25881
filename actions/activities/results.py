"""Commands around what happens in a competition: results, who withdraws, and how everything stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from actions.activities.blocks import Block
from actions.activities.competition import Words, locked, read
from actions.activities.draw_tables import DrawRecord
from actions.core.commands import Command, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.fixtures.results import Result, check_result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.activities.competition import Competition, Say
    from actions.activities.tables import Entry
    from actions.core.commands import Context
    from actions.fixtures.results import Outcome as GameOutcome
    from actions.fixtures.sports import Sport


class EnterResult(Command):
    """Enters what a game came to, or corrects it; `game` is its number or id."""

    name: ClassVar[str] = "draws.result"
    offering_id: int
    game: str
    result: Result


class WithdrawEntrant(Command):
    """Somebody who was drawn is out for good; the draw stays as it is."""

    name: ClassVar[str] = "draws.withdraw"
    offering_id: int
    entry_id: int


class Results(Block):
    """Results and withdrawals. `sports` are the rules of each sport, `say` renders a sentence of data/responses."""

    rule = "action"

    def __init__(self, sports: Mapping[str, Sport], say: Say) -> None:
        self._sports = sports
        self._say = say

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands of this module; each asks for who answers for the offering."""
        return (
            Registration(command=EnterResult, handler=self.enter, right=bound),
            Registration(command=WithdrawEntrant, handler=self.withdraw, right=bound),
        )

    async def enter(self, command: EnterResult, context: Context) -> Outcome:
        """Raises DomainError: not_found, no_draw, no_such_game, game_waits, game_annulled, game_built_on, result_level.

        A result on which later games are built, that have one themselves, is not changed.
        """
        record = await locked(context, command.offering_id)
        competition = read(record, self._sports)
        game = competition.game(command.game)
        _refuse_unplayable(competition, game.id)
        check_result(game, command.result, competition.sport)
        record.results = {**record.results, game.id: command.result.model_dump(mode="json")}
        await context.session.flush()
        facts = Words(self._say, read(record, self._sports)).facts(game.id)
        absent = "、".join(facts["absent"])
        wording = "fixtures.forfeit_entered" if absent else "fixtures.result_entered"
        return Outcome(
            wording=wording,
            params={**facts, "absent": absent},
            subject=f"offering:{command.offering_id}",
            data=facts,
        )

    async def withdraw(self, command: WithdrawEntrant, context: Context) -> Outcome:
        """Raises DomainError: not_found, no_draw, no_such_entrant, already_out."""
        record = await locked(context, command.offering_id)
        competition = read(record, self._sports)
        one = f"e{command.entry_id}"
        if one not in competition.names:
            raise DomainError("no_such_entrant", names=[str(command.entry_id)])
        if one in competition.withdrawn:
            raise DomainError("already_out", name=competition.names[one])
        record.withdrawn = [*record.withdrawn, one]
        await context.session.flush()
        after = read(record, self._sports)
        before = competition.outcomes
        touched = [ref for ref, outcome in after.outcomes.items() if _shown(outcome) != _shown(before[ref])]
        rule = f"fixtures.rules.{after.sport.withdrawal}" if after.draw.groups else "fixtures.rules.knockout"
        params = {
            "title": after.offering.title,
            "name": after.names[one],
            "touched": len(touched),
            "rule": self._say(rule, {}),
        }
        return Outcome(
            wording="fixtures.withdrawn",
            params=params,
            subject=f"offering:{command.offering_id}",
            data={"touched": touched},
        )

    async def ended(self, context: Context, entry: Entry, state: str) -> None:
        """An entry that is withdrawn after the draw is out of the competition."""
        if state == "cancelled":
            return  # the offering is no more, and everybody with it
        record = await context.database.lock(context.session, DrawRecord, entry.offering_id)
        one = f"e{entry.id}"
        if record is None or one in record.withdrawn:
            return
        if any(entrant["id"] == one for entrant in record.draw["entrants"]):
            record.withdrawn = [*record.withdrawn, one]
            await context.session.flush()


def _shown(outcome: GameOutcome) -> tuple[object, ...]:
    """What members see of a game."""
    return outcome.home, outcome.away, outcome.state, outcome.score, outcome.winner


def _refuse_unplayable(competition: Competition, ref: str) -> None:
    outcome = competition.outcomes[ref]
    if outcome.state == "annulled":
        raise DomainError("game_annulled")
    if not outcome.home or not outcome.away:
        raise DomainError("game_waits")
    built_on = [later for later in competition.draw.later(ref) if later in competition.results]
    if built_on and ref in competition.results:
        raise DomainError("game_built_on", games=len(built_on))
