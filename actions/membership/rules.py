"""What the service of this life declares, and the form's values read by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actions.core.catalogue import Catalogue, Declaration

Verification = Literal["officer", "email", "invite"]

#: Roles of those who keep the roster.
OFFICERS = ("union_officer", "administrator")


class MembershipRules(Declared):
    """How a member proves who they are; every rule can be set anew in settings.yml under `services.<id>`.

    `tries` wrong answers within `window_minutes` lock an account, and likewise a 工号, whoever tries it. `approvers`
    are asked in this order: the first role that somebody holds for the member's unit answers. `code_field` and
    `invite_field` are the keys of the form's secrets; `resend_words` and `restart_words` are what a member says to
    the question for a secret instead of answering it.
    """

    verification: Verification = "officer"
    tries: int = Field(5, gt=0)
    window_minutes: int = Field(60, gt=0)
    code_minutes: int = Field(10, gt=0)
    resend_seconds: int = Field(60, ge=0)
    invite_days: int = Field(30, gt=0)
    request_days: int = Field(7, gt=0)
    approvers: tuple[str, ...] = ("unit_officer", "union_officer", "administrator")
    code_field: str = "code"
    invite_field: str = "invite"
    resend_words: tuple[str, ...] = ()
    restart_words: tuple[str, ...] = ()


def rules_of(service: Declaration) -> MembershipRules:
    """The rules of a service of this life."""
    if not isinstance(service.rules, MembershipRules):
        raise TypeError(service.id)
    return service.rules


def service_of(catalogue: Catalogue) -> str:
    """Id of the service of this life, for rights that are granted for one service; empty where none is declared."""
    return next((service.id for service in catalogue if service.life == "membership"), "")


def current_rules(catalogue: Catalogue) -> MembershipRules:
    """The rules in force; the defaults where the catalogue declares no service of this life."""
    name = service_of(catalogue)
    return rules_of(catalogue[name]) if name else MembershipRules()


class Form:
    """One form of a binding: fields are known by their type, the secrets by the keys that the rules name."""

    def __init__(self, service: Declaration, values: Mapping[str, Any]) -> None:
        self.rules = rules_of(service)
        self.values = dict(values)
        self.staff_key = next(item.key for item in service.form if item.type == "staff_id")
        self.name_key = next(item.key for item in service.form if item.type == "name")

    @property
    def staff_id(self) -> str:
        """The 工号 as it was said."""
        return str(self.values.get(self.staff_key) or "")

    @property
    def name(self) -> str:
        """The name as it was said."""
        return str(self.values.get(self.name_key) or "")

    def secret(self, key: str) -> str:
        """What was said to the question for a code."""
        return str(self.values.get(key) or "")

    def without(self, *keys: str) -> dict[str, Any]:
        """The values less those keys."""
        return {key: value for key, value in self.values.items() if key not in keys}

    def emptied(self) -> dict[str, Any]:
        """The values less all that a proof is made of."""
        return self.without(self.staff_key, self.name_key, self.rules.code_field, self.rules.invite_field)
