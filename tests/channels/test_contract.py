"""The same conversations give the same records on every channel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.channels.contract import Dialogue, Ground, dialogues, play
from tests.channels.fake import faked, on_the_fake
from tests.channels.over_telegram import over_telegram
from tests.channels.over_terminal import over_terminal
from tests.channels.over_web import over_web
from tests.channels.over_wechat import over_wechat

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.channels.contract import ChannelUnderTest

OPENED: dict[str, Callable[[Ground], AbstractAsyncContextManager[ChannelUnderTest]]] = {
    "without buttons": partial(faked, buttons=False),
    "web": over_web,
    "terminal": over_terminal,
    "telegram": over_telegram,
    "wecom": partial(over_wechat, kind="wecom"),
    "official account": partial(over_wechat, kind="official_account"),
}
WITH_GROUPS = [name for name in OPENED if name not in ("terminal", "wecom", "official account")]


@pytest.mark.parametrize("dialogue", dialogues(), ids=str)
@pytest.mark.parametrize("name", OPENED)
async def test_a_conversation(name: str, dialogue: Dialogue, ground: Ground) -> None:
    async with OPENED[name](ground) as channel:
        assert await play(channel, ground.clock, dialogue) == await on_the_fake(ground, dialogue)


@pytest.mark.parametrize("dialogue", dialogues(group=True), ids=str)
@pytest.mark.parametrize("name", WITH_GROUPS)
async def test_a_conversation_in_a_group(name: str, dialogue: Dialogue, ground: Ground) -> None:
    async with OPENED[name](ground) as channel:
        assert await play(channel, ground.clock, dialogue) == await on_the_fake(ground, dialogue)


def test_there_are_twenty() -> None:
    assert len({dialogue.name for dialogue in dialogues()}) >= 20
