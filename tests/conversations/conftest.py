"""The stage that conversations are played on: the real assistant with the demo world, a fresh database for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.replay import Stage
from bot.settings import ROOT, Settings, VaultSettings
from bot.wording import Wording, load_wording
from tests.conftest import NOW, VAULT_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
