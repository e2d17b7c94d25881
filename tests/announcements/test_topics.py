"""别再推了, 讲座的留着: what a member wants of the news, in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.announcements.topics import Topics, load_topics
from bot.settings import ROOT


@pytest.fixture(scope="module")
def topics() -> Topics:
    return load_topics(ROOT / "data")


@pytest.mark.parametrize(
    ("said", "wishes"),
    [
        ("别再推了", {"": "none"}),
        ("TD", {"": "none"}),
        ("别再推了，讲座的留着", {"": "none", "lectures": "all"}),
        ("讲座的留着", {"lectures": "all"}),
        ("别再推讲座了", {"lectures": "none"}),
        ("生日祝福不用发了", {"birthday": "none"}),
        ("不要给我发节日祝福", {"greetings": "none"}),
        ("活动消息就不要推给我了，福利的留着", {"activities": "none", "welfare": "all"}),
        ("除了福利都别发了", {"": "none", "welfare": "all"}),
        ("只留讲座", {"": "none", "lectures": "all"}),
        ("一周汇总一次就行", {"": "digest"}),
        ("消息太多了，一周给我发一次就好", {"": "digest"}),
        ("活动的攒一起发", {"activities": "digest"}),
        ("我之前退订了，现在想恢复", {"": "all"}),
        ("取消免打扰，恢复推送", {"": "all"}),
        ("以后健康大讲堂的消息订阅一下", {"lectures": "all"}),
        ("讲座和福利的通知都别发", {"lectures": "none", "welfare": "none"}),
        ("全部", {"": "none"}),
    ],
)
def test_what_is_said(topics: Topics, said: str, wishes: dict[str, str]) -> None:
    assert dict(topics.wishes(said, "none")) == wishes


ALONE = ["讲座的留着", "生日祝福不用发了", "不要给我发节日祝福", "一周汇总一次就行", "别再推讲座了"]
OTHERS = [
    "取消讲座",
    "讲座不要了",
    "讲座",
    "收到",
    "最近有什么通知",
    "我想报名讲座",
    "讲座几点开始，通知我",
    "推荐劳模",
]


@pytest.mark.parametrize("said", ALONE)
def test_such_a_sentence_alone_is_understood(topics: Topics, said: str) -> None:
    assert topics.alone(said)


@pytest.mark.parametrize("said", OTHERS)
def test_what_is_about_something_else_is_left_to_the_engine(topics: Topics, said: str) -> None:
    assert not topics.alone(said)


@given(said=st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_some_wish(topics: Topics, said: str) -> None:
    wishes = topics.wishes(said, "none")
    assert wishes
    assert {topic for topic, _wants in wishes} <= {"", *(topic.id for topic in topics.topics)}


def test_a_notice_belongs_to_what_it_speaks_of(topics: Topics) -> None:
    assert topics.about_what("健康大讲堂第三讲：颈肩养护，本场讲座限 60 人") == "lectures"
    assert topics.about_what("本周五停电一天") == topics.fallback == "union"
