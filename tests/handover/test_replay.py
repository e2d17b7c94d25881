"""`bot replay` shows a hand-over: the replies to the member, and what the officers are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.replay import Dialogue, Stage, TurnSpec, read_dialogues
from bot.settings import ROOT, Settings
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlu.pipeline import Pipeline

DIALOGUES = read_dialogues(ROOT / "tests" / "handover" / "dialogues.yml")


@pytest.fixture(scope="module")
def stage(pipeline: Pipeline) -> Iterator[Stage]:
    made = Stage(Settings(), pipeline, NOW)
    yield made
    made.close()


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.name)
async def test_dialogue(stage: Stage, dialogue: Dialogue):
    played = await stage.play(dialogue)
    expected = 0
    for spec, turn in zip(dialogue.turns, played["turns"], strict=True):
        if isinstance(spec, TurnSpec) and spec.expect is not None:
            told = [(reply["to"], reply["text"]) for reply in turn["replies"]]
            assert [who for who, _ in told] == [who for who, _ in spec.expect], (spec.text, told)
            assert all(part in text for (_, part), (_, text) in zip(spec.expect, told, strict=True)), (spec.text, told)
            expected += 1
    assert expected >= 2
    assert played["records"] == []
