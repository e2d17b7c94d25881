"""Finding the passage: what the house can answer it answers, what it cannot it does not; and the rules of a search."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.knowledge.passages import Passage
from actions.knowledge.retrieval import Index, Question, build_index
from actions.knowledge.wanted import gives, wanted
from actions.knowledge.words import Words
from bench import answers

TODAY = date(2026, 11, 22)
WORDS = Words(groups={"生育": ("生育",), "生孩子": ("生育",)}, stop=frozenset("吗有的了"))


def _passage(heading: str, text: str, *, service: str = "welfare", expires: date | None = None) -> Passage:
    return Passage(
        ref=f"doc#{heading}",
        heading=heading,
        text=text,
        title="规定",
        service=service,
        source="某办法",
        owner="工会",
        status="confirmed",
        expires=expires,
    )


SMALL = (
    _passage("生育慰问", "生育时可以给予慰问品。"),
    _passage("退休纪念品", "退休时可以发放纪念品。"),
    _passage("入会手续", "入会要填一张表。", service="union_info"),
    _passage("咨询收费", "咨询收费以公告为准。", service="counseling_info"),
)


@pytest.fixture(scope="module")
def house() -> dict[str, Index]:
    return answers.indexes()


@pytest.fixture(scope="module")
def small() -> Index:
    return build_index(SMALL, WORDS)


@pytest.mark.parametrize("name", ["words and vectors", "words alone"])
def test_the_evaluation_is_passed(house: dict[str, Index], name: str) -> None:
    """Not tuned on: written before the passages (bench/answers.py)."""
    figures = answers.measure(house[name], answers.read_questions(answers.EVALUATION))
    assert figures.first >= 0.82
    assert figures.three >= 0.93
    assert figures.refused >= 0.88
    assert figures.invented <= 0.06
    assert figures.wrong <= 0.03


def test_the_evaluation_is_large_and_its_keys_are_there(house: dict[str, Index]) -> None:
    asked = answers.read_questions(answers.EVALUATION)
    refs = {each.ref for each in house["words alone"].passages}
    assert len(asked) >= 200
    assert sum(not each.passages for each in asked) >= 60
    assert [ref for each in asked for ref in each.passages if ref not in refs] == []
    tuned = {each.text for each in answers.read_questions(answers.TUNING)}
    assert not tuned & {each.text for each in asked}


def test_vectors_find_more_than_words_alone(house: dict[str, Index]) -> None:
    asked = answers.read_questions(answers.EVALUATION)
    both, words = (answers.measure(house[name], asked) for name in ("words and vectors", "words alone"))
    assert both.first > words.first
    assert both.answered > words.answered


def test_another_way_of_saying_it_is_found(small: Index) -> None:
    found = small.search(Question(text="生孩子有慰问吗", service="welfare"), TODAY)
    assert (found.verdict, found.hits[0].passage.ref) == ("sure", "doc#生育慰问")


def test_nothing_is_found_in_nothing() -> None:
    assert build_index((), WORDS).search(Question(text="生孩子有慰问吗"), TODAY).verdict == "nothing"


@pytest.mark.parametrize("text", ["", " ", "?", "吗"])
def test_an_empty_question_has_no_answer(small: Index, text: str) -> None:
    assert small.search(Question(text=text), TODAY).verdict == "nothing"


def test_what_follows_is_understood_by_what_came_before(small: Index) -> None:
    alone = small.search(Question(text="那手续呢"), TODAY)
    after = small.search(Question(text="那手续呢", about="退休纪念品 退休有纪念品吗"), TODAY)
    assert alone.hits[0].passage.heading == "入会手续"
    scores = {hit.passage.heading: hit.score for hit in after.hits}
    assert scores["退休纪念品"] > {hit.passage.heading: hit.score for hit in alone.hits}.get("退休纪念品", 0)


def test_the_service_that_was_meant_comes_first_where_two_fit() -> None:
    twins = (_passage("活动时间", "周三。", service="club_info"), _passage("活动时间", "周四。", service="sports_info"))
    index = build_index(twins, WORDS)
    for service in ("club_info", "sports_info"):
        found = index.search(Question(text="活动时间", service=service), TODAY)
        assert found.hits[0].passage.service == service


def test_what_must_not_be_spoken_of_here_is_never_the_answer(small: Index) -> None:
    found = small.search(Question(text="咨询收费", without={"counseling_info"}), TODAY)
    assert found.verdict == "nothing"
    assert all(hit.passage.service != "counseling_info" or hit.score < 0 for hit in found.hits)


def test_of_two_that_say_the_same_the_one_that_still_counts_comes_first() -> None:
    old = _passage("福利怎么选", "旧办法。", expires=date(2025, 12, 31))
    new = _passage("福利怎么选。", "新办法。")
    found = build_index((old, new), WORDS).search(Question(text="福利怎么选"), TODAY)
    assert found.hits[0].passage.text == "新办法。"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("会费一个月交多少钱", {"money"}),
        ("何医生电话是多少", {"phone"}),
        ("中心几点下班", {"clock"}),
        ("工会主席是谁", {"person"}),
        ("产假有几天", {"count"}),
        ("在几号楼几楼", {"place"}),
        ("为什么要公示", set()),
    ],
)
def test_what_kind_of_thing_is_asked_for(text: str, kinds: set[str]) -> None:
    assert wanted(text) == kinds


def test_a_passage_without_a_price_does_not_answer_what_it_costs() -> None:
    assert not gives({"money"}, _passage("结婚慰问", "可以给予一定金额的慰问品。"))
    assert gives({"money"}, _passage("结婚慰问", "可以给予 500 元慰问品。"))
    priceless = build_index((_passage("结婚慰问", "可以给予一定金额的慰问品。"),), WORDS)
    assert priceless.search(Question(text="结婚慰问多少钱"), TODAY).verdict != "sure"


def test_who_is_not_known_to_ask_a_question_is_answered_only_where_it_is_plain(house: dict[str, Index]) -> None:
    index = house["words and vectors"]
    plain = index.search(Question(text="产假有几天", strict=True), TODAY)
    assert (plain.verdict, plain.hits[0].passage.heading) == ("sure", "产假天数")
    for text in ("今天天气怎么样", "红烧肉怎么做", "学生成绩怎么录", "这周末去哪玩呢"):
        assert index.search(Question(text=text, strict=True), TODAY).verdict == "nothing"


@given(st.text(max_size=60), st.sampled_from(["", "welfare", "union_info"]), st.text(max_size=30))
def test_any_text_has_a_verdict_and_scores_in_order(text: str, service: str, about: str) -> None:
    found = build_index(SMALL, WORDS).search(Question(text=text, service=service, about=about), TODAY)
    scores = [hit.score for hit in found.hits]
    assert found.verdict in ("sure", "unsure", "nothing")
    assert scores == sorted(scores, reverse=True)
    assert all(-1.1 <= score <= 1.2 for score in scores)
