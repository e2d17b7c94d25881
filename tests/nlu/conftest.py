from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from nlu.artefact import ensure_model
from nlu.data import Example, read

if TYPE_CHECKING:
    from nlu.engine import Model

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def intents() -> frozenset[str]:
    return frozenset(yaml.safe_load((ROOT / "data/intents.yml").read_text(encoding="utf-8"))["intents"])


@pytest.fixture(scope="session")
def examples() -> tuple[Example, ...]:
    return read(ROOT / "data/nlu")


@pytest.fixture(scope="session")
def model() -> Model:
    """The model of the project's own data, trained once for each state of it."""
    return ensure_model(ROOT / "data/nlu", ROOT / "var/models")
