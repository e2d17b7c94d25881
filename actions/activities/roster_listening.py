"""Exact words of who answers for an offering: 名单, 名单表, 活动记录, 活动记录表, each with its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from actions.activities.closing import MakePaper
from actions.activities.commands import ListEntries
from actions.activities.reporting import ShowReports
from actions.activities.rules import rules_of
from actions.activities.store import own_by_title
from actions.core.hearing import Hearing, InPrivate

if TYPE_CHECKING:
    from actions.core.commands import Command, Context
    from actions.core.hearing import Heard
    from actions.core.tables import Offering

_SAID = re.compile(r"(?:社员|成员|报名)?(名单表?|活动记录表?)\s*[:：]?\s*(\S.{0,60}?)")


class RosterListener(InPrivate):
    """Hears these words where no form is open; what names nothing of the actor's is left to be understood."""

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes a message that is nothing but such words."""
        match = _SAID.fullmatch(heard.text.strip(" 。.？?")) if alone and not heard.group else None
        if match is None or context.actor.member is None:
            return None
        services = [service.id for service in context.catalogue if service.life == "activity"]
        offering = await own_by_title(context, services, match[2].strip())
        command = _meant(context, match[1], offering) if offering is not None else None
        return None if command is None else Hearing(command=command)


def _meant(context: Context, word: str, offering: Offering) -> Command | None:
    table = word.endswith("表")
    if word.startswith("名单"):
        return MakePaper(offering_id=offering.id, paper="roster") if table else ListEntries(offering_id=offering.id)
    reports = rules_of(context.catalogue[offering.service]).report_hours is not None
    return ShowReports(offering_id=offering.id, file=table) if reports else None
