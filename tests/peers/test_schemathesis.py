"""schemathesis tries the whole interface by its own description: nothing breaks, and it answers as it says it does.

Run with `-s` it prints the number of cases.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bot.settings import ROOT
from tests.api.test_keys import public_key
from tests.conftest import MovableClock
from tests.peers.interface import Ground, Interface, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nlu.pipeline import Pipeline

pytestmark = pytest.mark.peer

_CONFIG = ROOT / "tests" / "peers" / "schemathesis.toml"
#: So many there are at least; else something has been left out.
_LEAST = 700
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def interface(tmp_path_factory: pytest.TempPathFactory, demo_template: Path, pipeline: Pipeline) -> Iterator[Interface]:
    var = tmp_path_factory.mktemp("interface") / "var"
    ground = Ground(var=var, template=demo_template, pipeline=pipeline, clock=MovableClock(), public_key=public_key())
    with listening(ground) as found:
        yield found


def test_the_whole_interface_does_what_its_description_says(interface: Interface, tmp_path: Path) -> None:
    entry = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"
    options = ["--config-file", str(_CONFIG), "--no-color", "run", f"{interface.url}/openapi.json"]
    header = ["-H", f"Authorization: Bearer {interface.key}", "--continue-on-failure"]
    done = subprocess.run(
        [sys.executable, "-c", entry, *options, *header],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    counted = re.search(r"Test cases:\n\s+(\d+) generated, (\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert counted is not None, done.stdout[-2000:]
    print(f"schemathesis: {counted[1]} cases")  # noqa: T201 - how many there were is what is asked of it
    assert int(counted[1]) == int(counted[2]) >= _LEAST


def _operations(interface: Interface) -> list[tuple[str, dict[str, Any]]]:
    paths = interface.description["paths"]
    return [(f"{method} {path}", told) for path, methods in paths.items() for method, told in methods.items()]


def test_every_route_is_described_in_chinese_with_an_example(interface: Interface) -> None:
    for name, told in _operations(interface):
        assert _CHINESE.search(told.get("summary", "")), name
        assert _CHINESE.search(told.get("description", "")), name
        for parameter in told.get("parameters", ()):
            if parameter["in"] in ("query", "header"):
                assert _CHINESE.search(parameter.get("description", "")), (name, parameter["name"])
        bodies = [
            told.get("requestBody", {}),
            *(answer for status, answer in told["responses"].items() if status < "300"),
        ]
        for body in bodies:
            for kind, media in body.get("content", {}).items():
                shown = "example" in media or kind != "application/json" or _example(interface, media["schema"])
                assert shown, (name, kind)


def _example(interface: Interface, schema: Any, depth: int = 12) -> bool:
    """Whether a schema, or one that it is made of, has an example."""
    if isinstance(schema, list):
        return any(_example(interface, each, depth) for each in schema)
    if not isinstance(schema, dict) or not depth:
        return False
    if "example" in schema or "examples" in schema:
        return True
    named = interface.description["components"]["schemas"].get(str(schema.get("$ref", "")).rpartition("/")[2])
    return _example(interface, [*schema.values(), named], depth - 1)


def test_what_asks_for_a_key_says_so(interface: Interface) -> None:
    open_to_all = {"/healthz", "/readyz", "/metrics", "/api/v1/session", "/api/v1/calendar/{token}.ics"}
    for name, told in _operations(interface):
        path = name.partition(" ")[2]
        if path in open_to_all or path.startswith("/api/v1/calendar/"):
            continue
        assert any("key" in way for way in told.get("security", ())), name
        assert "401" in told["responses"], name
