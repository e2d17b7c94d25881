"""Slips of a pinyin input method are mended where it is clear what was meant, and nothing else is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.spelling import Speller
from nlu.text import normalise

if TYPE_CHECKING:
    from nlu.engine import Model

SMALL = Speller.learn(["我想预约心理咨询", "预约心理咨询", "心理咨询怎么约", "预约瑜伽室", "绑定工号"] * 20)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("想玉约心里咨询", "想预约心理咨询"),
        ("帮定工号", "绑定工号"),
        ("预约新里咨询", "预约心理咨询"),
        ("预约心理知询", "预约心理咨询"),  # zh is z
        ("预约心你咨询", "预约心理咨询"),  # n is l
    ],
)
def test_a_slip_is_mended(written: str, meant: str) -> None:
    assert SMALL.mended(written) == meant


@pytest.mark.parametrize(
    "text", ["我想预约心理咨询", "今天天气真好", "玉", "心里", "", "ok", "瑜伽室3号", "躞蹀", "好的"]
)
def test_what_may_be_meant_stays(model: Model, text: str) -> None:
    assert model.speller is not None
    assert model.speller.mended(text) == text


@given(st.text(max_size=40))
def test_a_message_keeps_its_length_and_all_that_is_no_chinese(text: str) -> None:
    plain = normalise(text)
    mended = SMALL.mended(plain)
    assert len(mended) == len(plain)
    assert all(new == old for new, old in zip(mended, plain, strict=True) if old < "⺀")


def test_a_speller_is_made_of_its_counts() -> None:
    assert Speller(SMALL.counts).mended("想玉约心里咨询") == "想预约心理咨询"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("查一下我的与约", "查一下我的预约"),
        ("想取消预越", "想取消预约"),
        ("绑定公号", "绑定工号"),
        ("我的金点子进渡怎么样了", "我的金点子进度怎么样了"),
    ],
)
def test_the_projects_own_words_are_mended(model: Model, written: str, meant: str) -> None:
    assert model.speller is not None
    assert model.speller.mended(written) == meant
