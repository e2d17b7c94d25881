"""What the NLU answers: one frozen `Parse` for one message, the same from every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

CrisisKind = Literal["despair", "danger_now", "violence_at_home"]

#: entity name -> surface form as people write it -> the value the records know
Gazetteer: TypeAlias = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """A thing named in the text; `start` and `end` count code points of the original text, half open.

    `name` is one of service, activity, item, club, room, unit, counsellor, person, phone, staff_id, ordinal,
    number, any. An ordinal's value is "1", "2"… or "-1" for the last one.
    """

    name: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeMention:
    """A time named in the text. `kind` is point (`end` equals `start`) or span (half open); both know their zone.

    `offset` is where `text` begins in the message, in code points. `day_named` and `clock_named` tell what the
    member said and what was filled in: in 四点 the day is ours, in 周四 the hour is.
    """

    text: str
    start: datetime
    end: datetime
    kind: Literal["point", "span"]
    offset: int = 0
    day_named: bool = True
    clock_named: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """One intent of the ranking; `confidence` is between 0 and 1."""

    intent: str
    confidence: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Parse:
    """All that the NLU says of one message.

    `ranking` holds up to five intents, best first, before rejection: an intent the engine is not sure of is
    out_of_scope in `intent` and still itself in `ranking`. `impossible` holds the texts that look like a time and
    are none (13点60分, 2月30日). `crisis` is set exactly where `intent` is crisis.
    """

    text: str
    intent: str
    confidence: float
    ranking: tuple[Ranked, ...] = ()
    entities: tuple[Entity, ...] = ()
    times: tuple[TimeMention, ...] = ()
    impossible: tuple[str, ...] = ()
    crisis: CrisisKind | None = None
