"""Long answers do not fill a group's screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gateway.folding import first_line, is_long


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("目前我能帮您：\n· 约咨询\n· 约房间", "目前我能帮您"),
        ("能领。一年一次，具体看通知。", "能领"),
        ("可以吗？可以。", "可以吗？"),
        ("没有标点的一行", "没有标点的一行"),
        ("", ""),
    ],
)
def test_it_begins_as_the_answer_does(text: str, line: str) -> None:
    assert first_line(text) == line


@given(st.text(st.sampled_from("工会。\n：a"), max_size=300))
def test_the_line_is_short_and_one(text: str) -> None:
    line = first_line(text)
    assert len(line) <= 60
    assert "\n" not in line


def test_what_is_long() -> None:
    assert is_long("字" * 201)
    assert is_long("一行\n" * 8)
    assert not is_long("约好了：11月25日(周三)15:00")
