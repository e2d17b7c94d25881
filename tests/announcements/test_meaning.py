"""Whom an officer means, said as people say it."""

from __future__ import annotations

import pytest

from actions.announcements import segment_text
from actions.announcements.meaning import KnownNames, meant, text_behind

KNOWN = KnownNames(
    units=["文学院", "机电学院", "图书馆"],
    tags=["教代会代表", "福利委员"],
    offerings=["瑜伽室", "多功能室"],
    groups=["文学院教工群"],
    short_tags={"代表": "教代会代表"},
)


@pytest.mark.parametrize(
    ("said", "segment"),
    [
        ("给全体会员发个通知", "全体"),
        ("帮我群发个通知给文学院的老师", "单位:文学院"),
        ("文学院和机电学院的女老师", "单位:文学院,机电学院 且 性别:女"),
        ("文学院全体教职工", "单位:文学院"),
        ("通知各分工会主席下周开会", "角色:分工会干部"),
        ("给代表们发个会议通知", "标签:教代会代表"),
        ("给教代会代表发", "标签:教代会代表"),
        ("给报名瑜伽室的老师群发", "报名:瑜伽室"),
        ("在文学院教工群发一下", "群:文学院教工群"),
        ("文学院教工群和图书馆", "单位:图书馆 或 群:文学院教工群"),
        ("给退休老师发", "状态:退休"),
        ("给还没回执的人再发一遍", "未回复:通知7"),
        ("通知 3 没回的", "未回复:通知3"),
        ("单位:图书馆 且 非 性别:男", "单位:图书馆 且 非 性别:男"),
    ],
)
def test_whom_they_mean(said: str, segment: str) -> None:
    found = meant(said, KNOWN, latest=7)
    assert found is not None
    assert segment_text.write(found) == segment


@pytest.mark.parametrize("said", ["帮我群发个通知", "群发", "给美术学院的老师发", "瑜伽室停用的通知", ""])
def test_who_is_not_named_is_asked(said: str) -> None:
    assert meant(said, KNOWN) is None


def test_without_a_notice_that_asked_nobody_is_meant() -> None:
    assert meant("给还没回执的人再发一遍", KNOWN, latest=None) is None


def test_what_stands_behind_a_colon_is_the_notice_word_for_word() -> None:
    assert (
        text_behind("给全体发个通知：会议改到 3:30，地点：大礼堂。\n请准时") == "会议改到 3:30，地点：大礼堂。\n请准时"
    )
    assert text_behind("帮我群发个通知") == ""
