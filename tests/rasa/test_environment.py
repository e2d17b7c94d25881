"""Where a Python 3.10 is looked for, and how it is told that there is none. The interpreters are small scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu.rasa import environment
from nlu.rasa.environment import RasaEnvironmentError, find_python, install, installed, rasa_environment

MANAGERS = {
    ".pyenv": "versions/3.10.13/bin",
    ".local/share/uv/python": "cpython-3.10.19-linux-x86_64-gnu/bin",
    ".asdf": "installs/python/3.10.2/bin",
    ".local/share/mise": "installs/python/3.10.2/bin",
    "miniconda3": "envs/rasa/bin",
    "anaconda3": "envs/rasa/bin",
    "miniforge3": "envs/rasa/bin",
}


def interpreter(folder: Path, *, version: str = "3 10", code: int = 0, name: str = "python3.10") -> Path:
    """A program that says which Python it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {version} $0\nexit {code}\n", encoding="ascii")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("manager", MANAGERS)
def test_each_version_managers_folder_is_searched(tmp_path: Path, manager: str) -> None:
    there = interpreter(tmp_path / manager / MANAGERS[manager])
    assert find_python(environ={}, home=tmp_path) == there


@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("PYENV_ROOT", "versions/3.10.1/bin"),
        ("UV_PYTHON_INSTALL_DIR", "cpython-3.10.1-x/bin"),
        ("ASDF_DATA_DIR", "installs/python/3.10.1/bin"),
        ("CONDA_PREFIX", "bin"),
    ],
)
def test_a_manager_elsewhere_is_found_by_its_variable(tmp_path: Path, variable: str, below: str) -> None:
    there = interpreter(tmp_path / "elsewhere" / below)
    assert find_python(environ={variable: str(tmp_path / "elsewhere")}, home=tmp_path / "home") == there


def test_path_comes_first_and_a_shim_with_nothing_behind_it_is_passed_over(tmp_path: Path) -> None:
    managed = interpreter(tmp_path / ".pyenv" / "versions/3.10.13/bin")
    interpreter(tmp_path / "shims", code=1)
    environ = {"PATH": str(tmp_path / "shims")}
    assert find_python(environ=environ, home=tmp_path) == managed
    on_path = interpreter(tmp_path / "bin")
    environ = {"PATH": f"{tmp_path / 'shims'}:{tmp_path / 'bin'}"}
    assert find_python(environ=environ, home=tmp_path) == on_path


def test_the_one_that_is_named_is_taken_or_refused(tmp_path: Path) -> None:
    interpreter(tmp_path / "bin")
    own = interpreter(tmp_path / "own", name="mine")
    environ = {"PATH": str(tmp_path / "bin")}
    assert find_python(str(own), environ=environ, home=tmp_path) == own
    newer = interpreter(tmp_path / "own", version="3 12", name="newer")
    for wanted in (str(newer), str(tmp_path / "nowhere"), str(tmp_path), "no-such-python"):
        with pytest.raises(RasaEnvironmentError, match=r"nlu\.rasa\.python: .* is no Python 3\.10"):
            find_python(wanted, environ=environ, home=tmp_path)


def test_with_none_there_it_is_told_how_to_get_one(tmp_path: Path) -> None:
    interpreter(tmp_path / "bin", version="3 9")
    with pytest.raises(RasaEnvironmentError, match=r"uv python install 3\.10.*NJR_NLU__RASA__PYTHON"):
        find_python(environ={"PATH": str(tmp_path / "bin")}, home=tmp_path)


def test_an_environment_that_was_not_finished_is_none(tmp_path: Path) -> None:
    assert not installed(tmp_path)
    interpreter(tmp_path / "bin", name="python")
    (tmp_path / "pyvenv.cfg").touch()
    assert not installed(tmp_path)
    (tmp_path / environment._STAMP).write_text("another lock", encoding="ascii")
    assert not installed(tmp_path)
    (tmp_path / environment._STAMP).write_text(environment._lock_hash(), encoding="ascii")
    assert installed(tmp_path)


@pytest.mark.parametrize("what", ["a folder of somebody's", "a link"])
def test_what_is_no_environment_is_not_removed(tmp_path: Path, what: str) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.docx").touch()
    target = precious
    if what == "a link":
        target = tmp_path / "link"
        target.symlink_to(precious)
    with pytest.raises(RasaEnvironmentError, match="move it away"):
        install(target, Path("/usr/bin/python3.10"))
    assert (precious / "thesis.docx").exists()


def test_the_lock_pins_everything_with_its_hash() -> None:
    rows = [
        row
        for row in environment.LOCK.read_text(encoding="utf-8").splitlines()
        if row and not row.startswith(("#", " "))
    ]
    assert "rasa==3.6.21 \\" in rows
    assert [row for row in rows if "==" not in row or not row.endswith("\\")] == []


def test_rasa_reports_to_nobody_and_inherits_no_setting_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NJR_VAULT__KEYS", "secret")
    monkeypatch.setenv("RASA_TELEMETRY_ENABLED", "true")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    env = rasa_environment(RASA_ACTION_KEY="k")
    assert (env["RASA_TELEMETRY_ENABLED"], env["RASA_ACTION_KEY"]) == ("false", "k")
    assert not {"NJR_VAULT__KEYS", "PYTHONPATH"} & set(env)
