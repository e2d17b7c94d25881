"""Exact words around a contest, of who answers for it: 轮次, 记分, 公布, 成绩表, 参赛材料, each with its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from actions.activities.contests import CloseRound, SetMarks, ShowMaterials, ShowRound
from actions.activities.rules import rules_of
from actions.activities.store import own_by_title
from actions.core.hearing import Hearing, InPrivate

if TYPE_CHECKING:
    from actions.core.commands import Command, Context
    from actions.core.hearing import Heard

_SAID = re.compile(r"(轮次|记分|打分|公布|成绩表|参赛材料)\s*[:：]?\s*(\S+)(?:\s+(.+))?", re.DOTALL)


class ContestListener(InPrivate):
    """Hears these words where no form is open; what names no contest of the actor's is left to be understood."""

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes a message that is nothing but such words."""
        match = _SAID.fullmatch(heard.text.strip(" 。.\n")) if alone and not heard.group else None
        if match is None or context.actor.member is None:
            return None
        services = [s.id for s in context.catalogue if s.life == "activity" and rules_of(s).rounds is not None]
        offering = await own_by_title(context, services, match[2])
        command = _meant(match[1], offering.id, match[3] or "") if offering is not None else None
        return None if command is None else Hearing(command=command)


def _meant(word: str, offering_id: int, rest: str) -> Command | None:
    if word == "参赛材料":
        return ShowMaterials(offering_id=offering_id, who=rest[:40]) if rest else None
    if word in ("记分", "打分"):
        return SetMarks(offering_id=offering_id, words=rest[:4000]) if rest else None
    if word == "公布":
        return CloseRound(offering_id=offering_id, chosen=rest[:400])
    return None if rest else ShowRound(offering_id=offering_id, file=word == "成绩表")
