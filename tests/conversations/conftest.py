"""The stage that conversations are played on: the real assistant with the demo world, a fresh database for each."""

from __future__ import annotations

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
    """Prepared once; every dialogue is played on a copy. The sentences, which do not change, are compiled once."""
    compiled: list[Wording] = []

    def once(folder: Path, fixed: dict[str, Any]) -> Wording:
        if not compiled:
            compiled.append(load_wording(folder, fixed))
        return compiled[0]

    stage = Stage(Settings(var_dir=ROOT / "var", vault=VaultSettings(keys=VAULT_KEY)), pipeline, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.app.load_wording", once)
        yield stage
    stage.close()
