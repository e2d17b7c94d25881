"""Within the hours: asked for, taken, answered, handed back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.handover.office import HU, LIN, SUN, ZHOU

if TYPE_CHECKING:
    from tests.handover.office import Office


async def test_who_asks_is_told_who_will_read_and_how_to_come_back(office: Office):
    told = await office.says(LIN, "我要找工会的老师")
    assert "从您的下一句话起，您在这里打的字会转给值班老师看" in told
    assert "之前说的、填的都不转" in told
    assert "回“回来”" in told
    assert "0516-0000-0001" in told
    assert office.buttons[LIN, "回来"] == "回来"
    assert await office.states() == ["waiting"]


async def test_the_officer_reads_who_asks_and_not_the_words_that_asked(office: Office):
    await office.says(LIN, "我要投诉，找你们负责人")
    (notice,) = office.news(ZHOU)
    assert "林一帆（文学院）想找老师说话" in notice
    assert "投诉" not in notice
    assert office.buttons[ZHOU, "接手"].startswith("接手 ")
    assert office.buttons[ZHOU, "回复"].startswith("回复 ")


async def test_words_go_to_the_officer_and_the_assistant_is_silent_after_one_line(office: Office):
    await office.says(LIN, "人工")
    office.news(ZHOU)
    assert "转给值班老师了" in await office.says(LIN, "互助保险怎么报销")
    assert await office.says(LIN, "你好") == ""
    assert await office.says(LIN, "👍") == ""
    assert office.news(ZHOU) == [f"林一帆（文学院）：{text}" for text in ("互助保险怎么报销", "你好", "👍")]


async def test_the_answer_comes_back_into_the_same_chat(office: Office):
    await office.says(LIN, "人工")
    await office.says(LIN, "互助保险怎么报销")
    assert "由您接手了" in await office.clicks(ZHOU, "接手")
    assert office.news(LIN) == ["周涛老师来了，您接着说。"]
    assert await office.clicks(ZHOU, "回复", "带发票来工会办公室。\n周五前都行") == "发给林一帆（文学院）了。"
    assert office.news(LIN) == ["周涛老师：带发票来工会办公室。\n周五前都行"]
    assert await office.says(LIN, "好的") == ""
    assert office.news(ZHOU)[-1] == "林一帆（文学院）：好的"


async def test_an_answer_takes_what_nobody_has_yet(office: Office):
    await office.says(LIN, "人工")
    assert await office.clicks(ZHOU, "回复", "您好，请说") == "发给林一帆（文学院）了。"
    assert office.news(LIN) == ["周涛老师来了，您接着说。", "周涛老师：您好，请说"]
    assert (await office.states(), await office.takers()) == (["answered"], [ZHOU])


async def test_a_long_answer_arrives_whole(talk: Office):
    words = "材" * 900
    await talk.clicks(ZHOU, "回复", words)
    assert talk.news(LIN) == [f"周涛老师：{words}"]


async def test_the_code_stays_the_same_from_message_to_message(talk: Office):
    before = talk.buttons[ZHOU, "回复"]
    await talk.says(LIN, "一")
    await talk.clicks(ZHOU, "回复", "二")
    await talk.says(LIN, "三")
    assert talk.buttons[ZHOU, "回复"] == before


# --- what an officer types


async def test_a_plain_message_of_the_officer_is_never_sent_on(talk: Office):
    for text in ("把发票交过来", "回复了吗", "回复一下他", "你好"):
        await talk.says(ZHOU, text)
    assert talk.news(LIN) == []


async def test_words_without_a_code_are_asked_about_and_one_click_sends_them(talk: Office):
    told = await talk.says(ZHOU, "回复 周五前都行")
    assert "是给下面这一位吗" in told
    assert "林一帆" in told
    assert talk.news(LIN) == []
    value = next(value for (who, _label), value in talk.buttons.items() if who == ZHOU and value.endswith("周五前都行"))
    assert await talk.says(ZHOU, value) == "发给林一帆（文学院）了。"
    assert talk.news(LIN) == ["周涛老师：周五前都行"]


async def test_with_two_people_waiting_it_is_asked_which_one_is_meant(talk: Office):
    await talk.says(SUN, "人工")
    await talk.clicks(ZHOU, "接手")
    talk.news(SUN)
    told = await talk.says(ZHOU, "回复 您好")
    assert "林一帆（文学院）想找老师说话" in told
    assert "一位还没绑定的老师想找老师说话" in told
    assert (talk.news(LIN), talk.news(SUN)) == ([], [])


async def test_after_the_button_the_next_message_alone_is_sent(talk: Office):
    assert "您的下一句话会发给林一帆（文学院）" in await talk.clicks(ZHOU, "回复")
    assert await talk.says(ZHOU, "下周三想约心理咨询的话，先绑定") == "发给林一帆（文学院）了。"
    assert talk.news(LIN) == ["周涛老师：下周三想约心理咨询的话，先绑定"]
    assert "发给" not in await talk.says(ZHOU, "谢谢")
    assert talk.news(LIN) == []


async def test_the_button_can_be_thought_better_of(talk: Office):
    await talk.clicks(ZHOU, "回复")
    assert await talk.says(ZHOU, "算了") == "好，不发了。"
    await talk.says(ZHOU, "你好")
    assert talk.news(LIN) == []


async def test_the_button_forgets_after_a_few_minutes(talk: Office):
    await talk.clicks(ZHOU, "回复")
    await talk.later(minutes=5)
    assert "发给" not in await talk.says(ZHOU, "晚饭吃什么")
    assert talk.news(LIN) == []


async def test_the_button_means_the_chat_it_was_clicked_in(talk: Office):
    await talk.clicks(ZHOU, "回复")
    await talk.says(ZHOU, "@娘家人 大家好", group="工会群")
    assert talk.news(LIN) == []


async def test_after_the_button_the_office_can_still_be_run(talk: Office):
    """An answer to another notification, with its code, is no message for the member."""
    await talk.says(SUN, "人工")
    await talk.clicks(ZHOU, "接手")
    talk.news(SUN)
    await talk.says(SUN, "在吗")
    other = talk.buttons[ZHOU, "结束"]
    await talk.clicks(ZHOU, "回复")
    assert "结束" in await talk.says(ZHOU, other)
    assert talk.news(LIN) == []


# --- the end of it


@pytest.mark.parametrize("text", ["回来", "不用人工了", "谢谢，不用了！"])
async def test_the_member_hands_back(talk: Office, text: str):
    assert "我回来了" in await talk.says(LIN, text)
    assert talk.news(ZHOU) == ["林一帆（文学院）不用人工了，这边对话结束。"]
    assert "小助手" in await talk.says(LIN, "你好")
    assert talk.news(ZHOU) == []
    assert await talk.states() == ["closed"]


async def test_saying_no_to_the_officer_ends_nothing(talk: Office):
    for text in ("不用了", "谢谢", "算了", "取消", "继续"):
        assert await talk.says(LIN, text) == ""
    assert await talk.states() == ["answered"]


async def test_the_officer_ends_it(talk: Office):
    assert await talk.clicks(ZHOU, "结束") == "好，和林一帆（文学院）的对话结束了。"
    assert "周涛老师那边说完了" in talk.news(LIN)[0]
    assert "小助手" in await talk.says(LIN, "你好")
    assert "这一条已经处理过了" in await talk.clicks(ZHOU, "回复", "还有一句")
    assert talk.news(LIN) == []


async def test_who_comes_back_before_anybody_was_there(office: Office):
    await office.appoint(HU)
    await office.says(LIN, "人工")
    office.news(ZHOU)
    office.news(HU)
    await office.says(LIN, "回来")
    assert [office.news(who) for who in (ZHOU, HU)] == [["林一帆（文学院）不用人工了，这边对话结束。"]] * 2
    assert "这一条已经处理过了" in await office.clicks(HU, "接手")


async def test_asking_again_while_waiting_is_no_message(office: Office):
    await office.says(LIN, "人工")
    office.news(ZHOU)
    assert "还在请老师" in await office.says(LIN, "转人工")
    assert office.news(ZHOU) == []


async def test_a_second_call_later_is_a_new_one(talk: Office):
    await talk.says(LIN, "回来")
    await talk.says(LIN, "人工")
    assert await talk.states() == ["closed", "waiting"]


async def test_somebody_who_is_not_bound_is_put_through_too(office: Office):
    await office.says(SUN, "人工")
    await office.says(SUN, "我绑定不上")
    assert office.news(ZHOU)[-1] == "一位还没绑定的老师：我绑定不上"
    await office.clicks(ZHOU, "回复", "工号是几位的？")
    assert office.news(SUN)[-1] == "周涛老师：工号是几位的？"


async def test_in_a_group_one_neutral_sentence_and_on_in_private(office: Office):
    told = await office.says(LIN, "@娘家人 找个真人", group="工会群")
    assert told == "这件事咱们私聊说，我已经在私聊里找您了。"
    assert "从您的下一句话起" in office.news(LIN)[0]
    assert await office.says(LIN, "你好") != ""
    assert office.news(ZHOU)[-1] == "林一帆（文学院）：你好"
