"""The stage that conversations are played on: the real assistant with the demo world, a fresh database for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.replay import Stage
from bot.settings import ROOT, Settings, VaultSettings
from bot.wording import Wording, load_wording
from bot.world import load_world
from tests.conftest import NOW, VAULT_KEY
from tests.conversations.checking import differences

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from bot.replay import Dialogue
    from nlu.pipeline import Pipeline


@pytest.fixture(scope="session")
def stage(pipeline: Pipeline) -> Iterator[Stage]:
    """Prepared once; every dialogue is played on a copy. The sentences of a folder are compiled once."""
    compiled: dict[str, Wording] = {}

    def once(folder: Path, fixed: dict[str, Any]) -> Wording:
        key = f"{folder} {json.dumps(fixed, sort_keys=True)}"
        if key not in compiled:
            compiled[key] = load_wording(folder, fixed)
        return compiled[key]

    stage = Stage(Settings(var_dir=ROOT / "var", vault=VaultSettings(keys=VAULT_KEY)), pipeline, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.app.load_wording", once)
        yield stage
    stage.close()


@pytest.fixture(scope="session")
def played(stage: Stage) -> Callable[[Dialogue], Awaitable[Sequence[str]]]:
    """What is not as a dialogue expects; whoever asks again is told without its being played again."""
    known: dict[str, Sequence[str]] = {}
    speaker = load_world(ROOT / "data").default

    async def play(dialogue: Dialogue) -> Sequence[str]:
        key = dialogue.model_dump_json()
        if key not in known:
            known[key] = differences(dialogue, await stage.play(dialogue), speaker)
        return known[key]

    return play
