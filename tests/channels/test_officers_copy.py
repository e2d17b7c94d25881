"""What officers copy into groups, and the groups that have a robot: by 企业微信 and by 公众号."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.announcements.tables import ChatGroup
from actions.core.errors import DomainError
from bot.app import execute
from tests.channels.over_wechat import Kind, over_wechat

if TYPE_CHECKING:
    from tests.channels.contract import Ground
    from tests.channels.over_wechat import WeChats

CHEN, LIN, ZHOU = "20130517", "20180312", "20100903"
TITLE = "文学院教工群"
SITE = "https://union.test"


async def _answer(channel: WeChats, who: str, text: str) -> str:
    await channel.say(who, text)
    await channel.app.delivery.flush()
    return "\n".join(await channel.read(who))


@pytest.mark.parametrize("kind", ["wecom", "official_account"])
async def test_the_pack_for_a_group_without_a_bot_reaches_an_officer(ground: Ground, kind: Kind) -> None:
    async with over_wechat(ground, kind, public_url=SITE) as channel:
        said = await _answer(channel, ZHOU, "群通知")
        assert "要发哪一项" in said
        title = re.findall(r"[：；]([^；：]*跳绳[^；]*)", said)[0].rstrip("。")
        said = await _answer(channel, ZHOU, f"群通知 {title}")
        assert f"{title}开始报名了" in said
        assert "#接龙" in said
        assert SITE in said
        assert "二维码" in said
        pictures = [sent for sent in channel.platform.read(channel.who(ZHOU)) if sent.kind == "image"]
        assert len(pictures) == 1
        # Members know no such words.
        assert "#接龙" not in await _answer(channel, LIN, f"群通知 {title}")


async def test_a_group_with_a_robot_is_bound_as_the_document_says(ground: Ground) -> None:
    """docs/channels/wecom.md: the phrase by chat, then `bot do groups.bind` for the robot, which hears nothing."""
    robots = {TITLE: "robot-1"}
    async with over_wechat(ground, "wecom", robots=robots) as channel:
        said = await _answer(channel, CHEN, f"绑群 {TITLE}")
        found = re.search(r"绑群 ([0-9A-Z]{8})$", said)
        assert found, said
        bound = {"phrase": found[1], "channel": "wecom", "conversation": TITLE}
        with pytest.raises(DomainError, match="phrase_gone"):
            await execute(channel.app, ZHOU, "groups.bind", bound)
        outcome = await execute(channel.app, CHEN, "groups.bind", bound)
        assert outcome.params["title"] == TITLE
        async with channel.app.house.database.read() as session:
            [group] = (await session.execute(select(ChatGroup))).scalars()
        assert (group.channel, group.conversation) == ("wecom", TITLE)
        await execute(channel.app, "", "announcements.announce", {"to": f"群:{TITLE}", "text": "周三下午开会"})
        await channel.app.sweep()
        await channel.app.delivery.flush()
        await channel.platform.quiet()
        assert [sent.text for sent in channel.platform.read("robot-1")][-1] == "周三下午开会"
        with pytest.raises(DomainError, match="phrase_gone"):
            await execute(channel.app, CHEN, "groups.bind", bound)
