"""The loop guard: the assistant answers neither itself nor another bot, and lets an exchange that repeats come to rest.

What is done for a message is done; only the answer is kept back, so that nothing is left for a machine to answer to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import structlog
from sqlalchemy import select

from actions.core.tables import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actions.core.commands import Context
    from bot.gateway.saying import Saying

log = structlog.get_logger(__name__)

#: The same words with the same answer: so often within the time, then a word about it, then nothing.
_SAME, _SAME_WITHIN = 4, timedelta(minutes=10)
#: No person says more than this in a minute.
_FAST, _FAST_WITHIN = 40, timedelta(minutes=1)

Look = Literal["answer", "repeating", "too_fast", "silent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """A message and its answer, as a pseudonym of both, and when."""

    mark: str
    at: datetime


def look(before: Sequence[Exchange], mark: str, now: datetime) -> Look:
    """What to do about an exchange, after those `before` it in the conversation."""
    same = sum(each.mark == mark and each.at > now - _SAME_WITHIN for each in before)
    fast = sum(each.at > now - _FAST_WITHIN for each in before)
    if same > _SAME or fast > _FAST:
        return "silent"
    if same == _SAME:
        return "repeating"
    return "too_fast" if fast == _FAST else "answer"


async def guard(context: Context, turn: Turn, saying: Saying, text: str) -> None:
    """Replaces the answer by a word about the repetition, once, and leaves it out from then on."""
    if not saying.parts:
        return
    answer = json.dumps([text, saying.parts, saying.options], ensure_ascii=False, default=str)
    turn.exchange = context.vault.pseudonym(f"exchange:{turn.conversation_id}:{answer}")
    query = select(Turn.exchange, Turn.created_at).where(
        Turn.conversation_id == turn.conversation_id,
        Turn.created_at > context.now - max(_SAME_WITHIN, _FAST_WITHIN),
        Turn.id != turn.id,
    )
    before = [Exchange(mark=mark, at=moment) for mark, moment in (await context.session.execute(query)).all()]
    found = look(before, turn.exchange, context.now)
    if found == "answer":
        return
    log.warning("conversation_repeats", channel=turn.channel, found=found)
    saying.parts.clear()
    saying.options.clear()
    saying.card = None
    if found != "silent":
        saying.say(f"delivery.{found}")
