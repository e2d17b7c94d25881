"""States, and the moves between them: who may make a move, what it asks for, where it leads. Pure.

Read from a declaration:

    start: filed
    states:
      filed: {title: 待受理, days: 3}
      done: {title: 已办结, ends: true}
    moves:
      accept: {label: 受理, at: [filed], to: done, by: [union_officer]}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

#: What the words behind a move are: none; a reason that may be given; one that must be; people it goes to (the first
#: answers for it, the others help); people invited to second; a mark for each aspect; one of the move's `choices`; the
#: number of another record.
Asks = Literal["nothing", "reason", "grounds", "people", "seconders", "scores", "choice", "record"]

#: Who may move beside the holders of a role: whose record it is, who was given it, and the clock.
AUTHOR, HANDLER, HELPER, CLOCK = "author", "handler", "helper", "clock"


class State(Declared):
    """One state. `title` is what the author reads of it.

    Within `days` working days it has to be left; who may move it is reminded `remind` working days before. `quiet`
    states are not told to the author. In an `ends` state the matter is over.
    """

    title: str
    ends: bool = False
    days: int | None = Field(None, gt=0)
    remind: tuple[int, ...] = (1,)
    quiet: bool = False


class Move(Declared):
    """One move: from the states in `at` to another, or (an empty `to`) to stay.

    `by` names roles, author, handler, helper or clock; the first of them that anybody is, is asked. What the words say
    is kept under `keeps`, and told. `needs` are conditions of blocks. `opens` is a service in which another record is
    opened by it. `tells` is the sentence for the author where it is not the common one. `offered: false` keeps it out
    of the options on a notification. `status` sets the author's status by the record's kind (退休: retired).
    """

    label: str
    at: tuple[str, ...] = Field(min_length=1)
    to: str = ""
    by: tuple[str, ...] = Field(min_length=1)
    asks: Asks = "nothing"
    keeps: str = ""
    choices: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    opens: str = ""
    tells: str = ""
    offered: bool = True
    status: dict[str, str] = Field(default_factory=dict)

    @property
    def must_say(self) -> bool:
        """Whether the move is refused without words."""
        return self.asks in ("grounds", "people", "seconders", "scores", "choice", "record")


def moves_from(moves: Mapping[str, Move], state: str) -> dict[str, Move]:
    """The moves that lead out of a state (or keep it), in the order of the declaration."""
    return {name: move for name, move in moves.items() if state in move.at}


def reachable(moves: Mapping[str, Move], starts: Collection[str]) -> frozenset[str]:
    """The states that a record can come to."""
    found, fresh = set(starts), set(starts)
    while fresh:
        fresh = {move.to for move in moves.values() if move.to and found & set(move.at)} - found
        found |= fresh
    return frozenset(found)


def faults(states: Mapping[str, State], moves: Mapping[str, Move], starts: Collection[str]) -> Iterator[str]:
    """What is wrong with a machine: names that are none, states that nothing leads to, or that nothing leads out of."""
    for name, move in moves.items():
        for unknown in sorted({*move.at, *filter(None, [move.to])} - states.keys()):
            yield f"moves.{name}: there is no state {unknown!r}"
        if move.asks == "choice" and not move.choices:
            yield f"moves.{name}: asks for a choice and has none"
    for unknown in sorted(set(starts) - states.keys()):
        yield f"start: there is no state {unknown!r}"
    there = reachable(moves, starts)
    for name in states.keys() - there:
        yield f"states.{name}: nothing leads to it"
    over = {name for name, state in states.items() if state.ends}
    for name in sorted(states.keys() - over):
        if not reachable(moves, [name]) & over:
            yield f"states.{name}: nothing leads from it to an end"
