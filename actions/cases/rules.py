"""What a service of this life declares (`CaseRules`) and what one call or item of a menu holds (`CallSpec`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, Field, model_validator

from actions.blocks.moves import AUTHOR, CLOCK, HANDLER, HELPER, Move, State, faults
from actions.core.catalogue import Declared
from actions.core.commands import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.core.catalogue import FormField

_WHO = (*ROLES, AUTHOR, HANDLER, HELPER, CLOCK)


class Eligible(Declared):
    """Who may submit: whoever is on the roster of the offering of `roster` that is open, or holds one of the `tags`.

    A roster that is kept decides alone. `refusal` is the code of the sentence for all others.
    """

    tags: tuple[str, ...] = ()
    roster: str = ""
    refusal: str = "not_eligible"


class Similarity(Declared):
    """Like ones are shown before a submission: at most `most`, from `least` on (0 to 1), no older than `days`."""

    most: int = Field(3, gt=0)
    least: float = Field(0.4, gt=0, le=1)
    days: int = Field(365, gt=0)


class Seconding(Declared):
    """So many others must second before the record goes up; only who was invited can, and only at these states."""

    least: int = Field(2, gt=0)
    most: int = Field(20, gt=0)
    at: tuple[str, ...]
    field: str = ""


class Publicity(Declared):
    """A record is publicised while it is in `state`: objections go to the bodies, each heard by holders of a role."""

    state: str
    bodies: dict[str, str]


class Wall(Declared):
    """The public wall: what is reviewed by one of the roles shows there without its author, from these states on.

    An author who answers `refused` to the question `field` keeps it off.
    """

    at: tuple[str, ...]
    by: tuple[str, ...] = ("union_officer",)
    field: str = ""
    refused: str = ""


class Satisfaction(Declared):
    """The author marks each aspect with one of the levels, best first.

    The last level sends the record to `redo`, at most `redo_most` times.
    """

    aspects: tuple[str, ...]
    levels: tuple[str, ...] = Field(min_length=2)
    redo: str
    redo_most: int = Field(1, ge=0)


class Step(Declared):
    """One line of a checklist; `before_months` is when it should be done, counted back from the record's date."""

    key: str
    title: str
    before_months: float = Field(0, ge=0)


class Checklist(Declared):
    """What has to be there; `field` of the form takes each as a file, or an officer ticks it off.

    `reminders` are months before the record's `date_field`.
    """

    steps: tuple[Step, ...] = Field(min_length=1)
    date_field: str = ""
    reminders: tuple[float, ...] = ()


class Meeting(Declared):
    """Records in the state `at` are laid before a body together, and decided by its members, who hold the role `by`.

    `moves` are what it may decide, the common one first. Where the service has calls it meets over each round, else on
    the first of these `months`.
    """

    body: str
    at: str
    by: str
    moves: tuple[str, ...] = Field(min_length=1)
    months: tuple[int, ...] = ()


class Spoken(Declared):
    """With some values of a field an officer speaks to the person: the assistant tells them no step by itself."""

    field: str
    values: tuple[str, ...]


class StartWhen(Declared):
    """An answer to `field` lets the record begin elsewhere (the urgent path)."""

    field: str
    values: dict[str, str]


class Only(Declared):
    """Where the form says what is in `when`, one of the roles is needed, or a number of at least so much."""

    when: dict[str, str]
    roles: tuple[str, ...] = ()
    field: str = ""
    least: int = 0
    refusal: str

    def applies(self, values: Mapping[str, object]) -> bool:
        """Whether the form says it."""
        return all(values.get(key) == wanted for key, wanted in self.when.items())


