"""The figures: each one from messages that a hand can count; and the data they are measured on is nobody's training."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.data import Example, read
from nlu.evaluation import Judged, auroc, judge, picture, report
from nlu.pipeline import Pipeline
from nlu.text import normalise
from tests.nlu.test_pipeline import NOW, Says

ROOT = Path(__file__).parents[2]
EVALUATION = ROOT / "data/evaluation"


def judged(intent: str, said: str, in_scope: float = 0.9, text: str = "t") -> Judged:
    return Judged(text=text, intent=intent, said=said, in_scope=in_scope, milliseconds=2.0)


def test_the_figures_are_what_one_counts() -> None:
    found = report(
        [
            judged("greet", "greet"),
            judged("greet", "greet"),
            judged("greet", "thanks", text="你好谢谢"),
            judged("affirm", "affirm"),
            judged("out_of_scope", "affirm", 0.5),
            judged("out_of_scope", "out_of_scope", 0.1),
        ]
    )
    assert found.messages == 6
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.false_affirm == pytest.approx(1 / 5)
    assert found.auroc == 1.0
    assert found.latency == {"p50": 2.0, "p95": 2.0, "p99": 2.0}
    rows = {each.intent: (each.messages, each.precision, each.recall) for each in found.intents}
    assert rows["greet"] == pytest.approx((3, 1.0, 2 / 3))
    assert rows["affirm"] == pytest.approx((1, 0.5, 1.0))
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3 + 2 / 3) / 3)
    assert [(c.intent, c.said, c.times, c.texts) for c in found.confusions] == [
        ("greet", "thanks", 1, ("你好谢谢",)),
        ("out_of_scope", "affirm", 1, ("t",)),
    ]
    assert json.loads(json.dumps(found.to_json()))["accuracy"] == found.accuracy
    assert "greet taken for thanks: 你好谢谢" in found.table()


def test_nothing_to_judge_is_told() -> None:
    with pytest.raises(ValueError, match="no message"):
        report([])


@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_the_area_is_the_chance_that_one_stands_above_the_other(wanted: list[int], unwanted: list[int]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a in wanted for b in unwanted]
    assert auroc(wanted, unwanted) == pytest.approx(sum(pairs) / len(pairs))


def test_an_area_needs_two_sides() -> None:
    assert auroc([], [1.0]) is None
    assert auroc([1.0], []) is None


async def test_a_message_is_judged_by_what_the_pipeline_says_of_it() -> None:
    pipeline = Pipeline(Says(out_of_scope=0.6, greet=0.3))
    (found,) = await judge(pipeline, [Example(text="你好", intent="greet")], NOW)
    assert (found.said, found.in_scope) == ("out_of_scope", 0.3)
    assert found.milliseconds > 0


def test_the_picture_names_every_intent_and_every_count() -> None:
    root = ET.fromstring(picture([judged("greet", "greet"), judged("<b>", "greet"), judged("<b>", "greet")]))
    told = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith(("text", "title"))]
    assert told == ["<b>", "<b>", "greet", "greet", "<b> → greet: 2", "greet → greet: 1"]


FEWEST = {"crisis": 200, "false_alarms": 200, "out_of_scope": 300, "false_affirm": 400, "typos": 600}


@pytest.mark.parametrize("name", FEWEST)
def test_there_is_enough_to_measure_with(name: str, intents: frozenset[str]) -> None:
    rows = read(EVALUATION / f"{name}.jsonl")
    assert len({row.text for row in rows}) == len(rows) >= FEWEST[name]
    assert {row.intent for row in rows} <= intents
    if name == "false_affirm":
        assert "affirm" not in {row.intent for row in rows}


def test_every_intent_is_measured(intents: frozenset[str]) -> None:
    rows = read(EVALUATION / "intents.jsonl")
    counts = {intent: sum(row.intent == intent for row in rows) for intent in intents - {"crisis", "out_of_scope"}}
    assert min(counts.values()) >= 15, counts


def test_what_is_measured_with_was_never_learned(examples: tuple[Example, ...]) -> None:
    """Two people who say 好的 say the same; a whole sentence that stands in both was copied."""
    learned = {normalise(example.text) for example in examples}
    files = [EVALUATION / f"{name}.jsonl" for name in ("intents", "typos", *FEWEST)]
    asked = {normalise(row.text) for file in files for row in read(file)}
    assert not {text for text in asked & learned if len(text) > 5}
    assert not [path for path in (ROOT / "data/nlu").rglob("*") if "evaluation" in path.name]
