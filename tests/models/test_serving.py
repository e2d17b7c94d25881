"""A house that serves, and data that have changed since: it answers at once, and changes over when it has learned."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from bot.settings import ROOT
from nlu.data import read
from tests.peers.server import Store

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 120.0
_OF_EACH = 12


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A house with a little of the training data, and models of its own."""
    data, var = tmp_path / "data", tmp_path / "var"
    ignored = shutil.ignore_patterns("nlu", "evaluation")
    shutil.copytree(ROOT / "data", data, ignore=ignored)
    (data / "nlu").mkdir()
    (data / "evaluation").mkdir()
    var.mkdir()
    texts: dict[str, list[str]] = {}
    for example in read(ROOT / "data" / "nlu"):
        texts.setdefault(example.intent, []).append(example.text)
    taught = [(name, text) for name, each in texts.items() for text in each[:_OF_EACH]]
    _write(data / "nlu" / "some.jsonl", taught)
    for name in ("intents", "crisis"):
        _write(
            data / "evaluation" / f"{name}.jsonl", [row for row in taught if (row[0] == "crisis") == (name == "crisis")]
        )
    return Store(var=var, settings={"NJR_DATA_DIR": str(data), "NJR_LOG_LEVEL": "info"})


def _write(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("\n".join(json.dumps({"text": text, "intent": name}) for name, text in rows), encoding="utf-8")


def _until(store: Store, other_than: str) -> str:
    ends = time.monotonic() + _SECONDS
    while time.monotonic() < ends:
        name = (store.var / "running-model").read_text(encoding="utf-8")
        if name != other_than:
            return name
        time.sleep(0.2)
    raise AssertionError("the model did not change")


@pytest.mark.peer
def test_what_is_new_is_learned_beside_a_house_that_answers(store: Store, tmp_path: Path) -> None:
    with store.serving():
        old = (store.var / "running-model").read_text(encoding="utf-8")
    more = tmp_path / "data" / "nlu" / "more.jsonl"
    _write(more, [("greet", f"{text}，娘家人") for text in ("上午好", "下午好", "晚上好", "周末好")])
    with store.serving() as server:
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        new = _until(store, old)
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        listed = store.bot("models", "list").splitlines()
        assert [line.split()[0] == "*" for line in listed] == [new in line for line in listed]
        ends = time.monotonic() + _SECONDS
        while "model_changed" not in server.written and time.monotonic() < ends:
            time.sleep(0.2)
        store.bot("models", "load", old, "--force")
        while server.written.count("model_changed") < 2 and time.monotonic() < ends:
            time.sleep(0.2)
        assert server.written.count("model_changed") == 2
        assert "training_failed" not in server.written
