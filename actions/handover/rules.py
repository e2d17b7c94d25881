"""When people are there, and how long one waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from actions.blocks.workdays import is_working_day
from actions.core.errors import ConfigurationError
from actions.core.zones import at, local

# Longer than the longest holidays with weekends around them.
_LOOK_AHEAD_DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class HandoverRules:
    """`opens` and `closes` are clock times in Shanghai, "HH:MM", of a working day.

    Without an officer within `answer_minutes` the member is told so; a silence of `timeout_minutes` ends a hand-over.
    What nobody took stays listed for `keep_days`; who asked whom is kept for `retention_days`. After 回复 an officer
    has `armed_minutes` for the words.
    """

    opens: str = "08:30"
    closes: str = "17:30"
    timeout_minutes: int = 20
    answer_minutes: int = 10
    keep_days: int = 7
    retention_days: int = 180
    armed_minutes: int = 5

    def __post_init__(self) -> None:
        """Raises ConfigurationError for hours that are no clock times, or the wrong way round."""
        for name in ("opens", "closes"):
            try:
                time.fromisoformat(getattr(self, name))
            except ValueError as error:
                raise ConfigurationError(f'handover.{name}: expected a clock time, as in "08:30"') from error
        if time.fromisoformat(self.opens) >= time.fromisoformat(self.closes):
            raise ConfigurationError("handover.closes: must be later than handover.opens")

    @property
    def hours(self) -> str:
        """The hours as people write them: 08:30–17:30."""
        return f"{self.opens}–{self.closes}"

    def is_open(self, now: datetime) -> bool:
        """Whether officers are there."""
        clock = local(now).time()
        in_hours = time.fromisoformat(self.opens) <= clock < time.fromisoformat(self.closes)
        return in_hours and is_working_day(local(now).date())

    def next_opening(self, now: datetime) -> datetime:
        """When officers are there next: `now` itself while they are."""
        return (
            now if self.is_open(now) else next(moment for moment in self._openings(local(now).date()) if moment > now)
        )

    def _openings(self, first: date) -> list[datetime]:
        days = (first + timedelta(days=ahead) for ahead in range(_LOOK_AHEAD_DAYS))
        return [at(day, time.fromisoformat(self.opens)) for day in days if is_working_day(day)]
