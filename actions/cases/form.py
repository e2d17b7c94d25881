"""A form's values read by the types of its fields and by the keys that the rules name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions.cases.rules import CaseRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.core.catalogue import Declaration, FormField

#: Code points of a title that is taken from what a member wrote.
_TITLE = 30
_STOPS = "。！？!?；;\n，,"


def rules_of(service: Declaration) -> CaseRules:
    """The rules of a service of this life."""
    if not isinstance(service.rules, CaseRules):
        message = f"{service.id} is no service of cases"
        raise TypeError(message)
    return service.rules


def key_of(service: Declaration, kind: str) -> str:
    """Key of the first field of a type; empty where there is none."""
    return next((field.key for field in service.form if field.type == kind), "")


def title_of(text: str) -> str:
    """What a record is called that has no title of its own: the first clause of what was written."""
    text = text.strip()
    ends = [place for mark in _STOPS if (place := text.find(mark)) > 0]
    clause = text[: min(ends, default=len(text))]
    return clause if len(clause) <= _TITLE else f"{clause[: _TITLE - 1]}…"


class Form:
    """One form of a case. A wish for a time is in `<field>_wish`; of a time the value is its start as ISO text."""

    def __init__(self, service: Declaration, values: Mapping[str, Any]) -> None:
        self.service = service
        self.rules = rules_of(service)
        self.values = values

    def _counts(self, field: FormField) -> bool:
        """Whether a value is there and still to the point, whatever else was changed meanwhile."""
        keys = {each.key for each in self.service.form}
        facts = {name: wanted for name, wanted in field.when.items() if name not in keys}
        return field.key in self.values and field.applies(self.values, facts)

    def _own(self) -> list[FormField]:
        return [field for field in self.service.form if field.type != "consent" and self._counts(field)]

    @property
    def plain(self) -> dict[str, Any]:
        """What the record keeps in clear; questions that were passed over are left out."""
        kept = {f.key: self.values[f.key] for f in self._own() if not f.confidential and self.values[f.key] != ""}
        spoken = (f"{f.key}_text" for f in self._own() if f.type == "slot")
        return {**kept, **{key: self.values[key] for key in spoken if key in self.values}}

    @property
    def confidential(self) -> dict[str, Any]:
        """What is sealed in the record."""
        return {f.key: self.values[f.key] for f in self._own() if f.confidential and self.values[f.key] != ""}

    @property
    def consent(self) -> bool:
        """Whether the consent was given."""
        key = key_of(self.service, "consent")
        return bool(key and self.values.get(key) is True)

    @property
    def offering(self) -> str:
        """Title of the chosen call or item; nothing where the form does not ask."""
        return str(self.values.get(key_of(self.service, "offering")) or "")
