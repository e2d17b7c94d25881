"""The image and the compose file hold together: what they name exists, and what they set is a setting."""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
import typing
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr
from sqlalchemy import make_url

from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yml").read_text(encoding="utf-8"))
ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def dockerfile() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, each with the rest of its line, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def instructions(name: str) -> list[str]:
    return [rest for found, rest in dockerfile() if found == name]


def copied() -> list[str]:
    """What the image takes from the checkout."""
    return [source for rest in instructions("COPY") if not rest.startswith("--from") for source in rest.split()[:-1]]


def settings_by_variable(model: type[BaseModel] = Settings, prefix: str = "NJR_") -> dict[str, Any]:
    """Environment variable -> the type of the setting that it sets, groups of settings included."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        found[variable] = field.annotation
        for kind in (field.annotation, *typing.get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= settings_by_variable(kind, f"{variable}__")
    return found


def is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(is_secret(part) for part in typing.get_args(annotation))


def settings_variables(text: str) -> set[str]:
    return set(re.findall(r"\bNJR_[A-Z0-9_]+", text))


@pytest.mark.parametrize("source", copied())
def test_what_the_image_copies_exists_and_is_let_in(source: str):
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_the_image_holds_every_package_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    named_by_the_project = {project["project"]["readme"], *project["project"]["license-files"]}
    assert {*packages, *named_by_the_project, "data", "migrations"} <= set(copied())


def test_the_image_installs_what_is_locked_with_an_extra_that_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    syncs = [shlex.split(rest) for rest in instructions("RUN") if rest.startswith("uv sync")]
    assert syncs
    for words in syncs:
        assert {"--locked", "--no-dev"} <= set(words)
        assert words[words.index("--extra") + 1] in project["optional-dependencies"]


def test_the_image_runs_on_a_python_that_the_project_supports_and_not_as_root():
    stages = [rest.partition(" AS ")[2] for rest in instructions("FROM")]
    bases = [rest.split()[0] for rest in instructions("FROM")]
    assert all(re.fullmatch(r"python:3\.1[123]-slim", base) or base in stages for base in bases)
    assert "root" not in instructions("USER")
    names = "".join({"FROM": "\n", "USER": "u", "CMD": "c"}.get(name, ".") for name, _ in dockerfile()).split("\n")[1:]
    running = [stage for stage in names if "c" in stage]
    assert len(running) == 2  # the assistant, and Rasa
    assert [stage for stage in running if stage.count("u") != 1] == []


def test_nothing_is_written_into_the_image_once_its_user_is_set():
    user = ""
    for name, rest in dockerfile():
        user = {"FROM": "", "USER": rest}.get(name, user)
        assert not (user and name in {"RUN", "COPY"})


COMMANDS = {
    "image": json.loads(instructions("CMD")[-1]),
    **{name: service["command"] for name, service in COMPOSE["services"].items() if "command" in service},
}


@pytest.mark.parametrize("where", COMMANDS)
def test_the_command_is_one_of_the_programs_own(where: str):
    program, *arguments = COMMANDS[where]
    assert program == "bot"
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def answering(status: int) -> Iterator[int]:
    """An HTTP server on loopback that gives `status` for /healthz and 404 for all else; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing on stderr."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_tells_a_healthy_server_from_an_ill_one(status: int, healthy: bool):
    _, _, command = instructions("HEALTHCHECK")[0].partition("CMD ")
    _, *arguments = json.loads(command)
    with answering(status) as port:
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "NJR_HTTP__PORT": str(port)},
            capture_output=True,
            check=False,
        )
    assert (done.returncode == 0) is healthy


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yml", ".env.example"])
def test_every_variable_of_ours_is_a_setting(name: str):
    variables = settings_variables((ROOT / name).read_text(encoding="utf-8"))
    assert variables
    assert variables <= settings_by_variable().keys()


def test_every_secret_setting_is_named_where_operators_look():
    secrets = {name for name, annotation in settings_by_variable().items() if is_secret(annotation)}
    assert secrets <= settings_variables(ENV_EXAMPLE)


def test_every_variable_that_compose_asks_for_is_explained():
    asked_for = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "compose.yml").read_text(encoding="utf-8")))
    assert asked_for == {"POSTGRES_PASSWORD", "NJR_VAULT__KEYS", "NJR_NLU__RASA__TOKEN"}
    assert all(re.search(rf"^{name}=$", ENV_EXAMPLE, re.MULTILINE) for name in asked_for)


def test_the_web_process_reaches_the_database_that_compose_makes():
    database = COMPOSE["services"]["database"]["environment"]
    written = COMPOSE["services"]["web"]["environment"]["NJR_DATABASE__URL"]
    password = database["POSTGRES_PASSWORD"]
    assert password in written
    url = make_url(written.replace(password, "secret"))
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.database) == (database["POSTGRES_USER"], database["POSTGRES_DB"])
    assert (url.host, url.port) == ("database", 5432)


def test_the_program_takes_the_environment_that_it_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    image = dict(word.split("=", 1) for rest in instructions("ENV") for word in rest.split())
    composed = COMPOSE["services"]["web"]["environment"]
    for name, value in {**image, **composed}.items():
        if name.startswith("NJR_"):
            monkeypatch.setenv(name, re.sub(r"\$\{\w+:\?[^}]*\}", "k1:c2VjcmV0", value))
    settings = load_settings(tmp_path / "settings.yml")
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 8080)
    assert not settings.embedded
    assert settings.vault.keys.get_secret_value() == "k1:c2VjcmV0"


def test_the_database_is_open_to_nobody_outside_and_has_no_default_password():
    database = COMPOSE["services"]["database"]
    assert "ports" not in database
    assert ":?" in database["environment"]["POSTGRES_PASSWORD"]
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["web"]["ports"])


def test_rasa_is_open_to_nobody_outside_and_is_given_no_secret_but_its_own():
    rasa = COMPOSE["services"]["rasa"]
    assert "ports" not in rasa
    assert "env_file" not in rasa
    assert set(rasa["environment"]) == {"NJR_NLU__RASA__TOKEN"}


def test_what_must_outlive_a_container_lies_in_a_volume():
    mounted = {
        tuple(volume.split(":")) for service in COMPOSE["services"].values() for volume in service.get("volumes", [])
    }
    assert {name for name, _ in mounted} == set(COMPOSE["volumes"])
    assert {path for _, path in mounted} >= set(instructions("VOLUME"))
