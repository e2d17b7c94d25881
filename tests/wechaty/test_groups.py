"""WeChat groups: what is answered there, and how a group is known again whatever WeChat calls it."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.announcements.tables import ChatGroup
from bot.channels.wechaty.inward import Rules
from tests.wechaty.town import until

if TYPE_CHECKING:
    from tests.wechaty.town import Town

pytestmark = pytest.mark.peer

LIN, CHEN = "20180312", "20130517"


async def _bound(town: Town, officer: str, room: str, title: str) -> None:
    phrase = re.search(r"绑群 ([0-9A-Z]{8})$", await town.answer(officer, f"绑群 {title}"))
    assert phrase
    assert "绑好了" in await town.answer(officer, f"绑群 {phrase[1]}", room=room)


async def _signed_in_again(town: Town) -> None:
    await town.gateway.tell("emit", {"event": "login", "payload": {"contactId": "bot"}})


async def _bound_at(town: Town) -> str:
    """The id of the only group that is bound."""
    async with town.app.house.database.read() as session:
        return (await session.execute(select(ChatGroup.conversation))).scalar_one()


@pytest.fixture
async def room(wechat: Town) -> str:
    """A group that its officer has bound."""
    chen, lin = await wechat.member(CHEN, "陈静"), wechat.stranger("老林")
    title = f"教工群{secrets.token_hex(3)}"
    key = wechat.room(title, chen, lin)
    await _bound(wechat, chen, key, title)
    await wechat.gateway.say(lin, "大家好", room=key)
    await wechat.settled()
    return key


async def test_only_what_is_said_to_it_is_answered_in_a_group(wechat: Town) -> None:
    lin = await wechat.member(LIN, "林一帆")
    key = wechat.room("闲聊群", lin)
    await wechat.gateway.say(lin, "中午吃什么", room=key)
    await wechat.gateway.say(lin, "", room=key, type="Audio")
    said = await wechat.answer(lin, "@小助手\u2005你好", room=key)
    assert said.startswith("@林一帆\u2005")
    await wechat.answer(lin, "你好", room=key, mentions=["bot"])
    await wechat.answer(lin, "娘家人你好", room=key)
    await wechat.settled()
    sent = await wechat.gateway.sent(key)
    assert len(sent) == 3
    assert [each["mentions"] for each in sent] == [[lin]] * 3


async def test_a_private_matter_goes_on_in_private(wechat: Town) -> None:
    lin = await wechat.member(LIN, "林一帆")
    await wechat.answer(lin, "你好")
    key = wechat.room("闲聊群", lin)
    said = await wechat.answer(lin, "@小助手\u2005想约心理咨询", room=key)
    assert "咨询" not in said
    assert "什么时候" in (await wechat.read(lin, 2))[-1]


async def test_who_joins_is_greeted(wechat: Town, room: str) -> None:
    async with wechat.app.house.database.write() as session:
        group = (await session.execute(select(ChatGroup).where(ChatGroup.conversation == room))).scalar_one()
        group.welcome = "欢迎新同事！"
    newcomer = wechat.stranger("小新")
    await wechat.gateway.tell("join", {"room": room, "who": newcomer})

    async def greeted() -> bool:
        return any("欢迎新同事" in each.get("text", "") for each in await wechat.gateway.sent(room))

    await until(greeted)


async def test_the_binding_outlives_another_id(wechat: Town, room: str) -> None:
    await wechat.gateway.tell("rename", {"before": room, "after": f"new-{room}"})
    await _signed_in_again(wechat)

    async def moved() -> bool:
        return await _bound_at(wechat) == f"new-{room}"

    await until(moved)


async def test_even_of_a_group_that_was_given_another_title(wechat: Town, room: str) -> None:
    await wechat.gateway.tell("title", {"room": room, "title": "文学院大家庭", "by": "bot"})
    await wechat.settled()
    await wechat.gateway.tell("rename", {"before": room, "after": f"again-{room}"})
    await _signed_in_again(wechat)

    async def moved() -> bool:
        return await _bound_at(wechat) == f"again-{room}"

    await until(moved)


async def test_a_group_is_found_again_by_a_new_bridge(wechat: Town, room: str) -> None:
    """The bridge was away while the id changed: it is known by the title that the officer gave it."""
    async with wechat.app.house.database.write() as session:
        group = (await session.execute(select(ChatGroup).where(ChatGroup.conversation == room))).scalar_one()
        group.conversation = f"old-{room}"
    await _signed_in_again(wechat)

    async def moved() -> bool:
        return await _bound_at(wechat) == room

    await until(moved)


async def test_being_thrown_out_of_a_group_harms_nobody(wechat: Town, room: str) -> None:
    await wechat.gateway.tell("leave", {"room": room, "who": "bot"})
    assert await wechat.answer(wechat.stranger(), "你好")
    assert wechat.bridge is not None
    assert wechat.bridge.counts["removed_from_group"] == 1


async def test_invitations_are_left_to_people_unless_told_otherwise(town: Town) -> None:
    async with town.bridged():
        await town.ready()
        await town.gateway.tell("emit", {"event": "room-invite", "payload": {"roomInvitationId": "i-1"}})
        await town.answer(town.stranger(), "你好")
        await town.settled()
    town.rules = Rules(accept_rooms=True)
    async with town.bridged():
        await town.ready()
        await town.gateway.tell("emit", {"event": "room-invite", "payload": {"roomInvitationId": "i-2"}})
        await town.answer(town.stranger(), "你好")
        await town.settled()
    done = [each["id"] for each in await town.gateway.look("done") if each["what"] == "invitation"]
    assert done == ["i-2"]
