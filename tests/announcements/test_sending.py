"""An announcement from its author to its readers: agreed to, sent, paused, taken back, set right."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from actions.announcements import commands as c
from actions.core.errors import DomainError
from actions.core.tables import Batch, Member, Outgoing
from actions.membership.commands import RevokeRole
from tests.announcements.conftest import CHEN, HU, LIN, WANG, ZHOU, announce, run, states

if TYPE_CHECKING:
    from tests.conftest import World

#: Everybody of the demo world, and those of them who are bound.
ALL, BOUND = 39, 38


async def test_the_text_is_said_word_for_word(either_world: World) -> None:
    text = "深入学习贯彻党的二十届三中全会精神\n——校工会 第3次理论学习（{{ 不是模板 }}）  <b>&amp;！"
    await announce(either_world, to="单位:文学院", text=text, link="https://example.edu.cn/a?b=1")
    sent = await either_world.sent()
    assert len(sent) == 6
    for message in sent:
        said, _, link = message.text.rpartition("\n")
        assert (said.strip(), link) == (text, "https://example.edu.cn/a?b=1")
    assert await states(either_world, "announcement:1") == {"sent": 6}


async def test_everyone_needs_a_second_person_who_is_somebody_else(world: World) -> None:
    number = await announce(world, who=ZHOU, text="致全体")
    assert await states(world, f"announcement:{number}") == {}
    asked = await world.sent()
    assert [message.address.conversation for message in asked] == [HU]
    assert "致全体" in asked[0].text
    for who in (ZHOU, CHEN, LIN):
        with pytest.raises(DomainError, match="forbidden"):
            await run(world, c.Approve(announcement_id=number), who)
    await run(world, c.Approve(announcement_id=number), HU)
    sent = await world.sent()
    assert sum(message.text == "致全体" for message in sent) == BOUND
    assert await states(world, f"announcement:{number}") == {"sent": BOUND, "failed": ALL - BOUND}
    with pytest.raises(DomainError, match="announcement_decided"):
        await run(world, c.Approve(announcement_id=number), HU)


async def test_all_but_some_is_everyone_too_and_so_is_more_than_half(world: World) -> None:
    for to in ("非 单位:文学院", "性别:男,女", "全体 或 单位:文学院"):
        preview = await run(world, c.Preview(to=to), ZHOU)
        assert preview.data["approval"], to
    preview = await run(world, c.Preview(to="全体 且 单位:文学院"), ZHOU)
    assert (preview.data["approval"], preview.data["members"], preview.data["reachable"]) == (False, 6, 6)


async def test_with_nobody_else_to_agree_it_is_refused_and_not_left_hanging(world: World) -> None:
    await run_revoke(world)
    with pytest.raises(DomainError, match="nobody_to_approve"):
        await announce(world, who=ZHOU)
    assert await states(world, "announcement:1") == {}


async def run_revoke(world: World) -> None:
    """Nobody but 周涛 may agree to a broadcast any more."""
    await run(world, RevokeRole(staff_id=HU, role="reviewer", service="broadcast"))


async def test_what_is_sent_back_is_not_sent(world: World) -> None:
    number = await announce(world, who=ZHOU)
    await run(world, c.Refuse(announcement_id=number, reason="日期写错了"), HU)
    assert [message.text for message in await world.sent()] == [
        "第 1 号通知“示例通知”没有发，退回来了：日期写错了。改好了再说一次“群发通知”就行。"
    ]


async def test_nobody_agrees_for_days_and_it_lapses(world: World) -> None:
    number = await announce(world, who=ZHOU)
    world.clock.move(days=3, minutes=1)
    said = [message.text for message in await world.sent() if message.address.conversation == ZHOU]
    assert len(said) == 1
    assert "没有人点头" in said[0]
    with pytest.raises(DomainError, match="announcement_decided"):
        await run(world, c.Approve(announcement_id=number), HU)


async def test_it_is_sent_when_its_time_has_come_to_whom_it_is_for_then(world: World) -> None:
    at = world.clock() + timedelta(days=1)
    await announce(world, to="单位:文学院", text="定时", at=at)
    assert await world.sent() == []
    async with world.unit_of_work() as context:
        lin = (await context.session.execute(select(Member).where(Member.staff_id == LIN))).unique().scalar_one()
        lin.unit_id = None
    world.clock.move(days=1)
    sent = [message for message in await world.sent() if message.text == "定时"]
    assert len(sent) == 5
    assert LIN not in {message.address.conversation for message in sent}


async def test_what_is_far_too_late_is_not_sent_and_its_author_is_told(world: World) -> None:
    await announce(world, to="单位:文学院", text="早过了", at=world.clock() + timedelta(hours=1), who=ZHOU)
    world.clock.move(days=2)
    sent = await world.sent()
    assert [message.address.conversation for message in sent] == [ZHOU]
    assert "太晚了" in sent[0].text


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"at": timedelta(hours=-1)}, "send_past"),
        ({"at": timedelta(days=400)}, "send_too_far"),
        ({"answer_by": timedelta(0)}, "answer_too_early"),
        ({"topic": "weather"}, "no_such_topic"),
        ({"to": "单位:文学院 且 单位:图书馆"}, "audience_empty"),
    ],
)
async def test_what_cannot_be_sent_is_refused(world: World, more: dict[str, Any], code: str) -> None:
    given: dict[str, Any] = {
        key: world.clock() + value if isinstance(value, timedelta) else value for key, value in more.items()
    }
    with pytest.raises(DomainError, match=code):
        await announce(world, **{"to": "单位:文学院", **given})


# --- whom one may tell


@pytest.mark.parametrize(
    ("who", "to", "may"),
    [
        (ZHOU, "单位:文学院", True),
        (CHEN, "单位:文学院", True),
        (CHEN, "单位:文学院 且 性别:女", True),
        (CHEN, "单位:文学院 或 单位:图书馆", False),
        (CHEN, "单位:图书馆", False),
        (CHEN, "性别:女", False),
        (CHEN, f"工号:{LIN}", False),
        (CHEN, "非 单位:图书馆", False),
        (CHEN, "报名:瑜伽室", False),
        ("20160005", "报名:瑜伽室", True),  # 黄海涛 answers for it
        ("20160005", "单位:后勤", False),
        (LIN, "单位:文学院", False),
        (LIN, "全体", False),
    ],
)
async def test_who_may_tell_whom(world: World, who: str, to: str, *, may: bool) -> None:
    command = c.Preview(to=to)
    if may:
        await run(world, command, who)
    else:
        with pytest.raises(DomainError, match="not_your_audience"):
            await run(world, command, who)


async def test_only_its_author_and_the_union_steer_it(world: World) -> None:
    number = await announce(world, to="单位:文学院", who=CHEN)
    for command in (c.Progress(announcement_id=number), c.Withdraw(announcement_id=number)):
        with pytest.raises(DomainError, match="forbidden"):
            await run(world, command, WANG)
    await run(world, c.Progress(announcement_id=number), ZHOU)
    with pytest.raises(DomainError, match="forbidden"):
        await announce(world, to="单位:文学院", who=CHEN, must_know=True)


# --- while it is sent


async def test_paused_and_resumed(either_world: World) -> None:
    number = await announce(either_world, to="单位:文学院", text="停一停")
    paused = await run(either_world, c.Pause(announcement_id=number))
    assert paused.params["rows"] == 6
    assert await either_world.sent() == []
    with pytest.raises(DomainError, match="not_sending"):
        await run(either_world, c.Pause(announcement_id=number))
    await run(either_world, c.Resume(announcement_id=number))
    assert len(await either_world.sent()) == 6
    with pytest.raises(DomainError, match="not_paused"):
        await run(either_world, c.Resume(announcement_id=number))


async def test_taken_back(world: World) -> None:
    number = await announce(world, to="单位:文学院")
    taken = await run(world, c.Withdraw(announcement_id=number))
    assert taken.params["taken"] == 6
    assert await world.sent() == []
    with pytest.raises(DomainError, match="announcement_over"):
        await run(world, c.Withdraw(announcement_id=number))


async def test_a_correction_follows_for_who_has_read_and_replaces_for_who_has_not(either_world: World) -> None:
    world = either_world
    number = await announce(world, to="单位:文学院", text="周五三点开会", who=CHEN)
    await run(world, c.Pause(announcement_id=number))
    await _settle_half(world, number)
    outcome = await run(world, c.Correct(announcement_id=number, reason="周五四点开会"), CHEN)
    sent = await world.sent()
    said = sorted(message.text for message in sent if "四点" in message.text)
    assert len(said) == 6
    assert sum(text.startswith("更正") and text.endswith("周五四点开会") for text in said) == 3
    assert sum(text == "周五四点开会" for text in said) == 3
    assert not any(message.text == "周五三点开会" for message in sent)
    assert await states(world, f"announcement:{outcome.data['announcement_id']}") == {"sent": 6}
    assert await states(world, f"announcement:{number}") == {"sent": 3, "cancelled": 3}


async def _settle_half(world: World, number: int) -> None:
    """Three of the six have got it already."""
    async with world.unit_of_work() as context:
        query = (
            select(Outgoing).join(Batch, Batch.id == Outgoing.batch_id).where(Batch.subject == f"announcement:{number}")
        )
        for row in (await context.session.execute(query.order_by(Outgoing.id).limit(3))).scalars():
            row.state, row.sent_at = "sent", context.now


async def test_what_two_agreed_to_is_not_set_right_by_one(world: World) -> None:
    number = await announce(world, who=ZHOU, text="错的")
    await run(world, c.Approve(announcement_id=number), HU)
    outcome = await run(world, c.Correct(announcement_id=number, reason="对的"), ZHOU)
    assert outcome.data["state"] == "pending"
    sent = await world.sent()
    assert not any(message.text == "错的" for message in sent)  # held back meanwhile
    assert not any(message.text == "对的" for message in sent)
    await run(world, c.Approve(announcement_id=int(outcome.data["announcement_id"])), HU)
    sent = await world.sent()
    assert sum(message.text == "对的" for message in sent) == BOUND
    assert not any("错的" in message.text for message in sent if message.address.conversation != ZHOU)


async def test_its_author_is_told_once_how_it_ended(world: World) -> None:
    await announce(world, to="单位:图书馆", text="图书馆的老师好", who=ZHOU)
    await world.sent()
    world.clock.move(minutes=1)
    reports = [message.text for message in await world.sent()]
    assert reports == ["第 1 号通知“图书馆的老师好”发完了：共 5，发到 4，没发成 1。"]
    world.clock.move(hours=1)
    assert await world.sent() == []


async def test_what_was_sent_is_read_again_word_for_word(world: World) -> None:
    await announce(world, to="单位:文学院", text="一字不改的原文")
    await announce(world, to="单位:图书馆", text="不是发给您的")
    await world.sent()
    said = await world.told("最近有什么通知")
    assert "一字不改的原文" in said
    assert "不是发给您的" not in said
    assert "没有第 2 号" in await world.told("通知 2")
    assert "一字不改的原文" in await world.told("通知1")
