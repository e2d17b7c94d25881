"""Conversations: what a member says, what they read, who else is told, and what the database holds afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.replay import Dialogue, read_dialogues
from bot.settings import ROOT
from bot.world import load_world
from tests.conversations.checking import differences

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.replay import Stage

SPEAKER = load_world(ROOT / "data").default
DIALOGUES = [
    pytest.param(dialogue, id=f"{path.stem}: {dialogue.name}")
    for path in sorted(Path(__file__).parent.glob("*.yml"))
    for dialogue in read_dialogues(path)
]


@pytest.mark.parametrize("dialogue", DIALOGUES)
async def test_conversation(dialogue: Dialogue, played: Callable[[Dialogue], Awaitable[Sequence[str]]]) -> None:
    assert await played(dialogue) == []


def test_every_conversation_has_a_name_of_its_own() -> None:
    names = [parameter.id for parameter in DIALOGUES]
    assert len(names) >= 60
    assert len(names) == len(set(names))


@pytest.mark.parametrize("text", ["想约咨询" * 2_500, "周三下午三点，" * 1_500, "🙂" * 10_000])
async def test_a_message_of_ten_thousand_characters(text: str, stage: Stage) -> None:
    """Too long to read: the form that is open stays as it was."""
    tells = {"says": ["这段有点长", "大概几个人"], "never_says": "想约"}
    turns = [
        {"text": "周五下午三点约瑜伽室", "expect": {"says": "大概几个人"}},
        {"text": text, "expect": tells},
        {"text": "8个", "expect": {"says": ["瑜伽室", "人数：8"]}},
        {"text": "确认", "expect": {"says": "约好了"}},
    ]
    booked = {"service": "health_room", "state": "booked", "fields": {"room": "瑜伽室", "people": 8}}
    dialogue = Dialogue.model_validate({"name": "long", "turns": turns, "expect": {"records": [booked]}})
    assert differences(dialogue, await stage.play(dialogue), SPEAKER) == []
