"""`bot train`, `bot eval`, `bot parse --model`: on anybody's labelled messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.cli.conftest import Cli

#: Another team's intents: none of the project's rules may touch them.
TAUGHT = {
    "天气": ("今天下雨吗", "明天气温多少", "要带伞吗", "这周冷不冷"),
    "音乐": ("放一首歌", "来点轻音乐", "播放民谣", "换一首歌"),
}


def _write(path: Path, rows: Mapping[str, tuple[str, ...]]) -> Path:
    lines = [json.dumps({"text": text, "intent": name}) for name, texts in rows.items() for text in texts]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(shared_bot: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `bot train` wrote."""
    folder = tmp_path_factory.mktemp("own")
    data = _write(folder / "data.jsonl", TAUGHT)
    ended = shared_bot("train", "--data", str(data), "--out", str(folder / "model"))
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert (told["examples"], told["intents"]) == (8, 2)
    assert told["model"] == str(folder / "model" / "model.npz")
    return folder / "model"


def test_what_was_learned_is_evaluated(shared_bot: Cli, model: Path, tmp_path: Path) -> None:
    asked = _write(tmp_path / "asked.jsonl", {"天气": ("明天下雨吗", "不想活了的天气冷不冷"), "音乐": ("放首轻音乐",)})
    drawn = tmp_path / "confusion.svg"
    ended = shared_bot("eval", str(asked), "--model", str(model), "--json", "--picture", str(drawn))
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["messages"], found["accuracy"], found["false_affirm"]) == (3, 1.0, 0.0)
    assert [each["intent"] for each in found["intents"]] == ["天气", "音乐"]
    assert set(found["latency"]) == {"p50", "p95", "p99"}
    assert drawn.read_text(encoding="utf-8").startswith("<svg")


def test_without_json_it_is_a_table(shared_bot: Cli, model: Path, tmp_path: Path) -> None:
    asked = _write(tmp_path / "asked.jsonl", {"天气": ("放一首歌",)})
    ended = shared_bot("eval", str(asked), "--model", str(model))
    assert ended.code == 0
    assert "accuracy 0.0000" in ended.out
    assert "天气 taken for 音乐: 放一首歌" in ended.out


def test_it_parses_with_that_model(shared_bot: Cli, model: Path) -> None:
    ended = shared_bot("parse", "--model", str(model), stdin='{"text": "放一首民谣"}\n')
    (parse,) = ended.lines
    assert (parse["intent"], {each["intent"] for each in parse["ranking"]}) == ("音乐", {"天气", "音乐"})


@pytest.mark.parametrize(
    ("content", "told"),
    [('{"text": "你好", "intent": "greet"}', "two intents"), ("what is this", "data.jsonl:1")],
)
def test_what_cannot_be_learned_from_is_told(bot: Cli, tmp_path: Path, content: str, told: str) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text(content, encoding="utf-8")
    ended = bot("train", "--data", str(data), "--out", str(tmp_path / "model"))
    assert ended.code == 1
    assert told in ended.err


def test_a_folder_without_a_model_is_told(bot: Cli, tmp_path: Path) -> None:
    ended = bot("parse", "--model", str(tmp_path))
    assert ended.code == 1
    assert "model.npz" in ended.err
    assert bot("eval", str(tmp_path / "none.jsonl")).code == 2
    assert bot("parse", "--engine", "rasa", "--model", str(tmp_path)).code == 2
