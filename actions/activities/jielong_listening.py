"""A 接龙 that an officer pastes into their private chat is read; 群通知 gives what to copy into a group."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from actions.activities.jielong import PackJielong, ReadJielong
from actions.blocks.jielong_lines import lines_of
from actions.core.hearing import Hearing, InPrivate

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.core.hearing import Heard

_LONGEST = 20_000
_PACK = re.compile(r"群通知(?:[ \u3000:：]+(\S.{0,199}))?", re.DOTALL)
_MARKED = re.compile(r"接龙|接龍|group\s?note", re.IGNORECASE)


class JielongListener(InPrivate):
    """Hears a 接龙 that an officer pastes into their private chat, and who asks for what to copy into a group."""

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """Takes a text of several lines that calls itself 接龙 above its first number."""
        asked = _PACK.fullmatch(heard.text.strip())
        if asked and alone and not heard.group and context.actor.member is not None:
            pack = PackJielong(named=asked[1] or "")
            return Hearing(command=pack) if await context.bus.allows(pack, context) else None
        lines = heard.text.splitlines()
        if heard.group or not alone or len(lines) < 2 or len(heard.text) > _LONGEST:
            return None
        if not _MARKED.search("\n".join(lines[:3])) or context.actor.member is None:
            return None
        if not any(line.kind == "entry" for line in lines_of(heard.text)):
            return None
        command = ReadJielong(text=heard.text)
        return Hearing(command=command) if await context.bus.allows(command, context) else None
