"""Off hours, and what falls due by itself."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from actions.blocks.workdays import is_working_day
from actions.core.errors import ConfigurationError
from actions.core.tables import Outgoing
from actions.core.zones import SHANGHAI, local
from actions.handover import HandoverDesk, HandoverRules
from bot.messages import SendError
from tests.handover.office import EVENING, HU, LIN, SUNDAY, ZHOU

if TYPE_CHECKING:
    from tests.handover.office import Office

# --- nobody there


@pytest.mark.parametrize(("now", "opens"), [(SUNDAY, "11月23日(周一)"), (EVENING, "11月24日(周二)")])
async def test_off_hours_say_so_with_hours_and_phone(office: Office, now: datetime, opens: str):
    office.world.clock.now = now
    told = await office.says(LIN, "人工")
    assert "现在老师不在" in told
    assert "08:30–17:30" in told
    assert "0516-0000-0001" in told
    assert opens in told
    assert office.buttons[LIN, "留言"] == "留言"
    assert (office.news(ZHOU), await office.states()) == ([], [])
    assert "小助手" in await office.says(LIN, "你好")


async def test_off_hours_an_open_form_goes_on(office: Office):
    office.world.clock.now = SUNDAY
    await office.says(LIN, "下周三下午想约心理咨询")
    told = await office.says(LIN, "人工")
    assert "现在老师不在" in told
    assert "选哪个" in told


async def test_one_message_is_left_and_read_when_the_office_opens(office: Office):
    office.world.clock.now = SUNDAY
    await office.says(LIN, "人工")
    assert "您的下一句话我会留给值班老师看" in await office.clicks(LIN, "留言")
    told = await office.says(LIN, "互助保险怎么报销")
    assert "11月23日(周一)08:30" in told
    assert "不敢保证" in told
    assert "小助手" in await office.says(LIN, "你好")
    await office.later(hours=23, minutes=29)
    assert office.news(ZHOU) == []
    await office.later(minutes=1)
    assert office.news(ZHOU) == ["林一帆（文学院）在 11月22日(周日)09:00 留了话：\n互助保险怎么报销"]


async def test_a_left_message_is_answered_and_the_member_may_go_on_with_that_officer(office: Office):
    office.world.clock.now = SUNDAY
    for text in ("人工", "留言", "互助保险怎么报销"):
        await office.says(LIN, text)
    await office.later(days=1)
    await office.clicks(ZHOU, "接手")
    assert office.news(LIN) == ["您找老师的事，周涛老师接手了，会在这里回复您。"]
    await office.clicks(ZHOU, "回复", "带发票来就行")
    assert "周涛老师：带发票来就行" in office.news(LIN)[0]
    office.news(ZHOU)
    assert await office.says(LIN, "你好") != ""
    assert office.news(ZHOU) == []
    assert "接着请周涛老师跟您说" in await office.says(LIN, "人工")
    assert await office.says(LIN, "发票丢了呢") == ""
    assert office.news(ZHOU) == ["林一帆（文学院）想接着跟您说，接下来的话会转给您。", "林一帆（文学院）：发票丢了呢"]
    assert (await office.states(), await office.takers()) == (["answered"], [ZHOU])


async def test_taking_a_left_message_does_not_put_the_chat_through(office: Office):
    """Whoever is in the middle of a form by then must not find their answers with the officer."""
    office.world.clock.now = SUNDAY
    for text in ("人工", "留言", "互助保险怎么报销"):
        await office.says(LIN, text)
    await office.later(days=1)
    await office.says(LIN, "下周三下午想约心理咨询")
    await office.clicks(ZHOU, "接手")
    office.news(ZHOU)
    assert await office.says(LIN, "三点") != ""
    assert (office.news(ZHOU), await office.states()) == ([], ["late"])


async def test_leaving_a_message_puts_a_form_aside_and_can_be_given_up(office: Office):
    office.world.clock.now = SUNDAY
    await office.says(LIN, "下周三下午想约心理咨询")
    assert "手头这件先替您放着" in await office.says(LIN, "留言")
    assert "不留了" in await office.says(LIN, "算了")
    assert "接着办心理咨询" in await office.says(LIN, "继续")
    assert await office.states() == ["closed"]


async def test_a_second_message_waits_its_turn(office: Office):
    office.world.clock.now = SUNDAY
    for text in ("留言", "互助保险怎么报销", "留言"):
        told = await office.says(LIN, text)
    assert "您留的话还没到老师上班的时候" in told


async def test_a_message_that_never_comes_is_not_waited_for(office: Office):
    office.world.clock.now = SUNDAY
    await office.says(LIN, "留言")
    await office.later(minutes=20)
    assert "没等到您的留言" in office.news(LIN)[0]
    assert "小助手" in await office.says(LIN, "你好")


async def test_a_left_message_waits_for_who_is_on_duty_that_morning(office: Office):
    office.world.clock.now = SUNDAY
    for text in ("留言", "互助保险怎么报销"):
        await office.says(LIN, text)
    await office.dismiss(ZHOU)
    await office.later(days=1)
    assert (office.news(ZHOU), await office.states()) == ([], ["left"])
    await office.appoint(HU)
    await office.later(minutes=20)
    assert "互助保险怎么报销" in office.news(HU)[0]


async def test_a_server_that_was_down_all_day_gives_it_out_the_next_morning(office: Office):
    office.world.clock.now = SUNDAY
    for text in ("留言", "互助保险怎么报销"):
        await office.says(LIN, text)
    await office.later(days=1, hours=12)
    assert office.news(ZHOU) == []
    await office.later(hours=12)
    assert "互助保险怎么报销" in office.news(ZHOU)[0]


async def test_leaving_a_message_within_the_hours_is_asking_for_a_person(office: Office):
    assert "我去请值班老师" in await office.says(LIN, "留言")


# --- silence


async def test_a_silence_hands_back_and_both_are_told(talk: Office):
    await talk.clicks(ZHOU, "回复", "您好")
    talk.news(LIN)
    await talk.later(minutes=19)
    assert await talk.says(LIN, "在") == ""
    talk.news(ZHOU)
    await talk.later(minutes=19)
    assert (talk.news(LIN), await talk.states()) == ([], ["answered"])
    await talk.later(minutes=1)
    assert "20 分钟没有新消息" in talk.news(LIN)[0]
    assert talk.news(ZHOU) == ["和林一帆（文学院）的对话 20 分钟没有动静，已经自动结束。"]
    assert "小助手" in await talk.says(LIN, "你好")
    assert (talk.news(ZHOU), await talk.states()) == ([], ["timed_out"])


async def test_an_officer_who_took_it_and_said_nothing_is_apologised_for(talk: Office):
    await talk.later(minutes=20)
    (told,) = talk.news(LIN)
    assert "没顾上回" in told
    assert "0516-0000-0001" in told


async def test_nobody_comes_and_the_member_is_told_so_once(office: Office):
    await office.says(LIN, "人工")
    await office.says(LIN, "互助保险怎么报销")
    await office.later(minutes=9)
    assert office.news(LIN) == []
    await office.later(minutes=1)
    (told,) = office.news(LIN)
    assert "10 分钟里没有老师接" in told
    assert "0516-0000-0001" in told
    await office.later(minutes=30)
    assert office.news(LIN) == []
    assert "小助手" in await office.says(LIN, "你好")
    assert await office.states() == ["listed"]


async def test_what_nobody_took_can_still_be_taken(office: Office):
    await office.says(LIN, "人工")
    await office.says(LIN, "互助保险怎么报销")
    await office.later(hours=3)
    office.news(LIN)
    told = await office.says(ZHOU, "待办")
    assert "林一帆（文学院）：互助保险怎么报销" in told
    await office.clicks(ZHOU, "回复", "带发票来就行")
    assert any("周涛老师：带发票来就行" in text for text in office.news(LIN))


async def test_what_nobody_took_lapses_and_that_is_said_too(office: Office):
    await office.says(LIN, "人工")
    await office.later(minutes=10)
    office.news(LIN)
    await office.later(days=7)
    assert "一直没有老师回您" in office.news(LIN)[0]
    assert "没有等您处理的事" in await office.says(ZHOU, "待办")
    await office.later(days=180)
    assert await office.states() == []


async def test_who_was_answered_late_is_not_told_that_nobody_was_there(office: Office):
    await office.says(LIN, "人工")
    await office.later(minutes=10)
    await office.clicks(ZHOU, "回复", "您好")
    office.news(LIN)
    await office.later(days=7)
    assert office.news(LIN) == []
    assert await office.states() == ["timed_out"]
    await office.later(days=180)
    assert (await office.states(), await office.takers()) == ([], [])


async def test_the_sweep_is_one_look_while_nothing_is_due(talk: Office):
    asked: list[str] = []
    engine = talk.world.app.house.database.engine.sync_engine
    (desk,) = (sweeper for sweeper in talk.world.app.sweepers if isinstance(sweeper, HandoverDesk))
    async with talk.world.unit_of_work() as context:
        event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        assert await desk.sweep(context) == 0
    assert len([text for text in asked if text.startswith("SELECT")]) == 1
    assert "next_at <=" in asked[0]


# --- a channel that is down


async def test_a_message_waits_while_the_officers_channel_is_down(talk: Office, monkeypatch: pytest.MonkeyPatch):
    async def broken(_message: object) -> None:
        raise SendError("down")

    web = talk.world.app.web
    monkeypatch.setattr(web, "send", broken)
    monkeypatch.setattr(web, "pulled", False)
    assert await talk.says(LIN, "我的存折丢了") == ""
    assert talk.news(ZHOU) == []
    assert [type(row) for row in await talk.world.queued()] == [Outgoing]
    monkeypatch.undo()
    await talk.later(minutes=2)
    assert talk.news(ZHOU) == ["林一帆（文学院）：我的存折丢了"]


# --- the rules

MOMENTS = st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2026, 12, 20))  # noqa: DTZ001 - the zone is added


@given(naive=MOMENTS)
def test_the_next_opening_is_the_first_moment_at_which_somebody_is_there(naive: datetime):
    rules, now = HandoverRules(), naive.replace(tzinfo=SHANGHAI)
    opening = rules.next_opening(now)
    assert opening >= now
    assert rules.is_open(opening)
    if opening > now:
        assert not rules.is_open(now)
        assert local(opening).time() == time(8, 30)
        days = [local(now).date() + timedelta(days=ahead) for ahead in range((opening.date() - now.date()).days)]
        assert not any(is_working_day(day) for day in days[1:])


@pytest.mark.parametrize(
    ("now", "there"),
    [
        (datetime(2026, 11, 23, 8, 29, tzinfo=SHANGHAI), False),
        (datetime(2026, 11, 23, 8, 30, tzinfo=SHANGHAI), True),
        (datetime(2026, 11, 23, 17, 29, tzinfo=SHANGHAI), True),
        (datetime(2026, 11, 23, 17, 30, tzinfo=SHANGHAI), False),
        (datetime(2026, 10, 1, 10, 0, tzinfo=SHANGHAI), False),  # National Day, a Thursday
        (datetime(2026, 10, 10, 10, 0, tzinfo=SHANGHAI), True),  # a Saturday that makes up for it
    ],
)
def test_people_are_there_on_working_days_within_the_hours(now: datetime, there: bool):
    assert HandoverRules().is_open(now) is there


@pytest.mark.parametrize("wrong", [{"opens": "8点半"}, {"opens": "18:00", "closes": "09:00"}, {"closes": "25:00"}])
def test_hours_that_are_none_are_refused(wrong: dict[str, Any]):
    with pytest.raises(ConfigurationError, match=r"handover\."):
        HandoverRules(**wrong)
