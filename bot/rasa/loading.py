"""A trained model put into the running server: judged first, refused where it is worse, and taken back the same way."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from actions.core.errors import ConfigurationError
from bot.trained import Trained, evaluated, evaluation_hash, known_models
from nlu.data import read
from nlu.pipeline import Pipeline
from nlu.rasa.breaker import Breaker
from nlu.rasa.client import RasaEngine, known_signs
from nlu.rasa.server import Launch, serving

_LOAD_SECONDS: Final = 120.0
_JUDGE_SECONDS: Final = 30.0
#: Failures until Rasa is taken for away: here each message is asked, whatever became of the last.
_NEVER: Final = 1_000_000


def choose(models: Path, wanted: Path | None) -> Trained:
    """The model that is named, or the latest. Raises ConfigurationError where it is not one of `models`."""
    found = known_models(models)
    if wanted is not None:
        found = [model for model in found if model.path(models).resolve() == wanted.resolve()]
    if not found:
        raise ConfigurationError(f"{wanted or models}: no model of `bot rasa train`")
    return found[0]


def running(url: str, token: str) -> str:
    """Name of the model that a server runs. Raises ConfigurationError where there is no server that tells."""
    try:
        answer = httpx.get(f"{url}/status", params={"token": token}, timeout=10, trust_env=False)
        answer.raise_for_status()
        return Path(answer.json()["model_file"]).name.removesuffix(".tar.gz")
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"nlu.rasa.url: no Rasa with this token at {url} ({type(error).__name__})") from error


def load(url: str, token: str, path: Path) -> None:
    """Has a running server change its model; it goes on answering meanwhile. Raises ConfigurationError."""
    try:
        answer = httpx.put(
            f"{url}/model",
            params={"token": token},
            json={"model_file": str(path.resolve())},
            timeout=_LOAD_SECONDS,
            trust_env=False,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise ConfigurationError(f"{url}: Rasa did not take the model ({type(error).__name__})") from error


async def judged(venv: Path, model: Trained, models: Path, data: Path, evaluation: Path) -> Trained:
    """The model with its figures on labelled messages; one that has none yet is served apart to find out."""
    if model.accuracy is not None and model.evaluation == evaluation_hash(evaluation):
        return model
    with (
        tempfile.TemporaryDirectory(prefix="niangjiaren-rasa-") as folder,
        serving(Launch(venv=venv, model=model.path(models), token="judge"), folder=Path(folder)) as server,  # noqa: S106 -- of a server that lives for a minute, on the loopback
    ):
        engine = RasaEngine(
            server.url,
            known=known_signs(example.text for example in read(data)),
            token=server.token,
            seconds=_JUDGE_SECONDS,
            breaker=Breaker(failures=_NEVER, pause=1, clock=time.monotonic),
        )
        known = await evaluated(model, Pipeline(engine), evaluation, datetime.now(UTC))
        await engine.close()
    known.keep(models)
    return known
