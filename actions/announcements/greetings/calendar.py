"""The year's calendar: data/greetings.yml, which officers edit. A wrong day, segment or topic names file and line."""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from actions.announcements import segment_text
from actions.announcements.greetings import days
from actions.core.errors import ConfigurationError, DomainError
from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from actions.announcements.topics import Topics

_YEAR_WITH_ALL_DAYS = 2024


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Falls(_Part):
    """When something is said; exactly one of these.

    `solar` "09-10"; `lunar` "08-15" or 除夕; `term` 冬至; `working_day` first or last of the month; `cron` five fields;
    `person` a member's own day: birthday, retired, joined.
    """

    solar: str = Field("", pattern=r"^(\d\d-\d\d)?$")
    lunar: str = Field("", pattern=r"^(\d\d-\d\d|除夕)?$")
    term: str = ""
    working_day: Literal["", "first_of_month", "last_of_month"] = ""
    cron: str = ""
    person: Literal["", "birthday", "retired", "joined"] = ""

    @model_validator(mode="after")
    def _one(self) -> Falls:
        if len(self.model_fields_set & {name for name, value in self if value}) != 1:
            message = "name exactly one of solar, lunar, term, working_day, cron, person"
            raise ValueError(message)
        if self.solar:
            date(_YEAR_WITH_ALL_DAYS, *_month_day(self.solar))
        if self.lunar and self.lunar != "除夕":
            month, day = _month_day(self.lunar)
            if not (1 <= month <= 12 and 1 <= day <= 29):
                message = f"there is no lunar {self.lunar} in every year; the last day of the year is 除夕"
                raise ValueError(message)
        if self.term and self.term not in days.TERMS:
            message = f"{self.term} is no solar term"
            raise ValueError(message)
        return self

    @field_validator("cron")
    @classmethod
    def _readable(cls, cron: str) -> str:
        if cron:
            from datetime import UTC, datetime  # noqa: PLC0415 - annotations of this module are read as text

            now = datetime(_YEAR_WITH_ALL_DAYS, 1, 1, tzinfo=UTC)
            list(days.cron_times(cron, now, now))
        return cron

    def wanted(self) -> Callable[[date], bool]:
        """Whether a day is the one. Not for cron and persons."""
        if self.solar:
            month, day = _month_day(self.solar)
            return lambda today: days.is_birthday(today, month, day)
        if self.lunar == "除夕":
            return days.is_new_years_eve
        if self.lunar:
            lunar_month, lunar_day = _month_day(self.lunar)
            return lambda today: days.is_lunar(today, lunar_month, lunar_day)
        if self.term:
            return lambda today: days.is_term(today, self.term)
        return days.is_first_working_day if self.working_day == "first_of_month" else days.is_last_working_day


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


class Greeting(_Part):
    """One line of the calendar: when, to whom, and the words, which are said as they stand.

    `kind: service` is for what its people must do (a list that is due); all else is news, with quiet hours and choice.
    """

    id: str = Field(pattern=r"^[a-z][a-z_0-9]{1,30}$")
    title: str = Field(min_length=1, max_length=40)
    day: Falls
    at: time = time(9)
    to: str = "全体"
    topic: str = "greetings"
    kind: Literal["news", "service"] = "news"
    text: str = Field(min_length=1, max_length=500)
    enabled: bool = True

    @field_validator("to")
    @classmethod
    def _segment(cls, to: str) -> str:
        try:
            segment_text.read(to)
        except DomainError as error:
            message = f"not a segment: {error.params.get('text')}"
            raise ValueError(message) from error
        return to


class Calendar(_Part):
    """All greetings. So many new members at once are no new colleagues, but a roster that was read in."""

    greetings: tuple[Greeting, ...]
    most_new_colleagues: int = Field(50, gt=0)

    @model_validator(mode="after")
    def _once(self) -> Calendar:
        names = [greeting.id for greeting in self.greetings]
        if len(set(names)) < len(names):
            message = "greetings: an id is there twice"
            raise ValueError(message)
        return self

    def of_person(self, what: str) -> Greeting | None:
        """The greeting for a member's own day, where it is enabled."""
        return next((each for each in self.greetings if each.day.person == what and each.enabled), None)


def load_calendar(data_dir: Path, topics: Topics) -> Calendar:
    """Reads greetings.yml. Raises ConfigurationError with file and line."""
    file = YamlFile(data_dir / "greetings.yml")
    calendar = file.validate(Calendar)
    known = {topic.id for topic in topics.topics}
    for number, greeting in enumerate(calendar.greetings):
        if greeting.topic not in known:
            line = file.line(["greetings", number, "topic"])
            raise ConfigurationError(f"{file.path}:{line}: greetings: there is no topic {greeting.topic!r}")
    return calendar
