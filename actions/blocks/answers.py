"""Being asked for an answer: who has to be reminded when, and which answer takes no place. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from actions.core.catalogue import Declared

if TYPE_CHECKING:
    from datetime import datetime


class Answer(Declared):
    """An answer to click: its label, and what the click says, in which `{title}` stands for the offering."""

    label: str
    says: str = Field(pattern=r"\{title\}")


class AskRules(Declared):
    """Everybody who may take part is asked for an answer.

    Who was asked and has not answered is reminded once, `remind_hours` before the end; 0 reminds nobody. `invitation`
    and `reminder` are the sentences, `answers` can be clicked on them.
    """

    remind_hours: float = Field(24, ge=0)
    invitation: str = "asking.invitation"
    reminder: str = "asking.reminder"
    answers: tuple[Answer, ...] = ()


class LeaveRules(Declared):
    """An answer that takes no place: leave from a meeting. `reason_field` is told to who called it alone."""

    field: str
    value: str
    reason_field: str = ""


class OwesRules(Declared):
    """An answer (`value` of `field`) that leaves something to do; `wording` says so, again in time.

    It is said at the sign-up, and `hours` before the lists are locked.
    """

    field: str
    value: str
    hours: float = Field(72, gt=0)
    wording: str


def reminder_due(closes_at: datetime, hours: float, now: datetime) -> bool:
    """Whether those who have not answered are to be reminded by now: from so many hours before the end, until it."""
    return bool(hours) and closes_at - timedelta(hours=hours) <= now < closes_at
