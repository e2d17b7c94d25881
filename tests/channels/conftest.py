"""A ground for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.channels.contract import Ground

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nlu.pipeline import Pipeline


@pytest.fixture
async def ground(tmp_path: Path, demo_template: Path, pipeline: Pipeline) -> AsyncIterator[Ground]:
    """Where a channel is tried."""
    made = Ground(folder=tmp_path, template=demo_template, pipeline=pipeline)
    yield made
    await made.close()
