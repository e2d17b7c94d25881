"""Learning from other people's data: few messages, odd names, no out_of_scope; little of it is turned away."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest

from bot.learning import train_model
from nlu.artefact import load_model
from nlu.data import Example
from nlu.training import train

if TYPE_CHECKING:
    from pathlib import Path

    from nlu.engine import Model

ODD = ("闹钟/设", "play music", "a|b\t'\"", "🎵", "<none>", "ALARM-off")


def few(examples: tuple[Example, ...], each: int, seed: int, *without: str) -> tuple[list[Example], list[Example]]:
    """So many of each intent to learn, and as many others to ask."""
    dice, learn, ask = Random(seed), [], []
    for intent in sorted({example.intent for example in examples} - set(without)):
        mine = dice.sample([example for example in examples if example.intent == intent], 2 * each)
        learn += mine[:each]
        ask += mine[each:]
    return learn, ask


def right(model: Model, asked: list[Example], threshold: float) -> float:
    """The share of messages that are understood, where an intent below the threshold is not."""
    best = [(model.classify(example.text), example.intent) for example in asked]
    return sum(bool(r) and r[0].intent == i and r[0].confidence >= threshold for r, i in best) / len(asked)


@pytest.mark.parametrize("seed", [2])
def test_with_few_examples_the_threshold_turns_little_away(examples: tuple[Example, ...], seed: int) -> None:
    learn, asked = few(examples, 8, seed)
    asked = [example for example in asked if example.intent != "out_of_scope"]
    model = train(learn)
    sure, any_way = right(model, asked, model.threshold), right(model, asked, 0.0)
    assert any_way > 0.55
    assert sure >= any_way - 0.03
    assert model.speller is None, "too little to know how words are written"


def test_without_out_of_scope_nothing_is_turned_away(examples: tuple[Example, ...]) -> None:
    learn, _ = few(examples, 8, 1, "out_of_scope")
    assert train(learn).threshold == 0.0


def test_intents_may_be_called_anything_and_have_one_example(tmp_path: Path) -> None:
    texts = {
        name: [f"{word}{end}" for end in ("", "一下", "吧")] for name, word in zip(ODD, "定放开唱没关", strict=True)
    }
    texts["once"] = ["讲个笑话"]
    data = tmp_path / "data.jsonl"
    rows = [{"text": text, "intent": name} for name, each in texts.items() for text in each]
    data.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    told = train_model(data, tmp_path / "out")
    assert (told["examples"], told["intents"], told["threshold"]) == (19, 7, 0.0)
    model = load_model(tmp_path / "out")
    assert set(model.intents) == {*ODD, "once"}
    assert model.classify("讲个笑话")[0].intent == "once"
    assert model.classify("唱一下吧")[0].intent == "🎵"


def test_an_intent_with_one_example_among_many(examples: tuple[Example, ...]) -> None:
    learn, _ = few(examples, 8, 3)
    model = train([*learn, Example(text="今天星期几", intent="weekday")])
    assert model.classify("今天星期几")[0].intent == "weekday"
