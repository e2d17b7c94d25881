"""Pure blocks of the life case: what a first message says, bank cards, marks, what is alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.cards import MASK, masked
from actions.blocks.openings import content, title
from actions.blocks.satisfaction import marks
from actions.blocks.similarity import alike, bigrams, packed, shared, unpacked

NAMES = ("意见建议", "提个意见", "金点子", "提案")
LEVELS = ("满意", "基本满意", "不满意")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("建议在图书馆门口加个遮雨棚", "建议在图书馆门口加个遮雨棚"),
        ("我有个金点子：教学楼走廊装感应灯，人走灯灭", "教学楼走廊装感应灯，人走灯灭"),
        ("南湖食堂晚上八点以后就没有热菜了，提个意见", "南湖食堂晚上八点以后就没有热菜了"),
        ("食堂太难吃了，提个意见", ""),
        ("我有个金点子", ""),
        ("提个意见，怎么提交到你们那里呢", ""),
        ("建议怎么提", ""),
    ],
)
def test_what_the_first_message_says(text: str, said: str) -> None:
    assert content(text, NAMES) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("我想提一个关于停车的提案", "关于停车"),
        ("关于改善青年教师住房的提案，提交", "关于改善青年教师住房"),
        ("我要交提案，案由是食堂卫生", "食堂卫生"),
        ("我要提案", ""),
    ],
)
def test_the_title_that_a_message_names(text: str, said: str) -> None:
    assert title(text) == said


def _luhn(body: str) -> str:
    digits = [int(digit) for digit in body]
    total = sum(sum(divmod(digit * 2, 10)) if place % 2 == 0 else digit for place, digit in enumerate(reversed(digits)))
    return body + str(-total % 10)


@given(st.text("0123456789", min_size=14, max_size=18).map(lambda body: _luhn("6" + body[1:])), st.sampled_from(" -"))
def test_a_card_is_masked_however_it_is_grouped(card: str, gap: str) -> None:
    born = len(card) == 18 and 1900 <= int(card[6:10]) <= 2100 and 1 <= int(card[10:12]) <= 12
    grouped = gap.join(card[at : at + 4] for at in range(0, len(card), 4))
    for written in (card, grouped):
        told = masked(f"我的卡 {written} 谢谢")
        assert (MASK in told) != born or born
        if not born:
            assert not any(card[at : at + 8] in told for at in range(len(card) - 8))


@pytest.mark.parametrize(
    "text",
    [
        "13912345678",
        "工号 20180312",
        "身份证 320311198701012345",
        "2026-11-22 14:00-16:00",
        "编号 123456789012",
        "没有数字",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert masked(text) == text


def test_a_number_that_is_called_a_card_is_masked() -> None:
    assert masked("工资卡 6222021234567890123") == f"工资卡 {MASK}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("态度满意，结果不满意", {"态度": "满意", "结果": "不满意"}),
        ("都满意", {"态度": "满意", "结果": "满意"}),
        ("态度基本满意 结果满意", {"态度": "基本满意", "结果": "满意"}),
        ("满意，结果不满意", {"态度": "满意", "结果": "不满意"}),
        ("结果不满意", None),
        ("还行", None),
    ],
)
def test_marks_are_read_apart(text: str, found: dict[str, str] | None) -> None:
    assert marks(text, ("态度", "结果"), LEVELS) == found


@given(st.permutations(["态度", "结果"]), st.tuples(st.sampled_from(LEVELS), st.sampled_from(LEVELS)))
def test_marks_in_any_order(aspects: list[str], given_: tuple[str, str]) -> None:
    text = "，".join(f"{aspect}{level}" for aspect, level in zip(aspects, given_, strict=True))
    assert marks(text, ("态度", "结果"), LEVELS) == dict(zip(aspects, given_, strict=True))


def test_shared_characters_alone_find_what_is_said_again() -> None:
    others = ["在教学楼走廊装感应灯，人走灯灭", "食堂晚上多开一个窗口", "图书馆周末延长开放"]
    found = alike("教学楼走廊装感应灯，可以省电", None, others, None, least=0.4, most=2)
    assert [each.place for each in found] == [0]


def test_vectors_are_kept_in_half_precision() -> None:
    rows = np.eye(3, 8, dtype=np.float32)
    again = unpacked([packed(row) for row in rows])
    assert np.array_equal(again, rows)
    found = alike("甲乙丙", rows[1], ["x", "y", "z"], again, least=0.5, most=3)
    assert [each.place for each in found] == [1]


@given(st.text(), st.text())
def test_shared_is_a_share(one: str, other: str) -> None:
    assert 0.0 <= shared(bigrams(one), bigrams(other)) <= 1.0
