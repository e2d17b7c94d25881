"""Long answers in a group: a line for those who read along, the whole of it in the private chat of who asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.gateway import threads
from bot.gateway.saying import Saying
from bot.messages import Address

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.core.tables import Account
    from bot.gateway.house import House

#: Code points and lines that a group puts up with.
_LONG, _LINES = 200, 8
_LONGEST_LINE = 60
_SENTENCE = re.compile(r".*?[。！？!?]")


def is_long(text: str) -> bool:
    """Whether a text fills the screen of everybody in a group."""
    return len(text) > _LONG or text.count("\n") >= _LINES


def first_line(text: str) -> str:
    """What a text begins with: its first sentence or line, cut where that is long too."""
    line, *_ = text.strip().splitlines() or [""]
    found = _SENTENCE.match(line)
    line = (found[0] if found else line).rstrip("。：:")
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def fold(house: House, context: Context, saying: Saying, account: Account, asked: str) -> Saying | None:
    """Folds a long answer, and gives what is said in private, where that can be; questions with options stay whole.

    `asked` waits for whoever has never written in private, and is answered when they come.
    """
    text = house.wording.outbound(saying.address, saying.content).text
    if saying.options or not is_long(text):
        return None
    line, whole = first_line(text), list(saying.parts)
    saying.parts.clear()
    if account.conversation is None:
        threads.wait(context, account, asked)
        saying.say("channels.folded_come", {"line": line})
        return None
    saying.say("channels.folded", {"line": line})
    there = Address(channel=account.channel, account=account.account, conversation=account.conversation)
    aside = Saying(address=there, card=saying.card)
    aside.parts, saying.card = whole, None
    return aside
