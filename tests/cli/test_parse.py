"""`bot parse`: JSON lines in, JSON lines out, in the same order, whatever a line holds."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bot.settings import ROOT
from tests.peers.server import environment

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

NOW = "2026-11-22T09:00+08:00"
BOOKING = "😀下周三下午想约心理咨询"

#: name -> line; `bot parse` reads them in this order.
LINES: dict[str, bytes] = {
    "booking": json.dumps({"text": BOOKING}).encode(),
    "no json": b"what is this",
    "blank": b"",
    "own now, Shanghai": json.dumps({"text": "明天下午三点", "now": "2026-12-01T08:00:00"}).encode(),
    "own now, UTC": json.dumps({"text": "明天下午三点", "now": "2026-11-30T17:00:00Z"}).encode(),
    "no text": b'{"now": "2026-12-01T08:00:00"}',
    "text is a number": b'{"text": 5}',
    "a list": b'["text"]',
    "null": b"null",
    "bad now": b'{"text": "x", "now": "tomorrow"}',
    "now is a number": b'{"text": "x", "now": 5}',
    "now before all times": b'{"text": "x", "now": "0001-01-01T00:00:00+14:00"}',
    "not UTF-8": b'{"text": "\xff\xfe"}',
    "nested without end": b"[" * 100_000,
    "half a character": b'{"text": "\\ud83d\xe5\xa5\xbd"}',
    "empty text": b'{"text": ""}',
    "long text": json.dumps({"text": "想约心理咨询" * 1_700}).encode(),
    "last": '{"text": "谢谢"}'.encode(),
}
FAULTY = (
    "no json", "blank", "no text", "text is a number", "a list", "null", "bad now", "now is a number",
    "now before all times", "not UTF-8", "nested without end",
)  # fmt: skip


@pytest.fixture(scope="module")
def parsed(shared_bot: Cli) -> dict[str, Any]:
    """The answer to each line."""
    ended = shared_bot("parse", "--now", NOW, stdin=b"\n".join(LINES.values()))
    assert (ended.code, ended.err) == (0, "")
    assert len(ended.lines) == len(LINES)
    return dict(zip(LINES, ended.lines, strict=True))


def test_a_parse_has_the_shape_of_the_contract(parsed: dict[str, Any]) -> None:
    parse = parsed["booking"]
    assert list(parse) == ["text", "intent", "confidence", "ranking", "entities", "times"]
    assert (parse["text"], parse["intent"]) == (BOOKING, "book_counseling")
    assert 0 < parse["confidence"] <= 1
    assert [set(each) for each in parse["ranking"]] == [{"intent", "confidence"}] * 5
    sure = [each["confidence"] for each in parse["ranking"]]
    assert sure == sorted(sure, reverse=True)
    assert parse["ranking"][0]["intent"] == "book_counseling"


def test_places_count_code_points_of_the_original_text(parsed: dict[str, Any]) -> None:
    start, end = BOOKING.index("心理咨询"), len(BOOKING)
    entity = {"entity": "service", "value": "counseling", "start": start, "end": end}
    assert parsed["booking"]["entities"] == [entity]


def test_a_span_of_time_is_half_open_in_shanghai(parsed: dict[str, Any]) -> None:
    span = {"start": "2026-11-25T12:00:00+08:00", "end": "2026-11-25T18:00:00+08:00"}
    assert parsed["booking"]["times"] == [{"text": "下周三下午", **span, "kind": "span"}]


@pytest.mark.parametrize("line", ["own now, Shanghai", "own now, UTC"])
def test_a_line_may_bring_its_own_now(parsed: dict[str, Any], line: str) -> None:
    at_three = "2026-12-02T15:00:00+08:00"
    assert parsed[line]["times"] == [{"text": "明天下午三点", "start": at_three, "end": at_three, "kind": "point"}]


@pytest.mark.parametrize("line", FAULTY)
def test_a_faulty_line_is_answered_by_an_error_in_its_place(parsed: dict[str, Any], line: str) -> None:
    assert list(parsed[line]) == ["error"]
    assert parsed[line]["error"]


def test_any_text_is_parsed(parsed: dict[str, Any]) -> None:
    assert parsed["half a character"]["text"] == "\ud83d好"
    assert parsed["empty text"]["intent"] == "out_of_scope"
    assert parsed["long text"]["text"].startswith("想约心理咨询")
    assert parsed["last"]["intent"] == "thanks"


def test_a_now_that_is_no_time_is_wrong_usage(shared_bot: Cli) -> None:
    ended = shared_bot("parse", "--now", "tomorrow", stdin='{"text": "x"}')
    assert (ended.code, ended.out) == (2, "")
    assert "--now" in ended.err


def test_understanding_loads_nothing_of_the_rest_of_the_house(shared_bot: Cli) -> None:
    """Its start and its memory rest on this (docs/rasa.md)."""
    told = """
import sys
from bot.__main__ import main
main(["parse"], standalone_mode=False)
print({"bot.app", "bot.lives", "sqlalchemy", "openpyxl", "docx", "httpx", "pypinyin.phrases_dict"} & set(sys.modules))
"""
    ran = subprocess.run(
        [sys.executable, "-c", told],
        input=LINES["booking"],
        capture_output=True,
        cwd=ROOT,
        env=environment(shared_bot.var),
        check=True,
    )
    parse, loaded = ran.stdout.decode().splitlines()
    assert json.loads(parse)["intent"] == "book_counseling"
    assert loaded == "set()"
