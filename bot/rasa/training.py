"""Training Rasa: the project is written, validated and trained; a model is kept for each state of data and recipe."""

from __future__ import annotations

import re
import subprocess
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import yaml

from actions.core.errors import ConfigurationError
from bot.trained import Trained, known_models
from nlu.data import data_hash, read
from nlu.rasa.environment import LOCK, installed, python_of, rasa_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.rasa.project import Project

_KEPT: Final = 5
_TELLING: Final = re.compile(r"(?i)\b\w*(?:warning|error|exception)\b(?!.*deprecat)")


def train(venv: Path, made: Project, data: Path, folder: Path, *, again: bool = False) -> Trained:
    """The model of this data and project: trained, or the one that was trained before.

    Args:
        venv: Rasa's environment.
        made: the project, written to `folder`/project.
        data: a file or folder of training data in Rasa's own format.
        folder: var/rasa; models are kept in `folder`/models, the latest five.
        again: train even where the model is there.

    Raises:
        ConfigurationError: Rasa is not installed, or validation or training failed.
        DataError: the training data cannot be read.

    """
    need(venv)
    examples = read(data)
    name = f"rasa-{sha256(f'{data_hash(examples)} {made.hash} {LOCK.read_bytes()!r}'.encode()).hexdigest()[:16]}"
    models, work = folder / "models", folder / "project"
    there = next((model for model in known_models(models) if model.name == name), None)
    made.write(work)
    if there is not None and not again:
        return there
    sources = [str(data.resolve()), "data"]
    validate(venv, work, sources)
    began = time.monotonic()
    models.mkdir(parents=True, exist_ok=True)
    trained = ["train", "--config", "config.yml", "--domain", "domain.yml", "--data", *sources]
    _rasa(venv, [*trained, "--out", str(models.resolve()), "--fixed-model-name", name], work)
    model = Trained(
        name=name,
        data=data_hash(examples),
        project=made.hash,
        examples=len(examples),
        seconds=round(time.monotonic() - began, 1),
        trained_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    model.keep(models)
    for old in known_models(models)[_KEPT:]:
        old.path(models).unlink()
        (models / f"{old.name}.json").unlink()
    return model


def cut(data: Path, into: Path, most: int) -> Path:
    """A fixed part of the training data, for a quick model: the same `most` examples of each intent every time.

    Raises:
        DataError: the training data cannot be read.

    """
    texts: dict[str, set[str]] = {}
    for example in read(data):
        texts.setdefault(example.intent, set()).add(example.text)
    picked = {
        intent: sorted(each, key=lambda text: sha256(text.encode()).digest())[:most] for intent, each in texts.items()
    }
    blocks = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in each)} for intent, each in picked.items()
    ]
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text(yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True), encoding="utf-8")
    return into


def validate(venv: Path, work: Path, sources: Sequence[str]) -> None:
    """`rasa data validate`, whose warnings are faults, too. Raises ConfigurationError."""
    steps = ["data", "validate", "--fail-on-warnings", "--config", "config.yml", "--domain", "domain.yml", "--data"]
    _rasa(venv, [*steps, *sources], work)


def need(venv: Path) -> None:
    """Raises ConfigurationError where Rasa is not installed as the lock file says."""
    if not installed(venv):
        raise ConfigurationError(f"Rasa is not installed in {venv}, or another version of it: run `bot rasa install`")


def _rasa(venv: Path, arguments: Sequence[str], work: Path) -> None:
    """One command of Rasa's, which talks a lot: it is told where something is wrong."""
    done = subprocess.run(  # noqa: S603 -- our own interpreter and arguments
        [str(python_of(venv)), "-m", "rasa", *arguments],
        cwd=work,
        env=rasa_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    (work / "rasa.log").write_bytes(done.stdout)
    if done.returncode:
        told = [line for line in done.stdout.decode(errors="replace").splitlines() if _TELLING.search(line)]
        log = (work / "rasa.log").resolve()
        raise ConfigurationError(
            "\n".join([*told[-20:], f"rasa {arguments[0]}: exit {done.returncode}; all of it: {log}"])
        )
