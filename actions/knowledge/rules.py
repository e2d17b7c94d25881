"""What a declaration may say of a question service, and what is set for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from actions.core.catalogue import Catalogue

#: What a declaration calls the life.
LIFE = "question"


class QuestionRules(Declared):
    """`examples` are questions that can be asked here, told to who asks none."""

    examples: tuple[str, ...] = Field((), max_length=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnowledgeRules:
    """`keep_unplaced`: questions that nobody could place are kept for officers too, not only those of a service.

    What is settled or forgotten is deleted after `keep_days`.
    """

    keep_unplaced: bool = True
    keep_days: int = 180


def services_of(catalogue: Catalogue) -> tuple[str, ...]:
    """Ids of the question services, in the order of the catalogue."""
    return tuple(service.id for service in catalogue if service.life == LIFE)
