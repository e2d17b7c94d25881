"""An announcement steered by its author in chat: stopped, gone on with, taken back, set right, looked after."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.announcements import commands as c
from actions.core.errors import DomainError
from actions.core.tables import Batch, Outgoing
from tests.announcements.conftest import CHEN, HU, LIN, WANG, ZHOU, announce, run, states

if TYPE_CHECKING:
    from bot.messages import Outbound
    from tests.conftest import World

WRONG, RIGHT = "周五三点开会", "周五四点开会"


async def _begun(world: World, text: str = WRONG) -> Outbound:
    """陈静 has told her unit; nothing is handed over yet. The answer with which she steers it."""
    for line in ("给文学院的老师发个通知", text):
        await world.say(line, who=CHEN)
    (reply,) = await world.say("确认", who=CHEN)
    assert "第 1 号通知开始发了" in reply.text
    return reply


def _value(reply: Outbound, label: str) -> str:
    """What a click on an answer says."""
    return next(option.value for option in reply.options if option.label == label)


async def _handed_over(world: World, count: int) -> None:
    """So many of the six have got it already."""
    async with world.unit_of_work() as context:
        query = select(Outgoing).join(Batch, Batch.id == Outgoing.batch_id).where(Batch.subject == "announcement:1")
        for row in (await context.session.execute(query.order_by(Outgoing.id).limit(count))).scalars():
            row.state, row.sent_at = "sent", context.now


def _read(sent: list[Outbound], text: str) -> int:
    return sum(text in message.text for message in sent)


async def test_stopped_and_gone_on_with_by_a_word_or_a_click(either_world: World) -> None:
    world = either_world
    reply = await _begun(world)
    assert [option.label for option in reply.options] == ["进度", "暂停", "继续发", "更正", "撤回"]
    await _handed_over(world, 2)
    assert "停下了，还有 4 位没发" in await world.told("暂停", who=CHEN)
    assert _read(await world.sent(), WRONG) == 0
    assert "没有正在发的" in await world.told(_value(reply, "暂停"), who=CHEN)
    assert "发到 2" in await world.told("进度", who=CHEN)
    assert "停着 4" in await world.told(_value(reply, "进度"), who=CHEN)
    assert "接着发，还有 4 位" in await world.told(_value(reply, "继续发"), who=CHEN)
    assert "没有停着的" in await world.told("继续发", who=CHEN)
    assert _read(await world.sent(), WRONG) == 4
    assert await states(world, "announcement:1") == {"sent": 6}


async def test_taken_back_in_the_middle(either_world: World) -> None:
    world = either_world
    reply = await _begun(world)
    await _handed_over(world, 2)
    said = await world.told("撤回", who=CHEN)
    assert "4 位不再发" in said
    assert "已经收到的 2 位收不回来" in said
    assert _read(await world.sent(), WRONG) == 0
    assert await states(world, "announcement:1") == {"sent": 2, "cancelled": 4}
    for label in ("撤回", "继续发"):  # its buttons are over
        assert "已经" in await world.told(_value(reply, label), who=CHEN)
    assert await states(world, "announcement:1") == {"sent": 2, "cancelled": 4}


async def test_set_right_by_a_click_and_the_right_words(either_world: World) -> None:
    world = either_world
    reply = await _begun(world)
    await _handed_over(world, 2)
    click = _value(reply, "更正")
    assert "写在“更正”后面" in await world.told(click, who=CHEN)
    assert "第 2 号通知开始发了" in await world.told(f"{click} {RIGHT}", who=CHEN)
    sent = [message for message in await world.sent() if RIGHT in message.text]
    assert _read(sent, "更正：11月22日(周日)发的“周五三点开会”以这一条为准") == 2
    assert sum(message.text == RIGHT for message in sent) == 4
    assert "第 1 号已经有更正了，是第 2 号" in await world.told(f"{click} 又改了", who=CHEN)
    latest = await world.told("最近有什么通知")
    assert f"（更正）{RIGHT}" in latest
    assert WRONG not in latest


async def test_right_words_without_a_code_are_asked_about_first(world: World) -> None:
    """They go to six people: a slip of the tongue must not."""
    await _begun(world)
    (asked,) = await world.say(f"更正 {RIGHT}", who=CHEN)
    assert "第 2 号" not in asked.text
    assert await states(world, "announcement:2") == {}
    await world.say(asked.options[0].value, who=CHEN)
    assert _read(await world.sent(), RIGHT) == 6


async def test_nobody_else_steers_it_by_those_words(world: World) -> None:
    reply = await _begun(world)
    for words in ("暂停", _value(reply, "暂停"), _value(reply, "撤回")):
        await world.say(words, who=WANG)
    assert _read(await world.sent(), WRONG) == 6


async def test_agreed_to_in_chat_by_somebody_else_alone(world: World) -> None:
    for line in ("给全体会员发个通知：示例通知，请大家看一下。", "确认"):
        await world.say(line, who=ZHOU)
    (asked,) = await world.sent()
    click = _value(asked, "同意")
    await world.say(click, who=WANG)
    await world.say(click, who=ZHOU)
    assert await states(world, "announcement:1") == {}
    assert "开始发了，39 位" in await world.told(click, who=HU)
    sent = await world.sent()
    assert sum(message.text == "示例通知，请大家看一下。" for message in sent) == 38
    (told,) = [message for message in sent if "同意了" in message.text]
    assert told.address.conversation == ZHOU
    assert "撤回" in [option.label for option in told.options]


async def test_sent_back_in_chat_with_the_reason(world: World) -> None:
    for line in ("给全体会员发个通知：示例通知，请大家看一下。", "确认"):
        await world.say(line, who=ZHOU)
    (asked,) = await world.sent()
    await world.say(f"{_value(asked, '退回')} 日期写错了", who=HU)
    sent = await world.sent()
    assert [message.address.conversation for message in sent] == [ZHOU]
    assert "日期写错了" in sent[0].text


# --- what goes with it


async def test_reminders_that_wait_are_taken_back_with_it(either_world: World) -> None:
    world = either_world
    asks = (world.clock() + timedelta(days=3)).replace(hour=22, minute=30)
    number = await announce(world, to="单位:文学院", who=ZHOU, text="请回执", answer_by=asks)
    await world.sent()
    world.clock.now = asks - timedelta(days=1)
    assert _read(await world.sent(), "等您回") == 0  # it is night
    assert await states(world, f"announcement_reminder:{number}") == {"queued": 6}
    outcome = await run(world, c.Withdraw(announcement_id=number), ZHOU)
    assert outcome.params["asked"]
    assert "也不再等大家回" in world.app.house.wording.text(outcome.wording, outcome.params)
    assert await states(world, f"announcement_reminder:{number}") == {"cancelled": 6}
    for _ in range(3):
        world.clock.move(hours=12)
        assert await world.sent() == []


async def test_reminders_of_what_is_wrong_wait_until_it_is_right(world: World) -> None:
    asks = world.clock() + timedelta(days=2)
    number = await announce(world, who=ZHOU, text=WRONG, answer_by=asks)
    await run(world, c.Approve(announcement_id=number), HU)
    await world.sent()
    await run(world, c.Correct(announcement_id=number, reason=RIGHT), ZHOU)
    world.clock.move(days=1, hours=1)
    assert _read(await world.sent(), "等您回") == 0
    await run(world, c.Approve(announcement_id=number + 1), HU)
    sent = await world.sent()
    assert _read(sent, f"更正：11月22日(周日)发的“{WRONG}”") == 38
    assert "已经更正了，以第 2 号为准" in await world.told("收到 1")
    assert "记下您收到了" in await world.told("收到 2")
    world.clock.move(days=1)
    tables = [message for message in await world.sent() if "催办表" in message.text]
    assert [message.text.count("第 1 号") for message in tables] == [0]
    assert f"“{RIGHT}”催办表" in tables[0].text


async def test_a_correction_that_lapses_says_that_the_other_is_held(world: World) -> None:
    number = await announce(world, who=ZHOU, text=WRONG)
    await run(world, c.Approve(announcement_id=number), HU)
    await run(world, c.Correct(announcement_id=number, reason=RIGHT), ZHOU)
    world.clock.move(days=3, minutes=1)
    said = [message.text for message in await world.sent() if "没有人点头" in message.text]
    assert len(said) == 1
    assert "第 1 号还停着" in said[0]


async def test_agreed_to_long_after_its_time_it_is_not_sent(world: World) -> None:
    number = await announce(world, who=ZHOU, text="今天三点开会", at=world.clock() + timedelta(hours=2))
    world.clock.move(days=1, hours=3)
    sent = await world.sent()
    assert "没有人点头" in "".join(message.text for message in sent if message.address.conversation == ZHOU)
    with pytest.raises(DomainError, match="announcement_decided"):
        await run(world, c.Approve(announcement_id=number), HU)
    assert _read(await world.sent(), "今天三点开会") == 0


async def test_what_they_must_know_is_of_no_use_after_a_fortnight(world: World) -> None:
    """A process that was down for so long tells nobody of it any more."""
    await announce(world, to="单位:文学院", text="必须知道", must_know=True)
    world.clock.move(days=14)
    assert _read(await world.sent(), "必须知道") == 0
    assert await states(world, "announcement:1") == {"expired": 6}


async def test_what_was_taken_back_before_anybody_agreed_holds_nothing(world: World) -> None:
    number = await announce(world, who=ZHOU)
    await run(world, c.Withdraw(announcement_id=number), ZHOU)
    with pytest.raises(DomainError, match="announcement_decided"):
        await run(world, c.Approve(announcement_id=number), HU)
    assert LIN not in {message.address.conversation for message in await world.sent()}
