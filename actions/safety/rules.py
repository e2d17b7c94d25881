"""Who helps in a crisis, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from actions.core.errors import ConfigurationError
from actions.core.zones import local


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetyRules:
    """Who helps and when. `opens` and `closes` are clock times in Shanghai, "HH:MM"; equal ones mean day and night.

    An alert goes on after `acknowledge_minutes`, `rounds` times down the list. Within `repeat_minutes` the same
    person raises one alert. The day after, at `check_back`, who saw to it is asked to look after the person.
    `counselling` is the service whose counsellors are on duty.
    """

    hotline: str = "12356"
    campus_line: str
    acknowledge_minutes: int = 10
    opens: str = "08:00"
    closes: str = "21:00"
    check_back: str = "09:30"
    repeat_minutes: int = 60
    rounds: int = 3
    retention_days: int = 180
    counselling: str = "counseling"

    def __post_init__(self) -> None:
        """Raises ConfigurationError for hours that are no clock times."""
        for name in ("opens", "closes", "check_back"):
            try:
                time.fromisoformat(getattr(self, name))
            except ValueError as error:
                raise ConfigurationError(f'safety.{name}: expected a clock time, as in "08:00"') from error

    def on_duty(self, now: datetime) -> bool:
        """Whether it is duty time; hours that close before they open go past midnight."""
        opens, closes, clock = time.fromisoformat(self.opens), time.fromisoformat(self.closes), local(now).time()
        return opens <= clock < closes if opens < closes else clock >= opens or clock < closes
