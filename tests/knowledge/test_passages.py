"""What may be quoted: every passage of the house is well-formed, dated and sourced; faults name file and line."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from actions.core.errors import ConfigurationError
from actions.knowledge import load_passages, load_words
from actions.knowledge.passages import LONGEST, Passage
from bot.settings import ROOT

KNOWLEDGE = ROOT / "data" / "knowledge"
FRONT = """---
title: 会费
service: union_info
source: 某办法
owner: 财务
status: confirmed
effective: 2020-01-01
---
"""


@pytest.fixture(scope="module")
def passages() -> tuple[Passage, ...]:
    return load_passages(KNOWLEDGE)


def _read(folder: Path, text: str) -> tuple[Passage, ...]:
    (folder / "fees.md").write_text(text, encoding="utf-8")
    return load_passages(folder)


def test_there_are_passages_enough_for_every_question_service(passages: tuple[Passage, ...]) -> None:
    counts = Counter(passage.service for passage in passages)
    assert sum(counts.values()) >= 80
    assert set(counts) == {"welfare", "counseling_info", "sports_info", "club_info", "union_info"}
    assert min(counts.values()) >= 12


def test_every_passage_says_where_it_stands_and_since_when(passages: tuple[Passage, ...]) -> None:
    without = [each.ref for each in passages if each.effective is None]
    assert without == ["counseling-hotline#心理热线电话、夜里难受找谁"]
    assert all(each.source and each.owner and 0 < len(each.text) <= LONGEST for each in passages)


def test_what_the_union_has_not_confirmed_is_an_example(passages: tuple[Passage, ...]) -> None:
    own = [each for each in passages if "校工会办事说明" in each.source]
    assert own
    assert {each.status for each in own} == {"示例"}
    quoted = [each for each in passages if each.status == "confirmed"]
    assert all("示例" not in each.text for each in quoted)


def test_the_wording_of_the_plan_is_never_put_into_other_words(passages: tuple[Passage, ...]) -> None:
    plan = [each for each in passages if "工作要点" in each.source]
    assert len(plan) > 20
    assert all(each.verbatim for each in plan)
    assert all(each.expired(date(2026, 1, 1)) and not each.expired(date(2025, 12, 31)) for each in plan)


def test_no_word_of_the_wrong_tone(passages: tuple[Passage, ...]) -> None:
    text = "".join(each.heading + each.text for each in passages)
    assert [word for word in ("患者", "驳回", "用户", "贫困户", "！") if word in text] == []


def test_a_file_becomes_one_passage_for_each_heading(tmp_path: Path) -> None:
    first, second = _read(
        tmp_path, f"{FRONT}\n引言不算。\n\n## 交多少\n\n千分之五。\n\n第二段。\n\n## 怎么交\n每月交。\n"
    )
    assert (first.ref, first.text, first.effective) == ("fees#交多少", "千分之五。\n\n第二段。", date(2020, 1, 1))
    assert (second.heading, second.text, second.source) == ("怎么交", "每月交。", "某办法")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("## 交多少\n每月交。\n", "fees.md:1: front matter"),
        ("---\ntitle: 会费\n", "fees.md:1: the front matter has no end"),
        (FRONT.replace("owner: 财务\n", "") + "## 交\n每月。\n", "owner: Field required"),
        (FRONT.replace("confirmed", "大概") + "## 交\n每月。\n", "fees.md:6: status"),
        (FRONT.replace("2020-01-01", "2020-13-01") + "## 交\n每月。\n", "fees.md"),
        (FRONT.replace("---\n", "---\nexpires: 2019-01-01\n", 1) + "## 交\n每月。\n", "lies before effective"),
        (FRONT.replace("---\n", "---\nprice: 5\n", 1) + "## 交\n每月。\n", "fees.md:2: price"),
        (FRONT + "## 交\n\n## 怎么交\n每月。\n", "fees.md:9: no text below '交'"),
        (FRONT + "## 交\n一。\n## 交\n二。\n", "fees.md:11: the heading '交' is there twice"),
        (FRONT + "没有标题\n", "no passage"),
        (FRONT + "## 交\n" + "长" * (LONGEST + 1), "part it by another"),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _read(tmp_path, text)
    assert fault in str(refused.value)


def test_the_words_of_a_group_are_one_word(tmp_path: Path) -> None:
    path = tmp_path / "words.yml"
    path.write_text("stop: [吗, 有]\nterms: [疗休养]\nsame:\n  - [生育, 生孩子, 二胎]\n", encoding="utf-8")
    words = load_words(path)
    assert words.of("生孩子有慰问吗") == ["慰问", "≈生育"]
    assert words.of("二胎")[-1] == words.of("生育")[-1] == "≈生育"
    assert "疗休养" in words.of("疗休养几天")


def test_a_fault_of_the_words_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "words.yml"
    path.write_text("stop: []\nsame:\n  - [生育]\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"words.yml:3: same"):
        load_words(path)
