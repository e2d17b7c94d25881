"""Rasa itself, for the tests marked `peer`: installed, trained on a fixed slice, and served beside a real `bot serve`.

It is installed where NJR_NLU__RASA__VENV says, or in var/; whoever runs these tests again has it there already.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from bot.rasa.commands import venv_of
from bot.settings import ROOT, Settings
from bot.trained import known_models
from nlu.rasa.server import Launch, Running, serving
from tests.peers.server import Server, Store, run_bot, sqlite_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Examples of each intent that the model of the tests learns from.
SLICE: Final = 12
TOKEN: Final = "token-of-the-tests"
_INSTALL_SECONDS, _TRAIN_SECONDS = 900.0, 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """A Rasa whose dialogue calls the actions of an assistant; both are real."""

    rasa: Running
    assistant: Server
    store: Store
    model: Path


def bot_rasa(*arguments: str, var: Path, seconds: float, **settings: str) -> str:
    """Runs `bot rasa …`; returns what it printed."""
    env = {**os.environ, "NJR_VAR_DIR": str(var), "NJR_SETTINGS": str(var / "none.yml"), **settings}
    done = run_bot("rasa", *arguments, env={**env, "NJR_NLU__RASA__VENV": str(venv())}, seconds=seconds)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def venv() -> Path:
    """Rasa's environment."""
    return venv_of(Settings(var_dir=ROOT / "var"))


@pytest.fixture(scope="session")
def rasa_model() -> Path:
    """The model of the slice: trained once for each state of data and recipe."""
    var = ROOT / "var" / "rasa-tests"
    bot_rasa("install", var=var, seconds=_INSTALL_SECONDS)
    bot_rasa("train", "--slice", str(SLICE), var=var, seconds=_TRAIN_SECONDS)
    models = var / "rasa" / "models"
    return known_models(models)[0].path(models)


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory, rasa_model: Path) -> Iterator[Peer]:
    """Rasa and the assistant, each in a process of its own."""
    store = sqlite_store(tmp_path_factory.mktemp("rasa"))
    with store.serving() as assistant:
        key = store.bot("keys", "create", "rasa").strip()
        actions = f"{assistant.url}/api/v1/rasa/webhook"
        bot_rasa("train", "--write-only", var=store.var, seconds=60, NJR_NLU__RASA__ACTIONS_URL=actions)
        folder = store.var / "rasa"
        launch = Launch(venv=venv(), model=rasa_model, token=TOKEN, project=folder / "project", action_key=key)
        with serving(launch, folder=folder) as rasa:
            yield Peer(rasa=rasa, assistant=assistant, store=store, model=rasa_model)
