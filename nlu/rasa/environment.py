"""Rasa's own environment: a Python 3.10 that is found, and what the lock file beside this module names.

Rasa 3.6 runs on Python 3.8 to 3.10 alone, and pins SQLAlchemy 1.4 and pydantic 1: it cannot live beside the assistant.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCK: Final = Path(__file__).with_name("requirements.txt")
_VERSION: Final = (3, 10)
_STAMP: Final = "niangjiaren-lock.txt"
_PROBE: Final = "import sys; print(*sys.version_info[:2], sys.executable)"
_PROBE_SECONDS: Final = 20

#: Where version managers keep what they install: (variable of its root, where that is by default, below it).
_MANAGERS: Final = (
    ("PYENV_ROOT", "~/.pyenv", "versions/3.10*/bin/python3.10"),
    ("UV_PYTHON_INSTALL_DIR", "~/.local/share/uv/python", "cpython-3.10*/bin/python3.10"),
    ("ASDF_DATA_DIR", "~/.asdf", "installs/python/3.10*/bin/python3.10"),
    ("MISE_DATA_DIR", "~/.local/share/mise", "installs/python/3.10*/bin/python3.10"),
    ("CONDA_PREFIX", "~/miniconda3", "bin/python3.10"),
    ("CONDA_PREFIX", "~/miniconda3", "envs/*/bin/python3.10"),
    ("CONDA_ROOT", "~/anaconda3", "envs/*/bin/python3.10"),
    ("MAMBA_ROOT_PREFIX", "~/miniforge3", "envs/*/bin/python3.10"),
    ("CONDA_ROOT", "/opt/conda", "envs/*/bin/python3.10"),
)

HOW_TO_GET_PYTHON: Final = (
    "Rasa needs Python 3.10, and none was found: not on PATH, nor where pyenv, uv, asdf, mise and conda keep theirs. "
    "Get one with `uv python install 3.10`, `pyenv install 3.10`, or `conda create -n rasa python=3.10`, "
    "or name one that is there: NJR_NLU__RASA__PYTHON=/path/to/python3.10"
)


class RasaEnvironmentError(RuntimeError):
    """The environment cannot be made; the message tells what to do."""


def find_python(wanted: str = "", *, environ: Mapping[str, str] | None = None, home: Path | None = None) -> Path:
    """A Python 3.10 that really starts: the one named, else the first of PATH and the version managers' folders.

    Args:
        wanted: a path or a name to be looked up in PATH; empty to search.
        environ: variables to look in; those of this process by default.
        home: what `~` means; the user's by default.

    Raises:
        RasaEnvironmentError: what is named is no Python 3.10, or none was found.

    """
    environ = os.environ if environ is None else environ
    home = home or Path.home()
    if wanted:
        named = shutil.which(wanted, path=environ.get("PATH"))
        found = _really(Path(named)) if named else None
        if found is None:
            raise RasaEnvironmentError(f"nlu.rasa.python: {wanted} is no Python 3.10 that starts")
        return found
    for candidate in _candidates(environ, home):
        # A version manager's shim is on PATH whether or not there is something behind it.
        if (found := _really(candidate)) is not None:
            return found
    raise RasaEnvironmentError(HOW_TO_GET_PYTHON)


def _candidates(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    for folder in filter(None, environ.get("PATH", "").split(os.pathsep)):
        yield Path(folder) / "python3.10"
    for variable, default, below in _MANAGERS:
        root = Path(environ.get(variable) or default.replace("~", str(home), 1))
        yield from sorted(root.glob(below), reverse=True)


def _really(candidate: Path) -> Path | None:
    """The interpreter behind a candidate, or None where it does not start or is another version."""
    if not candidate.is_file():
        return None
    try:
        done = subprocess.run(  # noqa: S603 -- a file called python3.10, to see whether it is one
            [str(candidate), "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    parts = done.stdout.split(maxsplit=2)
    if done.returncode or parts[:2] != [str(number) for number in _VERSION] or len(parts) < 3:
        return None
    return Path(parts[2].strip())


def python_of(venv: Path) -> Path:
    """The interpreter of an environment."""
    return venv / "bin" / "python"


def installed(venv: Path) -> bool:
    """Whether an environment holds what the lock file names. One whose making was interrupted does not."""
    try:
        return (venv / _STAMP).read_text(encoding="ascii") == _lock_hash() and python_of(venv).exists()
    except OSError:
        return False


def install(venv: Path, python: Path) -> None:
    """Makes the environment anew from the lock file, with uv where it is there, else with pip.

    Raises:
        RasaEnvironmentError: a step failed; what it wrote is on the terminal.

    """
    if venv.exists():
        if venv.is_symlink() or not (venv / "pyvenv.cfg").exists():
            raise RasaEnvironmentError(f"{venv} is there and is no virtual environment: move it away")
        shutil.rmtree(venv)
    venv.parent.mkdir(parents=True, exist_ok=True)
    uv = os.environ.get("UV") or shutil.which("uv")
    inside = str(python_of(venv))
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--no-project", "--python", str(python), str(venv)],
            [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", inside, str(LOCK)],
        ]
    else:
        steps = [
            [str(python), "-m", "venv", str(venv)],
            [inside, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(LOCK)],
        ]
    for step in steps:
        if subprocess.run(step, check=False, env=_without_other_environments()).returncode:  # noqa: S603 -- our own steps
            raise RasaEnvironmentError(f"this step failed: {' '.join(step)}")
    (venv / _STAMP).write_text(_lock_hash(), encoding="ascii")


def _lock_hash() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def _without_other_environments() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}


def rasa_environment(**more: str) -> dict[str, str]:
    """The variables that Rasa runs with: it reports to nobody, and takes no setting of the assistant's."""
    kept = {
        name: value
        for name, value in _without_other_environments().items()
        if not name.startswith(("NJR_", "PYTHON", "RASA_"))
    }
    quiet = {
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
    }
    return {**kept, **quiet, **more}
