"""Whole lives of cases, over months: every message and who is told what, in the format of the conversation tests.

Greetings and whatever else a year brings would be told to everybody in between; here only the cases fall due.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from actions.cases import Cases
from bot.replay import Dialogue, Stage, read_dialogues
from bot.settings import ROOT, Settings, VaultSettings
from bot.world import load_world
from tests.conftest import NOW, VAULT_KEY
from tests.conversations.checking import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.app import App
    from nlu.pipeline import Pipeline

LIVES = [
    pytest.param(dialogue, id=dialogue.name)
    for path in sorted((Path(__file__).parent / "lives").glob("*.yml"))
    for dialogue in read_dialogues(path)
]


class _Quiet(Stage):
    """A stage on which nothing but the cases falls due."""

    def _build(self, *where: Any) -> App:
        app = super()._build(*where)
        return replace(app, sweepers=tuple(each for each in app.sweepers if isinstance(each, Cases)))


@pytest.fixture
def stage(pipeline: Pipeline, tmp_path: Path) -> Iterator[Stage]:
    settings = Settings(var_dir=tmp_path, vault=VaultSettings(keys=VAULT_KEY))
    stage = _Quiet(settings, pipeline, NOW)
    yield stage
    stage.close()


@pytest.mark.parametrize("dialogue", LIVES)
async def test_life(dialogue: Dialogue, stage: Stage) -> None:
    assert differences(dialogue, await stage.play(dialogue), load_world(ROOT / "data").default) == []
