"""What a service of this life declares (`ActivityRules`) and what one offering of it holds (`ActivitySpec`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, Field, model_validator

from actions.blocks.allotment import AllotmentRules
from actions.blocks.answers import AskRules, LeaveRules, OwesRules
from actions.blocks.choice import ChoiceRules, Option, option_faults
from actions.blocks.closing import ClosingRules
from actions.blocks.composition import Composition
from actions.blocks.eligibility import Eligibility
from actions.blocks.matching import MatchingRules
from actions.blocks.questionnaire import Question, QuestionnaireRules
from actions.blocks.questionnaire import faults as question_faults
from actions.blocks.quota import Quota
from actions.blocks.rounds import Round, RoundRules
from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from actions.core.catalogue import Declaration, FormField
    from actions.core.tables import Offering

#: What one entry is: a person, two, a relay of some, a team.
EntryKind = Literal["person", "pair", "relay", "team"]
#: Who answers for an offering, as an approver.
OWNER = "owner"


class Reminder(Declared):
    """A reminder of a session, so many hours before it; `wording` gives nothing away on a locked screen."""

    hours_before: float = Field(gt=0)
    wording: str


class ActivityRules(Declared):
    """The rules of one service; every one can be set anew in settings.yml under `services.<id>`.

    `action: list` makes a service that tells what is open of all the others, `report` one that reports meetings of
    the offerings of the service `reports_for`; `title_field` and `place_field` tell of what and where.
    `by_unit`: a person's wish goes to the officers of the unit, who file it; they, and the union's officers, file at
    once. `approvers` are roles, or `owner` for who answers for the offering: what they have not agreed to is pending.
    `per_person` is how many offerings of one group a person may be in. `eligibility` and `joint_under` hold where an
    offering says nothing else. `waitlist`: who comes late waits; an offer of a place that is given back stands for
    `offer_hours`, at least until `offer_until_hours` before the start. Members withdraw by themselves until
    `withdraw_until_hours` before the start, and before the rosters are locked. `check_in` gives everybody a code.
    The `…_field` rules name fields of the form: the partner of a pair, the list of a team, who leads it, who is its
    captain, whether a person or a whole team signs up, whom an officer signs up, what is chosen of an offering.
    `changeable`: who signs up again changes their answers. `report_hours`: meetings are reported at least so many
    hours before. `wordings` are sentences of a service's own for a state. `certificate`: who was there may ask for one.
    `closing`, `asks`, `choice`, `leave`, `matching`, `rounds`, `owes`, `questionnaire` and `allotment`: see there.
    """

    action: Literal["register", "list", "report"] = "register"
    by_unit: bool = False
    approvers: tuple[str, ...] = ()
    per_person: int | None = Field(None, gt=0)
    eligibility: Eligibility = Eligibility()
    joint_under: int | None = Field(None, ge=0)
    waitlist: bool = True
    offer_hours: float = Field(12, gt=0)
    offer_until_hours: float = Field(2, ge=0)
    withdraw_until_hours: float = Field(2, ge=0)
    reminders: tuple[Reminder, ...] = ()
    check_in: bool = False
    report_hours: float | None = Field(None, ge=0)
    partner_field: str = ""
    roster_field: str = ""
    leader_field: str = ""
    captain_field: str = ""
    way_field: str = ""
    person_field: str = ""
    option_field: str = ""
    title_field: str = ""
    place_field: str = ""
    reports_for: str = ""
    changeable: bool = False
    wordings: dict[str, str] = Field(default_factory=dict)
    closing: ClosingRules = ClosingRules()
    asks: AskRules | None = None
    choice: ChoiceRules | None = None
    leave: LeaveRules | None = None
    matching: MatchingRules | None = None
    questionnaire: QuestionnaireRules | None = None
    allotment: AllotmentRules | None = None
    rounds: RoundRules | None = None
    certificate: bool = False
    owes: OwesRules | None = None

    def fit(self, form: Sequence[FormField]) -> None:
        """Raises ValueError where the form lacks what this life asks for."""
        offerings = [field.key for field in form if field.type == "offering"]
        if self.action == "register" and len(offerings) != 1:
            message = "form: an activity asks for exactly one field of type offering"
            raise ValueError(message)
        keys = {field.key for field in form}
        for rule, key in self.model_dump().items():
            if rule.endswith("_field") and key and key not in keys:
                message = f"rules.{rule}: the form has no field {key!r}"
                raise ValueError(message)


class Session(Declared):
    """One time of an activity; half open."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    place: str = ""
    title: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Session:
        if self.starts_at >= self.ends_at:
            message = "sessions: ends_at must be later than starts_at"
            raise ValueError(message)
        return self


