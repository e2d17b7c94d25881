"""A form's values read by the types of its fields, so that no field is known by its name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from actions.appointments.availability import Wish, rules_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.core.catalogue import Declaration, FormField

#: Value of the time field of a member who rather waits than takes what is left.
WAITLIST = "waitlist"
#: Value of a calendar field of a member who does not mind.
ANY = "any"


class Form:
    """One form of an appointment. The wish behind a time is in `<field>_wish`, what is avoided in `<field>_avoid`."""

    def __init__(self, service: Declaration, values: Mapping[str, Any]) -> None:
        self.service = service
        self.rules = rules_of(service)
        self.values = values
        self.time_key = next(item.key for item in service.form if item.type == "slot")
        self.calendar_key = next(item.key for item in service.form if item.type == "offering")

    @property
    def time(self) -> str:
        """The chosen start as ISO text, WAITLIST, or nothing."""
        return str(self.values.get(self.time_key) or "")

    @property
    def start(self) -> datetime | None:
        """The chosen start."""
        return datetime.fromisoformat(self.time) if self.time and self.time != WAITLIST else None

    @property
    def wish(self) -> Mapping[str, Any] | None:
        """The time mention behind the choice, as JSON."""
        wish: Mapping[str, Any] | None = self.values.get(f"{self.time_key}_wish")
        return wish

    @property
    def window(self) -> tuple[datetime, datetime] | None:
        """The wish as a window; a point is a window of its own day for those who wait."""
        if self.wish is None:
            return None
        return datetime.fromisoformat(self.wish["start"]), datetime.fromisoformat(self.wish["end"])

    @property
    def point(self) -> datetime | None:
        """The very time that was named, where one was."""
        point = self.wish.get("point") if self.wish else None
        return datetime.fromisoformat(point) if point else None

    @property
    def awaited(self) -> tuple[datetime, datetime] | None:
        """What a place on the waitlist would wait for: the very time that was named, else the whole window."""
        point = self.point
        return self.window if point is None else (point, point + timedelta(seconds=1))

    @property
    def calendar(self) -> str:
        """Title of the chosen calendar; nothing where any will do."""
        chosen = str(self.values.get(self.calendar_key) or "")
        return "" if chosen == ANY else chosen

    @property
    def avoid(self) -> tuple[str, ...]:
        """Titles of calendars that the member does not want."""
        return tuple(self.values.get(f"{self.calendar_key}_avoid") or ())

    @property
    def party(self) -> int:
        """How many people."""
        return int(self.values.get(self.rules.party_field) or 1)

    @property
    def weeks(self) -> int:
        """For how many weeks in a row."""
        return int(self.values.get(self.rules.weeks_field) or 1)

    def _own(self) -> list[FormField]:
        counted = {self.time_key, self.calendar_key, self.rules.party_field, self.rules.weeks_field}
        return [item for item in self.service.form if item.key not in counted and self._counts(item)]

    def _counts(self, item: FormField) -> bool:
        """Whether a value is there and still to the point: who comes online has no campus any more."""
        keys = {each.key for each in self.service.form}
        facts = {name: wanted for name, wanted in item.when.items() if name not in keys}
        return item.key in self.values and item.applies(self.values, facts)

    @property
    def chosen(self) -> dict[str, str]:
        """Answers to the questions with fixed choices (campus, mode), in the form's order."""
        return {item.key: self.values[item.key] for item in self._own() if item.type == "choice"}

    @property
    def plain(self) -> dict[str, Any]:
        """What the record keeps in clear."""
        special = ("consent", "contact")
        return {f.key: self.values[f.key] for f in self._own() if not f.confidential and f.type not in special}

    @property
    def confidential(self) -> dict[str, Any]:
        """What is sealed in the record."""
        return {
            f.key: self.values[f.key]
            for f in self._own()
            if f.confidential and f.type != "contact" and self.values[f.key]
        }

    @property
    def consent(self) -> dict[str, Any]:
        """What goes with the consent: the consent itself and the emergency contact."""
        given = {f.key: self.values[f.key] for f in self._own() if f.type in ("consent", "contact")}
        return given if any(f.type == "consent" for f in self._own()) else {}

    def wanting(self, low: datetime, high: datetime) -> Wish:
        """The wish for slots that begin in a window."""
        return Wish(
            low=low,
            high=high,
            titles={self.calendar} if self.calendar else None,
            avoid=self.avoid,
            fields=self.chosen,
            party=self.party,
        )
