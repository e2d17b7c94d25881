"""Being asked for an answer: who has to be reminded when, and which answer takes no place. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from datetime import datetime


class AskRules(Declared):
    """Everybody who may take part is asked for an answer.

    Who has not answered is reminded once, `remind_hours` before the end; 0 reminds nobody. `invitation` and
    `reminder` are the sentences, `answer_with` is what a click on them says: `{title}` stands for the offering.
    """

    remind_hours: float = Field(24, ge=0)
    invitation: str = "asking.invitation"
    reminder: str = "asking.reminder"
    answer_with: str = Field("报名{title}", pattern=r"\{title\}")


class LeaveRules(Declared):
    """An answer that takes no place: leave from a meeting. `reason_field` is told to who called it alone."""

    field: str
    value: str
    reason_field: str = ""


def reminder_due(closes_at: datetime, hours: float, now: datetime) -> bool:
    """Whether those who have not answered are to be reminded by now: from so many hours before the end, until it."""
    return bool(hours) and closes_at - timedelta(hours=hours) <= now < closes_at
