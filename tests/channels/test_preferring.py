"""One member on many channels: where they want to be written to is theirs to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.core.tables import Account, Member
from actions.membership import load_channel_names
from bot.delivery.routes import routes
from bot.settings import ROOT

if TYPE_CHECKING:
    from tests.conftest import World

LIN = "20180312"
NAMES = load_channel_names(ROOT / "data")


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("以后提醒都发到微信", "wechaty"),
        ("提醒发到 Telegram 吧", "telegram"),
        ("把通知发在这里", "web"),
        ("以后在电报上提醒我", "telegram"),
        ("用企业微信通知我", "wecom"),
        ("提醒发到哪里都行", ""),
        ("提醒发到月球", None),
        ("明天上午提醒我", None),
        ("发个通知给文学院", None),
        ("我约了什么", None),
    ],
)
def test_what_is_meant(text: str, channel: str | None) -> None:
    assert NAMES.meant(text, "web") == channel


async def _bind_on_terminal_later(world: World) -> int:
    """Bound on both; heard last in the terminal."""
    world.clock.move(minutes=5)
    async with world.app.house.database.write() as session:
        member = (await session.execute(select(Member).where(Member.staff_id == LIN))).unique().scalar_one()
        query = select(Account).where(Account.member_id == member.id, Account.channel == "terminal")
        (await session.execute(query)).scalar_one().heard_at = world.clock()
        return member.id


async def _route(world: World, member_id: int, *channels: str) -> str:
    async with world.app.house.database.read() as session:
        return (await routes(session, [member_id], channels))[member_id].channel


async def test_the_chosen_channel_comes_first_while_it_can_be_reached(world: World) -> None:
    member_id = await _bind_on_terminal_later(world)
    assert await _route(world, member_id, "web", "terminal") == "terminal"
    assert "网页" in await world.told("以后提醒发到这里")
    await _bind_on_terminal_later(world)
    assert await _route(world, member_id, "web", "terminal") == "web"
    assert await _route(world, member_id, "terminal") == "terminal"
    await world.told("提醒发到哪里都行")
    await _bind_on_terminal_later(world)
    assert await _route(world, member_id, "web", "terminal") == "terminal"


async def test_where_nobody_is_bound_nothing_is_sent(world: World) -> None:
    assert "还没有在Telegram上绑定" in await world.told("提醒发到 Telegram")
