"""Choice: who wants no news gets none, nobody is woken, and what is service is told all the same."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from actions.announcements import commands as c
from actions.announcements.tables import Announcement
from actions.core.errors import DomainError
from actions.core.zones import at, local
from tests.announcements.conftest import LIN, WANG, announce, run, states, told

if TYPE_CHECKING:
    from tests.conftest import World

LECTURE = "健康大讲堂：颈肩养护讲座，周三下午两点。"


async def test_who_wants_none_gets_none_and_the_ledger_says_why(either_world: World) -> None:
    world = either_world
    assert "以后不推了" in await world.told("别再推了")
    await announce(world, text=LECTURE, to="单位:文学院")
    sent = await world.sent()
    assert len(sent) == 5
    assert LIN not in {message.address.conversation for message in sent}
    assert await states(world, "announcement:1") == {"sent": 5, "suppressed": 1}
    progress = await run(world, c.Progress(announcement_id=1))
    assert progress.data["reasons"] == [{"state": "suppressed", "reason": "unsubscribed", "count": 1}]


async def test_one_topic_is_kept(world: World) -> None:
    await world.say("别再推了，讲座的留着")
    await announce(world, text=LECTURE, to="单位:文学院")
    await announce(world, text="园丁杯篮球赛开始报名", to="单位:文学院")
    await world.sent()
    assert [text for _at, text in await told(world, LIN)] == [LECTURE]


async def test_what_waits_already_is_kept_back_as_well(world: World) -> None:
    await announce(world, text=LECTURE, to="单位:文学院")
    await world.say("别再推讲座了")
    sent = await world.sent()
    assert len(sent) == 5
    assert LIN not in {message.address.conversation for message in sent}


async def test_what_they_take_part_in_is_told_all_the_same(world: World) -> None:
    for line in ("周五下午三点约瑜伽室", "5个人", "确认", "别再推了"):
        await world.say(line)
    await announce(world, to="报名:瑜伽室", text="瑜伽室换到二楼")
    await world.sent()
    assert "瑜伽室换到二楼" in [text for _at, text in await told(world, LIN)]


async def test_nobody_is_woken(world: World) -> None:
    world.clock.now = at(local(world.clock()).date(), time(22, 30))
    await announce(world, text="夜里写的", to="单位:文学院")
    assert [message.text for message in await world.sent()] == []
    world.clock.move(hours=8, minutes=59)  # 07:29
    assert await world.sent() == []
    world.clock.move(minutes=1)
    assert len([message for message in await world.sent() if message.text == "夜里写的"]) == 6


async def test_the_digest_holds_the_week_once_and_unshortened(world: World) -> None:
    await world.say("一周汇总一次就行")
    await announce(world, text=LECTURE, to="单位:文学院")
    second = await announce(world, text="第二条", to="单位:文学院")
    third = await announce(world, text="撤回的", to="单位:文学院")
    await world.sent()
    assert await told(world, LIN) == []
    await run(world, c.Correct(announcement_id=second, reason="第二条（更正）"))
    async with world.unit_of_work() as context:
        (await context.session.get_one(Announcement, third)).state = "withdrawn"
    await world.sent()
    # Friday at four, by the schedule; a sweep later nothing more comes.
    world.clock.now = at(local(world.clock()).date() + timedelta(days=5), time(16, 0, 30))
    await world.sent()
    world.clock.move(minutes=5)
    await world.sent()
    digests = [text for _at, text in await told(world, LIN) if "攒的" in text]
    assert len(digests) == 1
    assert LECTURE in digests[0]
    assert "撤回的" not in digests[0]
    world.clock.move(days=7)
    await world.sent()
    assert len([text for _at, text in await told(world, LIN) if "攒的" in text]) == 1


async def test_back_again(world: World) -> None:
    for line in ("别再推了", "恢复推送"):
        await world.say(line)
    await announce(world, text=LECTURE, to="单位:文学院")
    await world.sent()
    assert [text for _at, text in await told(world, LIN)] == [LECTURE]


async def test_a_topic_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(DomainError, match="no_such_topic"):
        await run(world, c.SetWishes(wishes=(("weather", "none"),)), WANG)
