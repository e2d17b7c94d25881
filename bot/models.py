"""The models of the embedded engine: which one runs, and how another takes its place while people write.

They lie in var/models, a file each; var/running-model names the one that runs. Every process that understands messages
looks at it and changes over by itself; a message is answered by the one or the other.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from actions.core.errors import ConfigurationError
from bot.trained import Trained, evaluated, evaluation_hash, known_models, refuse_worse
from nlu.artefact import artefact_path, ensure_model
from nlu.data import DataError, ModelError, data_hash, read
from nlu.engine import Model
from nlu.pipeline import Embedded, Pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Settings

log = structlog.get_logger(__name__)

_SUFFIX: Final = ".npz"
_KEPT: Final = 5
_LOOK_SECONDS: Final = 5.0


class Models:
    """The folder of them.

    Args:
        var: where `models` is, and the name of the one that runs.
        data: the training data.
        evaluation: labelled messages that a model is held against.

    """

    def __init__(self, var: Path, data: Path, evaluation: Path) -> None:
        self.folder = var / "models"
        self._running = var / "running-model"
        self._passed_over = var / "passed-over-model"
        self._data = data
        self._evaluation = evaluation

    @property
    def current(self) -> str:
        """Name of the model that runs; nothing where none has run yet."""
        return self._read(self._running)

    def starting(self) -> tuple[str, Model]:
        """The model to start with, and its name: the one that ran last, or the one of the data as they are, trained
        where need be.

        Raises:
            DataError: the training data cannot be read, or are too little to learn from.

        """
        name = self.current
        if name:
            try:
                return name, self.opened(name)
            except (FileNotFoundError, ModelError) as error:
                # Written by another version, or deleted.
                log.warning("model_unusable", model=name, reason=str(error))
        model = ensure_model(self._data, self.folder)
        name = artefact_path(self.folder, model.data).stem
        self._write(self._running, name)
        return name, model

    def opened(self, name: str) -> Model:
        """A model of this folder. Raises FileNotFoundError, ModelError."""
        return Model.load(self.folder / f"{name}{_SUFFIX}")

    def outdated(self) -> bool:
        """Whether the data have changed since the running model learned them, or another one was chosen.

        Raises DataError.
        """
        return self._of_data() not in (self.current, self._read(self._passed_over))

    def _of_data(self) -> str:
        """Name of the model of the data as they are."""
        return artefact_path(self.folder, data_hash(read(self._data))).stem

    def train(self) -> Trained:
        """The model of the data as they are, with its figures: trained, or the one that was. Raises DataError."""
        began = time.monotonic()
        model = ensure_model(self._data, self.folder)
        name, seconds = artefact_path(self.folder, model.data).stem, time.monotonic() - began
        trained = self.known(name, examples=len(read(self._data)), seconds=seconds)
        others = [each for each in known_models(self.folder) if each.name not in (name, self.current)]
        for old in others[_KEPT:]:
            # Another process may be at it as well.
            old.path(self.folder).unlink(missing_ok=True)
            (self.folder / f"{old.name}.json").unlink(missing_ok=True)
        return trained

    def known(self, name: str, *, examples: int = 0, seconds: float = 0.0) -> Trained:
        """What is known of a model; one that was not judged by the evaluation as it is, is now, in some 10 seconds.

        What its training took and how many `examples` it had are told by who trained it.
        Raises ConfigurationError where there is no such model.
        """
        found = next((each for each in known_models(self.folder) if each.name == name), None)
        if found is not None and found.evaluation == evaluation_hash(self._evaluation):
            return found
        try:
            model = self.opened(name)
        except (FileNotFoundError, ModelError) as error:
            raise ConfigurationError(f"{self.folder}: no model {name!r} for this version: {error}") from error
        written = datetime.fromtimestamp((self.folder / f"{name}{_SUFFIX}").stat().st_mtime, UTC)
        trained = found or Trained(
            name=name,
            data=model.data,
            project="",
            examples=examples,
            seconds=round(seconds, 1),
            trained_at=written.isoformat(timespec="seconds"),
            suffix=_SUFFIX,
        )
        judged = asyncio.run(evaluated(trained, Pipeline(Embedded(model)), self._evaluation, datetime.now(UTC)))
        judged.keep(self.folder)
        return judged

    def load(self, name: str, *, force: bool = False) -> Trained:
        """Makes a model the one that runs, until the data change.

        Raises ConfigurationError: there is none, or it is worse and not forced; DataError.
        """
        new, running = self.known(name), self.current
        if running and running != name and not force:
            refuse_worse(new, self.known(running))
        # Who goes back to an older one does not want the newer at the next start.
        self._write(self._passed_over, self._of_data())
        self._write(self._running, name)
        return new

    @staticmethod
    def _read(path: Path) -> str:
        with suppress(FileNotFoundError):
            return path.read_text(encoding="utf-8").strip()
        return ""

    @staticmethod
    def _write(path: Path, name: str) -> None:
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(name, encoding="utf-8")
        part.replace(path)


def models_of(settings: Settings) -> Models:
    """The models of the settings' folders."""
    return Models(settings.var_dir, settings.data_dir / "nlu", settings.data_dir / "evaluation")


async def follow(models: Models, engine: Embedded, running: str) -> None:
    """Changes the engine, which has the model `running`, over to whatever is made the running one, until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        wanted = models.current
        if wanted in ("", running):
            continue
        running = wanted
        try:
            engine.use(await asyncio.to_thread(models.opened, wanted))
        except (FileNotFoundError, ModelError) as error:
            log.error("model_unusable", model=wanted, reason=str(error))  # noqa: TRY400 - the reason says all
        else:
            log.info("model_changed", model=wanted)


async def learn(models: Models) -> None:
    """Where the data have changed: a process beside this one learns them, judges the model and makes it run."""
    try:
        outdated = await asyncio.to_thread(models.outdated)
    except (DataError, OSError) as error:
        log.error("training_failed", reason=str(error))  # noqa: TRY400 - the reason says all
        return
    if not outdated:
        return
    log.info("training_began", data="data/nlu")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "models", "train"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, told = await child.communicate()
    except asyncio.CancelledError:
        child.terminate()
        await child.wait()
        raise
    if child.returncode:
        log.error("training_failed", reason=told.decode(errors="replace").strip()[-500:])
