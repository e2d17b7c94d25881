"""At the door, in chat: a code is shown as a picture, and counts once when the staff at the door say it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.activities.doors import picture
from actions.activities.rules import spec_of
from actions.core.tables import Offering

if TYPE_CHECKING:
    from tests.conftest import World

#: Who answers for the lectures of the demo world, and an officer of the union.
OWNER, OFFICER = "20160024", "20100903"


async def begin(world: World, title: str) -> None:
    """The clock goes to the beginning of an offering."""
    async with world.app.house.database.read() as session:
        offering = (await session.execute(select(Offering).where(Offering.title == title))).scalar_one()
    starts_at = spec_of(offering).starts_at
    assert starts_at is not None
    world.clock.now = starts_at - timedelta(minutes=20)


async def test_a_code_is_shown_and_counts_once(world: World) -> None:
    await world.say("报名科学睡眠讲座")
    code = re.search(r"签到码：(\w{10})", await world.told("确认"))
    assert code is not None
    assert code[1] in await world.told("签到码")
    pictures = [message for message in await world.sent() if message.files]
    assert [file.kind for message in pictures for file in message.files] == ["picture"]
    await begin(world, "健康大讲堂：科学睡眠")
    assert "没有权限" in await world.told(f"签到 {code[1]}", who="20150108")
    assert "林一帆老师签到了" in await world.told(f"签到 {code[1]}", who=OWNER)
    assert "已经签过到了" in await world.told(f"签到{code[1]}", who=OFFICER)
    assert "这个签到码不对" in await world.told("签到 ABCDEFGHJK", who=OFFICER)


async def test_who_is_in_nothing_has_no_code(world: World) -> None:
    assert "没有要签到的活动" in await world.told("签到码")


async def test_officers_see_how_many_are_in(world: World) -> None:
    await world.say("报名科学睡眠讲座")
    await world.say("确认")
    told = await world.told("报名情况", who=OFFICER)
    assert "健康大讲堂：科学睡眠：已报 1/120" in told
    assert "冬日单身联谊" not in told, "who is in a private activity is its owner's to know, even their number"


def test_a_picture_is_a_png_that_holds_the_code_alone() -> None:
    assert picture("ABCDEFGHJK").startswith(b"\x89PNG")
