from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nlu.data import Example, read
from nlu.engine import Model, train

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def intents() -> frozenset[str]:
    return frozenset(yaml.safe_load((ROOT / "data/intents.yml").read_text(encoding="utf-8"))["intents"])


@pytest.fixture(scope="session")
def examples() -> tuple[Example, ...]:
    return read(ROOT / "data/nlu")


@pytest.fixture(scope="session")
def model(examples: tuple[Example, ...]) -> Model:
    """The model of the project's own data, trained once for all tests."""
    return train(examples)
