"""A form's values read by the types of its fields and by the keys that the rules name: none is known by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.activities.rules import rules_of

if TYPE_CHECKING:
    from actions.core.catalogue import Declaration, FormField

#: Values that are kept beside the form's own: they never reach a record.
SIDE = ("activity_id", "entry", "full", "people", "numbers")
_SPECIAL = ("contact", "offering")


class Form:
    """One form of an activity; `values` are changed in place while it is resolved.

    Beside the answers: `activity_id` is the offering's id, `entry` what signs up for it, `full` whether there is no
    place left, and `people`, `numbers` and `leader_id`… the 工号 behind the names of a list.
    """

    def __init__(self, service: Declaration, values: dict[str, Any]) -> None:
        self.service = service
        self.rules = rules_of(service)
        self.values = values
        self.further: tuple[FormField, ...] = ()
        self.offering_key = next((item.key for item in service.form if item.type == "offering"), "")

    @property
    def title(self) -> str:
        """Title of the chosen offering."""
        return str(self.values.get(self.offering_key) or "")

    @property
    def entry(self) -> str:
        """What signs up: person, pair, relay or team."""
        return str(self.values.get("entry") or "person")

    @property
    def wish(self) -> bool:
        """Whether a person wants to be in a team that the unit puts together."""
        way = self.values.get(self.rules.way_field) if self.rules.way_field else None
        if self.entry not in ("relay", "team") or way is None:
            return False
        choices = self.service.field(self.rules.way_field).choices
        return bool(choices) and way == choices[0].value

    @property
    def list_key(self) -> str:
        """The field that names the colleagues who take part: the partner's, or the list of a relay or team."""
        if self.entry == "pair":
            return self.rules.partner_field
        return self.rules.roster_field if self.entry in ("relay", "team") and not self.wish else ""

    @property
    def plain(self) -> dict[str, Any]:
        """What the record keeps in clear: answers to questions that apply, in the form's order."""
        return {
            item.key: self.values[item.key]
            for item in self.service.form
            if item.type not in _SPECIAL and not item.confidential and self._counts(item.key)
        }

    @property
    def confidential(self) -> dict[str, Any]:
        """What is sealed in the record."""
        return {
            item.key: self.values[item.key]
            for item in self.service.form
            if item.confidential and self._counts(item.key) and self.values[item.key]
        }

    def _counts(self, key: str) -> bool:
        """Whether an answer is there and still to the point: who changes from a pair to a race has no partner."""
        keys = {each.key for each in self.service.form} | set(self.values)
        item = self.service.field(key)
        facts = {name: wanted for name, wanted in item.when.items() if name not in keys}
        return key in self.values and item.applies(self.values, facts)
