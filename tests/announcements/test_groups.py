"""Groups: bound by a phrase that counts once, found again under another id, and quiet when told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.announcements import commands as c
from actions.announcements.tables import ChatGroup
from actions.core.errors import DomainError
from bot.messages import Address, Inbound
from tests.announcements.conftest import CHEN, LIN, WANG, ZHOU, announce, run

if TYPE_CHECKING:
    from bot.messages import Outbound
    from tests.conftest import World

ROOM = "room-1"


async def _phrase(world: World, title: str = "文学院教工群", who: str = CHEN) -> str:
    said = await world.told(f"绑群 {title}", who=who)
    found = re.search(r"绑群 ([0-9A-Z]{8})$", said)
    assert found, said
    return f"绑群 {found[1]}"


async def _bound(world: World, room: str = ROOM) -> None:
    assert "绑好了" in (await _unaddressed(world, await _phrase(world), who=CHEN, room=room))[0].text


async def _unaddressed(world: World, text: str, who: str = LIN, room: str = ROOM) -> list[Outbound]:
    """Something said in a group, and not to the assistant."""
    world.events += 1
    inbound = Inbound(
        address=Address(channel="web", conversation=room, chat="group"),
        event_id=f"group-{world.events}",
        sender=who,
        text=text,
        mentioned=False,
    )
    return list(await world.app.gateway.receive(inbound))


async def test_a_phrase_binds_the_group_once(either_world: World) -> None:
    world = either_world
    phrase = await _phrase(world)
    assert await _unaddressed(world, phrase, who=LIN) == []  # somebody else's: nothing is told
    assert "绑好了" in (await _unaddressed(world, phrase, who=CHEN))[0].text
    assert await _unaddressed(world, phrase, who=CHEN, room="room-2") == []
    await announce(world, to="群:文学院教工群", text="给群里的", who=CHEN)
    sent = [message for message in await world.sent() if message.text == "给群里的"]
    assert [(message.address.conversation, message.address.chat) for message in sent] == [(ROOM, "group")]


async def test_a_phrase_is_over_after_a_while(world: World) -> None:
    phrase = await _phrase(world)
    world.clock.move(minutes=16)
    assert await _unaddressed(world, phrase, who=CHEN) == []


@pytest.mark.parametrize("who", [LIN, "20160005"])
async def test_who_is_no_officer_binds_nothing(world: World, who: str) -> None:
    assert "没有权限" in await world.told("绑群 我的群", who=who)


async def test_the_binding_survives_another_id(either_world: World) -> None:
    world = either_world
    await _bound(world)
    await world.say("群问答 文学院教工群 活动时间=每周三下午四点", who=CHEN)
    await announce(world, to="群:文学院教工群", text="换号前写的")
    await run(world, c.MoveGroup(channel="web", before=ROOM, conversation="room-new"))
    sent = [message.address.conversation for message in await world.sent() if message.text == "换号前写的"]
    assert sent == ["room-new"]
    assert (await _unaddressed(world, "活动时间", room="room-new"))[0].text == "每周三下午四点"
    assert await _unaddressed(world, "活动时间", room=ROOM) == []


async def test_it_is_found_again_by_its_title_where_only_one_is_called_so(world: World) -> None:
    await _bound(world)
    await run(world, c.SeeGroups(channel="web", seen={"a": "文学院教工群", "b": "文学院教工群"}))
    assert (await _group(world)).conversation == ROOM
    await run(world, c.SeeGroups(channel="web", seen={"a": "文学院教工群", "b": "别的群"}))
    assert (await _group(world)).conversation == "a"
    await run(world, c.SeeGroups(channel="web", seen={"a": "改了名", "c": "文学院教工群"}))
    assert (await _group(world)).conversation == "a"


async def test_it_is_bound_anew_by_a_phrase_with_all_that_was_set(world: World) -> None:
    await _bound(world)
    await world.say("群问答 文学院教工群 活动时间=每周三下午四点", who=CHEN)
    assert "绑好了" in (await _unaddressed(world, await _phrase(world), who=CHEN, room="room-2"))[0].text
    assert (await _unaddressed(world, "活动时间？", room="room-2"))[0].text == "每周三下午四点"
    async with world.app.house.database.read() as session:
        assert len((await session.execute(select(ChatGroup))).scalars().all()) == 1


async def _group(world: World) -> ChatGroup:
    async with world.app.house.database.read() as session:
        return (await session.execute(select(ChatGroup))).scalar_one()


async def test_only_its_words_are_read_in_a_group(world: World) -> None:
    await _bound(world)
    await world.say("群问答 文学院教工群 报销=找李老师（示例）", who=CHEN)
    assert [reply.text for reply in await _unaddressed(world, "报销")] == ["找李老师（示例）"]
    for text in ("报销单在哪", "我想约心理咨询", "收到", "同意", "大家好"):
        assert await _unaddressed(world, text) == []
    await world.say("群问答 文学院教工群 报销=", who=CHEN)
    assert await _unaddressed(world, "报销") == []


async def test_who_joins_is_welcomed_together_with_others(world: World) -> None:
    await _bound(world)
    await world.sent()
    joined = c.MembersJoined(channel="web", conversation=ROOM, names=("新老师",))
    assert (await run(world, joined)).data == {"greeted": False}  # nobody set what to say
    await world.say("群欢迎 文学院教工群 欢迎新老师，有事私聊我。", who=CHEN)
    assert (await run(world, joined)).data == {"greeted": True}
    assert (await run(world, joined)).data == {"greeted": False}
    sent = [message for message in await world.sent() if message.address.conversation == ROOM]
    assert [message.text for message in sent] == ["欢迎新老师，有事私聊我。"]
    world.clock.move(minutes=11)
    assert (await run(world, joined)).data == {"greeted": True}


async def test_quiet_when_told(world: World) -> None:
    await _bound(world)
    await world.say("群问答 文学院教工群 报销=找李老师（示例）", who=CHEN)
    await world.say("群欢迎 文学院教工群 欢迎", who=CHEN)
    assert await world.say("静音", who=LIN, group=ROOM) == []  # not theirs to say
    assert (await _unaddressed(world, "报销"))[0].text
    assert "先不说话" in await world.told("静音一小时", who=CHEN, group=ROOM)
    await world.sent()
    assert (await _group(world)).muted_until == world.clock() + timedelta(hours=1)
    assert await _unaddressed(world, "报销") == []
    assert await world.say("最近有什么通知", group=ROOM) == []
    assert (await run(world, c.MembersJoined(channel="web", conversation=ROOM))).data == {"greeted": False}
    await announce(world, to="群:文学院教工群 或 单位:文学院", text="都看看")
    assert {message.address.chat for message in await world.sent() if message.text == "都看看"} == {"private"}
    assert "私下" in await world.told("我不想活了", who=LIN, group=ROOM)  # that is never kept quiet
    assert any("12356" in message.text for message in await world.sent())
    assert await world.told("可以说话了", who=CHEN, group=ROOM) == "好，我在。"
    assert (await _unaddressed(world, "报销"))[0].text


async def test_what_is_to_be_said_waits_until_the_group_may_hear_it(either_world: World) -> None:
    """Written before it was muted or after: once the hour is over it is said, and sooner where somebody says so."""
    world = either_world
    await _bound(world)
    await world.sent()
    await announce(world, to="群:文学院教工群", text="先写的")
    await world.say("静音一小时", who=CHEN, group=ROOM)
    await announce(world, to="群:文学院教工群", text="后写的")
    assert [message for message in await world.sent() if message.address.chat == "group"] == []
    progress = await run(world, c.Progress(announcement_id=1))
    assert progress.data["reasons"] == [{"state": "queued", "reason": "muted", "count": 1}]
    world.clock.move(minutes=61)
    assert {message.text for message in await world.sent() if message.address.chat == "group"} == {"先写的", "后写的"}
    await world.say("静音三小时", who=CHEN, group=ROOM)
    await announce(world, to="群:文学院教工群", text="第三条")
    await world.say("可以说话了", who=CHEN, group=ROOM)
    assert [message.text for message in await world.sent() if message.address.chat == "group"] == ["第三条"]


async def test_in_a_group_that_is_muted_for_good_nothing_is_said_and_the_ledger_says_why(world: World) -> None:
    await _bound(world)
    await world.say("静音", who=CHEN, group=ROOM)
    number = await announce(world, to="群:文学院教工群", text="不说的")
    world.clock.move(days=1)
    assert [message for message in await world.sent() if message.address.chat == "group"] == []
    progress = await run(world, c.Progress(announcement_id=number))
    assert progress.data["reasons"] == [{"state": "suppressed", "reason": "muted", "count": 1}]
    assert "群里静音" in world.app.house.wording.text(progress.wording, progress.params)


async def test_a_group_belongs_to_its_unit(world: World) -> None:
    await _bound(world)
    with pytest.raises(DomainError, match="not_your_audience"):
        await announce(world, to="群:文学院教工群", who=WANG)
    await announce(world, to="群:文学院教工群", who=ZHOU)
    await announce(world, to="单位:文学院 或 群:文学院教工群", who=CHEN)


async def test_forgotten_when_told(world: World) -> None:
    await _bound(world)
    await announce(world, to="群:文学院教工群", text="再也不发")
    assert "没有权限" in await world.told("解绑群 文学院教工群", who=WANG)
    assert "解绑了" in await world.told("解绑群 文学院教工群", who=CHEN)
    assert not [message for message in await world.sent() if message.text == "再也不发"]
    with pytest.raises(DomainError, match="segment_unknown"):
        await announce(world, to="群:文学院教工群")