class CaseRules(Declared):
    """The rules of one service; every one can be set anew in settings.yml under `services.<id>`.

    A record starts in `start`; who holds a role of `starts` begins further on. `title_field` names the record,
    `content_field` says what it is about. `call`: it may only be submitted to an open offering, of which the one is
    taken whose `allows` fits the form. `per_person` limits a member's records per call (or, without calls, those that
    are open). `seconds` makes this a service that seconds records of another one. `consent` is its purpose.
    `listed`: who checks is told whether the author is on the list that the unit reported (an open offering's people).
    `board` is what a move keeps (`keeps`): what is marked by it is listed for officers until it is over (重点提案督办).
    `person_field` names somebody whom it concerns beside the author: they do not review it either (回避).
    """

    start: str = ""
    starts: dict[str, str] = Field(default_factory=dict)
    states: dict[str, State] = Field(default_factory=dict)
    moves: dict[str, Move] = Field(default_factory=dict)
    start_when: StartWhen | None = None
    only: tuple[Only, ...] = ()
    listed: bool = False
    submitted: str = "cases.submitted"
    title_field: str = ""
    content_field: str = ""
    person_field: str = ""
    kind_field: str = ""
    call: bool = False
    per_person: int | None = Field(None, gt=0)
    eligible: Eligible | None = None
    similarity: Similarity | None = None
    seconding: Seconding | None = None
    seconds: str = ""
    publicity: Publicity | None = None
    wall: Wall | None = None
    satisfaction: Satisfaction | None = None
    checklist: Checklist | None = None
    spoken: Spoken | None = None
    meeting: Meeting | None = None
    board: str = ""
    consent: str = ""
    columns: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _machine(self) -> CaseRules:
        if self.seconds:
            return self
        begun = (self.start, *self.starts.values(), *(self.start_when.values.values() if self.start_when else ()))
        wrong = list(faults(self.states, self.moves, begun))
        for name, move in self.moves.items():
            wrong += [f"moves.{name}: by: nobody is a {who!r}" for who in move.by if who not in _WHO]
        named = [*(self.seconding.at if self.seconding else ()), *(self.wall.at if self.wall else ())]
        named += [self.publicity.state] if self.publicity else []
        named += [self.satisfaction.redo] if self.satisfaction else []
        named += [self.meeting.at] if self.meeting else []
        wrong += [
            f"meeting: {name!r} is no move at {self.meeting.at!r}"
            for name in (self.meeting.moves if self.meeting else ())
            if self.meeting and (name not in self.moves or self.meeting.at not in self.moves[name].at)
        ]
        if self.board and self.board not in {move.keeps for move in self.moves.values()}:
            wrong.append(f"board: no move keeps {self.board!r}")
        wrong += [f"there is no state {state!r}" for state in named if state not in self.states]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def fit(self, form: Sequence[FormField]) -> None:
        """Raises ValueError where the form lacks a field that a rule names."""
        keys = {field.key for field in form}
        named = {
            "title_field": self.title_field,
            "content_field": self.content_field,
            "person_field": self.person_field,
            "kind_field": self.kind_field,
            "spoken.field": self.spoken.field if self.spoken else "",
            "checklist.date_field": self.checklist.date_field if self.checklist else "",
        }
        for rule, key in named.items():
            if key and key not in keys:
                message = f"rules.{rule}: the form has no field {key!r}"
                raise ValueError(message)
        if self.consent and not any(field.type == "consent" for field in form):
            message = "rules.consent: the form has no field of type consent"
            raise ValueError(message)


class Listed(Declared):
    """Somebody on a roster, with the group that they belong to (代表团)."""

    staff_id: str
    group: str = ""


class CallSpec(Declared):
    """One call, one item of a menu, one term, or one list: what an officer creates of a service of this life.

    It takes submissions from `opens_at` until `closes_at` (always, where they are not given). `allows` limits fields of
    the form to what it is for: {"award": ["四育人"]}. `total` and `per_unit` limit how many are taken (unit quota, or a
    menu's allotment). `people` is its roster. `about` is told with it.
    """

    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    allows: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    total: int | None = Field(None, gt=0)
    per_unit: int | None = Field(None, gt=0)
    people: tuple[Listed, ...] = ()
    about: str = ""
    also: tuple[str, ...] = ()
    kind: Literal["call", "menu", "term", "list"] = "call"

    @model_validator(mode="after")
    def _in_order(self) -> CallSpec:
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            message = "closes_at must be later than opens_at"
            raise ValueError(message)
        return self
