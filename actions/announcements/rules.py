"""What the services of this life declare, and the fixed parts that its handlers work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from actions.announcements.audience import Sources
    from actions.announcements.topics import Topics
    from actions.blocks.materials_made import Shelf
    from actions.core.catalogue import Catalogue, Declaration

#: Renders a sentence of data/responses: (key, parameters) -> text. The composition root gives the real one.
Render: TypeAlias = Callable[[str, Mapping[str, Any]], str]


class AnnouncementRules(Declared):
    """What a service of this life does, and (for broadcast) how the union tells many.

    `approval`: a second person agrees to what is for everyone (or more than `approve_share` of all members), to
    everything, or to nothing. `approvers` are roles. A request lapses after `approval_days`. What is later than
    `useful_hours` is not sent any more. News are useful to a member for `news_days`, what they must know for
    `service_days`. `remind_hours` before the deadline of a receipt who has not answered is reminded. `receipt_days` are
    working days by the answers of the form. `phrase_minutes` is how long a group's phrase counts.
    """

    action: Literal["broadcast", "list", "subscribe", "unsubscribe"]
    approval: Literal["everyone", "always", "never"] = "everyone"
    approve_share: float = Field(0.5, gt=0, le=1)
    approvers: tuple[str, ...] = ("union_officer", "reviewer")
    approval_days: int = Field(3, gt=0)
    useful_hours: int = Field(24, gt=0)
    news_days: int = Field(3, gt=0)
    service_days: int = Field(14, gt=0)
    furthest_days: int = Field(366, gt=0)
    remind_hours: int = Field(24, gt=0)
    receipt_days: dict[str, int] = Field(default_factory=dict)
    phrase_minutes: int = Field(15, gt=0)
    shown_days: int = Field(30, gt=0)


def rules_of(service: Declaration) -> AnnouncementRules:
    """The rules of a service of this life."""
    if not isinstance(service.rules, AnnouncementRules):
        raise TypeError(service.id)
    return service.rules


def service_for(catalogue: Catalogue, action: str) -> Declaration | None:
    """The service of this life that does something."""
    own = (service for service in catalogue if isinstance(service.rules, AnnouncementRules))
    return next((service for service in own if rules_of(service).action == action), None)


def broadcast_rules(catalogue: Catalogue) -> tuple[str, AnnouncementRules]:
    """Id and rules of the service that tells many; the defaults where none is declared."""
    service = service_for(catalogue, "broadcast")
    return ("", AnnouncementRules(action="broadcast")) if service is None else (service.id, rules_of(service))


@dataclass(frozen=True, kw_only=True, slots=True)
class Office:
    """The fixed parts of this life."""

    sources: Sources
    topics: Topics
    render: Render
    shelf: Shelf
