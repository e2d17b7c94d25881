"""The checks of conversations are checked: an expectation that is wrong must be told, each in its own way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from bot.replay import Dialogue
from tests.conversations.checking import differences
from tests.conversations.test_conversations import SPEAKER

if TYPE_CHECKING:
    from bot.replay import Stage

TURNS = ["周三下午三点约何医生线上", "同意", "王芳 13912345678", "确认"]
TOLD = {"何医生": "有老师预约了"}
RECORD = {"service": "counseling", "kind": "appointment", "state": "booked", "member": "林一帆"}


@pytest.fixture(scope="module")
def played(stage: Stage) -> dict[str, Any]:
    """The dialogue, played once: what is expected of it changes nothing."""
    return asyncio.run(stage.play(Dialogue.model_validate({"name": "checked", "turns": TURNS})))


def _faults(played: dict[str, Any], last: dict[str, Any], *records: dict[str, Any]) -> list[str]:
    """What is told of the dialogue where this is expected of its last turn, and these records."""
    turns: list[Any] = [*TURNS[:-1], {"text": TURNS[-1], "expect": last}]
    expected = {"name": "checked", "turns": turns, "expect": {"records": list(records)}}
    return differences(Dialogue.model_validate(expected), played, SPEAKER)


def test_what_is_as_expected_has_no_faults(played: dict[str, Any]) -> None:
    expected = {"to": TOLD, "says": ["约好了", "何医生"], "never_says": "王芳", "intent": "affirm", "only_options": []}
    fields = {"counsellor": "何医生", "mode": "线上", "contact": "王芳 13912345678"}
    assert _faults(played, expected, {**RECORD, "fields": fields}) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"says": "取消了"}, "does not say '取消了'"),
        ({"says": ["约好了", "高老师"]}, "does not say '高老师'"),
        ({"never_says": "何医生"}, "says '何医生'"),
        ({"intent": "deny"}, "expected deny, got affirm"),
        ({"service": "health_room"}, "expected health_room, got counseling"),
        ({"options": "确认"}, "does not offer '确认'"),
        ({"only_options": ["确认"]}, "offers []"),
        ({"alerts": ["despair"]}, "expected alerts ['despair'], got []"),
        ({"to": {}}, "何医生 was told something, too"),
        ({"to": {**TOLD, "高老师": "有老师预约了"}}, "高老师 was told nothing"),
        ({"to": {"何医生": "林一帆"}}, "何医生: does not say '林一帆'"),
        ({"to": {"何医生": {"says": "预约", "never_says": "15:00"}}}, "何医生: says '15:00'"),
    ],
)
def test_a_wrong_turn_is_told(wrong: dict[str, Any], told: str, played: dict[str, Any]) -> None:
    faults = _faults(played, {"to": TOLD, **wrong}, RECORD)
    assert len(faults) == 1
    assert faults[0].startswith("turn 4 (确认): ")
    assert told in faults[0]


@pytest.mark.parametrize(
    "records",
    [
        [],
        [RECORD, RECORD],
        [{**RECORD, "state": "cancelled"}],
        [{**RECORD, "member": "王敏"}],
        [{**RECORD, "kind": "waitlist"}],
        [{**RECORD, "service": "health_room"}],
        [{**RECORD, "fields": {"mode": "线下"}}],
        [{**RECORD, "fields": {"campus": "南湖校区"}}],
    ],
)
def test_wrong_records_are_told(records: list[dict[str, Any]], played: dict[str, Any]) -> None:
    faults = _faults(played, {"to": TOLD}, *records)
    assert len(faults) == 1
    assert "records" in faults[0]


def test_nothing_is_expected_of_nothing(played: dict[str, Any]) -> None:
    """A dialogue with no expectations at all, and one whose turn leaves a trace that nobody expected."""
    with pytest.raises(ValidationError):
        differences(Dialogue.model_validate({"name": "bare", "turns": TURNS}), played, SPEAKER)
    assert [fault[:6] for fault in _faults(played, {})] == ["turn 4", "expect"]


@pytest.mark.parametrize("unknown", [{"say": "约好了"}, {"records": []}, {"to": {"何医生": {"said": "预约"}}}])
def test_an_expectation_that_is_misspelt_is_refused(unknown: dict[str, Any], played: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _faults(played, {"to": TOLD, **unknown}, RECORD)


def test_an_unknown_word_about_records_is_refused() -> None:
    dialogue = Dialogue.model_validate({"name": "x", "turns": [], "expect": {"records": [{"status": "booked"}]}})
    with pytest.raises(ValidationError):
        differences(dialogue, {"turns": [], "records": []}, SPEAKER)


def test_silence_is_told() -> None:
    dialogue = Dialogue.model_validate({"name": "x", "turns": ["你好"], "expect": {"records": []}})
    turn = {"text": "你好", "intent": "greet", "service": "", "replies": [], "alerts": []}
    assert differences(dialogue, {"turns": [turn], "records": []}, SPEAKER) == ["turn 1 (你好): nothing was answered"]
    spoken = {"to": SPEAKER, "text": "亲，您好", "options": []}
    told = differences(dialogue, {"turns": [{**turn, "replies": [spoken]}], "records": []}, SPEAKER)
    assert told == [f"turn 1 (你好): {SPEAKER} reads '亲，'"]