class ActivitySpec(Declared):
    """One offering: a lecture, an event of a festival, a tournament, a club.

    `group` joins the events of one festival. Sign-up is from `opens_at` to `closes_at`; rosters may be changed until
    `locks_at` (the end of the sign-up where there is none). `entry` is what signs up, `team` whom it consists of.
    `standing` is what goes on and on, a club: its sessions are its meetings, and end no sign-up.
    Where `by_unit` or `eligibility` are given they take the place of the service's. `options` are what is chosen of
    it, handed out from `pickup_from` on. `questions` are those of a survey; `anonymous` leaves it to the member whether
    they answer with their name. `rounds`, `again_after_years` and `publicity_days` take the place of the service's.
    `also` are other names that people use for it.
    """

    also: tuple[str, ...] = ()
    summary: str = ""
    group: str = ""
    entry: EntryKind = "person"
    options: tuple[Option, ...] = ()
    pickup_from: AwareDatetime | None = None
    rounds: tuple[Round, ...] = ()
    team: Composition | None = None
    sessions: tuple[Session, ...] = ()
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    locks_at: AwareDatetime | None = None
    quota: Quota = Quota()
    eligibility: Eligibility | None = None
    by_unit: bool | None = None
    standing: bool = False
    place: str = ""
    note: str = ""
    questions: tuple[Question, ...] = ()
    anonymous: bool = False
    again_after_years: int | None = Field(None, ge=0)
    publicity_days: int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _whole(self) -> ActivitySpec:
        if self.entry in ("relay", "team") and self.team is None:
            message = "team: is asked for where a relay or a team signs up"
            raise ValueError(message)
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            message = "closes_at: must be later than opens_at"
            raise ValueError(message)
        if message := option_faults(self.options) or question_faults(self.questions):
            raise ValueError(message)
        if self.questions and self.closes_at is None:
            message = "closes_at: is asked for where there are questions, since they are counted at the end"
            raise ValueError(message)
        return self

    @property
    def starts_at(self) -> datetime | None:
        """When the first session begins; what is `standing` never does."""
        return None if self.standing else min((session.starts_at for session in self.sessions), default=None)

    @property
    def ends_at(self) -> datetime | None:
        """When the last session is over."""
        return None if self.standing else max((session.ends_at for session in self.sessions), default=None)

    @property
    def locked_at(self) -> datetime | None:
        """When rosters are locked: their own date, the end of the sign-up, or the start."""
        return self.locks_at or self.closes_at or self.starts_at

    def composition(self, rules: ActivityRules) -> Composition:
        """Whom an entry consists of. A pair is two people and a person is one, whatever is written."""
        own = self.team or Composition()
        sizes = {"person": (1, 1), "pair": (2, 2)}.get(self.entry, (own.minimum, own.maximum))
        joint = rules.joint_under if own.joint_under is None else own.joint_under
        if self.entry == "pair" and self.team is None:
            joint = None  # a colleague of another unit is welcome in a pair, unless the offering says otherwise
        return own.model_copy(update={"minimum": sizes[0], "maximum": sizes[1], "joint_under": joint})


def rules_of(service: Declaration) -> ActivityRules:
    """The rules of a service of this life."""
    if not isinstance(service.rules, ActivityRules):
        message = f"{service.id} is no activity"
        raise TypeError(message)
    return service.rules


def spec_of(offering: Offering) -> ActivitySpec:
    """The spec of an offering, which was checked when it was written."""
    return ActivitySpec.model_validate(offering.spec)


def eligibility_of(service: Declaration, spec: ActivitySpec) -> Eligibility:
    """Who may be in an offering."""
    return rules_of(service).eligibility if spec.eligibility is None else spec.eligibility


def by_unit(service: Declaration, spec: ActivitySpec) -> bool:
    """Whether the unit files for its people."""
    return rules_of(service).by_unit if spec.by_unit is None else spec.by_unit
