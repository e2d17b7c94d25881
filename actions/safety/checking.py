"""The quiet check-back: the day after a call for help, whoever saw to it is asked to see how the person is.

A person asks, never the assistant; it is a task on that person's list, and nothing is said to who called.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import Notice, Option, cancel_notices, notify
from actions.core.tables import Member
from actions.core.zones import SHANGHAI, local
from actions.safety.commands import CheckedBack
from actions.safety.people import duty_list
from actions.safety.tables import Alert

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.safety.rules import SafetyRules


def check_at(now: datetime, rules: SafetyRules) -> datetime:
    """When to ask: the next day in Shanghai, at the clock time of the rules."""
    tomorrow = local(now).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.fromisoformat(rules.check_back), SHANGHAI)


async def ask_back(context: Context, rules: SafetyRules) -> int:
    """Gives the task to who saw to each alert that is due, or to the first on duty where they have left."""
    due = select(Alert.id).where(Alert.check_at.is_not(None), Alert.check_at <= context.now).order_by(Alert.id)
    asked = 0
    for alert_id in (await context.session.execute(due)).scalars().all():
        alert = await context.database.lock(context.session, Alert, alert_id)
        # Another process may have been quicker while this one waited for the lock.
        if alert is None or alert.check_at is None:
            continue
        alert.check_at = None
        helper = await _helper(context, alert, rules)
        if helper is not None:
            await _give(context, alert, helper)
            asked += 1
    return asked


async def _helper(context: Context, alert: Alert, rules: SafetyRules) -> Member | None:
    helper = await context.session.get(Member, alert.acknowledged_by or 0)
    if helper is not None and helper.status != "left":
        return helper
    return next(iter(await duty_list(context, rules.counselling, but=alert.member_id)), None)


async def _give(context: Context, alert: Alert, helper: Member) -> None:
    person = await context.session.get(Member, alert.member_id or 0)
    alert.checker_id = helper.id
    await notify(
        context,
        Notice(
            member_id=helper.id,
            wording="notices.safety_check_back",
            params={"name": person.name if person else "", "phone": person.phone if person else ""},
            subject=subject(alert),
            options=(Option(label="问候过了", command=CheckedBack(alert_id=alert.id)),),
            kind="service",
        ),
    )


async def checked_back(command: CheckedBack, context: Context) -> Outcome:
    """The person was asked after. Raises DomainError: not_found; ForbiddenError for anybody but who has the task."""
    alert = await context.database.lock(context.session, Alert, command.alert_id)
    if alert is None:
        raise DomainError("not_found")
    if alert.checker_id is None or alert.checker_id != context.actor.member_id:
        raise ForbiddenError
    alert.checked_at = alert.checked_at or context.now
    await cancel_notices(context, subject(alert))
    return Outcome(wording="safety.checked_back", subject=alert.subject)


def subject(alert: Alert) -> str:
    """How the task is named; another than the alert's, so that 收到 does not close it."""
    return f"check:{alert.id}"
