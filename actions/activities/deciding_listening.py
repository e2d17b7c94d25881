"""Exact words of who answers for an offering: 问卷结果 and its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.activities import store
from actions.activities.counting import ShowResults
from actions.activities.rules import rules_of, spec_of
from actions.core.hearing import Hearing
from actions.core.tables import Offering

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Command, Context
    from actions.core.hearing import Heard

_RESULTS = re.compile(r"(?:问卷|调查|调研)结果\s*[:：]?\s*(\S.{0,60})")


class DecidingListener:
    """Hears these words in a private chat; what names no offering of the actor's is left to be understood."""

    async def wants(self, session: AsyncSession, heard: Heard, now: datetime) -> bool:
        """Nothing in groups."""
        del session, heard, now
        return False

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes a message that is nothing but such words."""
        if heard.group or context.actor.member is None or not alone:
            return None
        command = await _of_surveys(context, heard.text.strip(" 。.？?！!"))
        return None if command is None else Hearing(command=command)


async def _of_surveys(context: Context, text: str) -> Command | None:
    match = _RESULTS.fullmatch(text)
    offering = await named(context, match[1].strip(), "questionnaire") if match is not None else None
    return None if offering is None else ShowResults(offering_id=offering.id)


async def named(context: Context, title: str, rule: str) -> Offering | None:
    """The latest offering of that name, of a service with such a rule, which the actor answers for."""
    services = [
        service.id for service in context.catalogue if service.life == "activity" and getattr(rules_of(service), rule)
    ]
    query = select(Offering).where(Offering.service.in_(services), Offering.state.in_(("open", "closed")))
    for offering in (await context.session.execute(query.order_by(Offering.id.desc()))).scalars():
        if title in (offering.title, *spec_of(offering).also) and store.answers_for(context, offering):
            return offering
    return None
