"""The life of a model: it changes while people write, a worse one is refused, and the old one comes back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from actions.core.errors import ConfigurationError
from bot import models as life
from bot.models import Models, follow, learn
from nlu.pipeline import Embedded, Pipeline
from nlu.text import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
TAUGHT = {
    "greet": ("你好", "您好呀", "早上好", "在吗老师"),
    "book_room": ("想约瑜伽室", "健身房还有位置吗", "约一下多功能室", "活动室怎么预约"),
    "crisis": ("我不想活了", "活着没意思", "想死", "撑不下去了"),
}
LATER = {**TAUGHT, "thanks": ("谢谢", "多谢老师", "辛苦啦", "太感谢了")}


def write(path: Path, rows: Mapping[str, tuple[str, ...]]) -> None:
    lines = [json.dumps({"text": text, "intent": name}) for name, texts in rows.items() for text in texts]
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def models(tmp_path: Path) -> Models:
    """A var/ with little data of its own."""
    evaluation = tmp_path / "evaluation"
    evaluation.mkdir()
    write(evaluation / "intents.jsonl", {"greet": ("你好啊",), "book_room": ("想约一下瑜伽室",)})
    write(evaluation / "crisis.jsonl", {"crisis": ("真的不想活了",)})
    write(tmp_path / "data.jsonl", TAUGHT)
    return Models(tmp_path, tmp_path / "data.jsonl", evaluation)


def test_a_house_starts_with_the_model_that_ran_last_and_learns_what_is_new_beside_it(models, tmp_path):
    _, first = models.starting()
    assert not models.outdated()
    write(tmp_path / "data.jsonl", LATER)
    assert models.outdated()
    assert models.starting()[1].data == first.data
    before, new = models.current, models.train()
    assert (new.examples, new.accuracy, new.crisis) == (16, 1.0, 1.0)
    assert models.current == before
    models.load(new.name)
    assert not models.outdated()
    assert models.starting()[1].intents == ("book_room", "crisis", "greet", "thanks")


def test_a_worse_one_is_refused_unless_forced_and_the_old_one_comes_back(models, tmp_path):
    models.starting()
    old = models.known(models.current)
    write(tmp_path / "data.jsonl", LATER)
    worse = replace(models.train(), crisis=0.5)
    worse.keep(models.folder)
    with pytest.raises(ConfigurationError, match=r"crisis 1\.0000.*crisis 0\.5000.*--force"):
        models.load(worse.name)
    assert models.current == old.name
    models.load(worse.name, force=True)
    assert models.current == worse.name
    models.load(old.name)
    assert models.current == old.name
    assert not models.outdated(), "what was taken back does not come again by itself"
    write(tmp_path / "data.jsonl", {**LATER, "praise": ("真棒", "做得真好", "点个赞", "太厉害了")})
    assert models.outdated()


async def test_data_that_cannot_be_read_are_told(models, tmp_path):
    models.starting()
    (tmp_path / "data.jsonl").write_text("{", encoding="utf-8")
    with capture_logs() as logs:
        await learn(models)
    assert [entry["event"] for entry in logs] == ["training_failed"]
    assert "data.jsonl:1" in logs[0]["reason"]


def test_figures_of_other_messages_are_not_compared(models, tmp_path):
    models.starting()
    assert models.known(models.current).accuracy == 1.0
    write(tmp_path / "evaluation" / "intents.jsonl", {"greet": ("你好啊",), "book_room": ("您好",)})
    assert models.known(models.current).accuracy == 0.5


def test_where_the_model_cannot_be_read_the_data_are_learned_anew(models):
    _, model = models.starting()
    (models.folder / f"{models.current}.npz").write_bytes(b"torn")
    assert models.starting()[1].data == model.data
    with pytest.raises(ConfigurationError, match="no model 'embedded-of-nobody'"):
        models.load("embedded-of-nobody")


def test_the_last_five_are_kept_beside_the_one_that_runs(models, tmp_path):
    models.starting()
    ran = models.known(models.current).name
    for number in range(7):
        write(tmp_path / "data.jsonl", {**TAUGHT, "thanks": ("谢谢", "多谢老师", "辛苦啦", f"感谢 {number}")})
        last = models.train().name
    kept = {path.stem for path in models.folder.glob("*.npz")}
    assert len(kept) == 7
    assert {ran, last} <= kept
    assert kept == {path.stem for path in models.folder.glob("*.json")}


async def test_a_model_changes_while_people_write_and_every_message_is_answered(models, tmp_path, monkeypatch):
    monkeypatch.setattr(life, "_LOOK_SECONDS", 0.01)
    name, model = models.starting()
    engine = Embedded(model)
    pipeline = Pipeline(engine, ours=False)
    write(tmp_path / "data.jsonl", LATER)
    new = await asyncio.to_thread(models.train)
    # Made the running one before anybody follows: what counts is the model that was loaded.
    await asyncio.to_thread(models.load, new.name)
    following = asyncio.create_task(follow(models, engine, name))
    said: list[str] = []
    while "thanks" not in said:
        said.append((await pipeline.parse("太感谢了", NOW)).ranking[0].intent)
        assert (await engine.classify(normalise("你好")))[0].intent == "greet"
        await asyncio.sleep(0.005)
    (tmp_path / "running-model").write_text("embedded-gone")
    await asyncio.sleep(0.05)
    assert (await pipeline.parse("太感谢了", NOW)).ranking[0].intent == "thanks"
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
