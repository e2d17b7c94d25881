"""待办: what waits for somebody's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.handover.office import LIN, SUN, ZHOU

if TYPE_CHECKING:
    from tests.handover.office import Office


async def test_nothing_waits(office: Office):
    assert "没有等您处理的事" in await office.says(ZHOU, "待办")
    assert "没有等您处理的事" in await office.says(LIN, "待办")


async def test_what_waits_is_listed_with_its_buttons_again(office: Office):
    await office.says(LIN, "人工")
    await office.says(LIN, "互助保险怎么报销")
    office.buttons.clear()
    told = await office.says(ZHOU, "待办")
    assert "等您处理的有 1 件" in told
    assert "林一帆（文学院）想找老师说话" in told
    assert "林一帆（文学院）：互助保险怎么报销" in told
    assert "由您接手了" in await office.clicks(ZHOU, "接手")


async def test_several_are_told_apart_by_their_codes(office: Office):
    await office.says(LIN, "人工")
    await office.says(SUN, "人工")
    office.buttons.clear()
    told = await office.says(ZHOU, "待办")
    labels = sorted(label for who, label in office.buttons if who == ZHOU)
    assert (told.count("编号"), len(labels)) == (2, 4)
    assert all(office.buttons[ZHOU, label] == label for label in labels)


async def test_it_is_still_there_when_the_notice_has_been_emptied(office: Office):
    await office.says(LIN, "人工")
    await office.says(LIN, "互助保险怎么报销")
    await office.later(days=2)
    await office.world.app.delivery.forget()
    assert "林一帆（文学院）：互助保险怎么报销" in await office.says(ZHOU, "待办")


async def test_a_long_talk_is_listed_by_its_last_words(talk: Office):
    for number in range(1, 21):
        await talk.says(LIN, f"第{number}句")
    told = await talk.says(ZHOU, "待办")
    assert "第20句" in told
    assert "第9句" in told
    assert "第8句" not in told


async def test_other_lives_wait_there_too(office: Office):
    """A group books a room that a person has to approve: the same list, the same buttons."""
    for text in ("12月2日下午三点约多功能室", "南湖校区", "30", "确认"):
        told = await office.says(LIN, text)
    assert told
    assert "等您处理的有 1 件" in await office.says(ZHOU, "待办")
    assert {label for who, label in office.buttons if who == ZHOU} >= {"同意", "退回"}


async def test_who_is_not_bound_is_told_how(office: Office):
    assert await office.says(SUN, "待办") != ""


async def test_a_button_that_is_over_is_answered(talk: Office):
    value = talk.buttons[ZHOU, "结束"]
    await talk.says(ZHOU, value)
    assert await talk.says(ZHOU, value) == "这一条已经处理过了，或者过时了，不用再点。"
    assert await talk.says(ZHOU, "结束 AAAAA") != "这一条已经处理过了，或者过时了，不用再点。"
