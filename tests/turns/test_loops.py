"""The loop guard: bots are not answered, and what repeats comes to rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gateway.loops import Exchange, look
from bot.messages import Address, Inbound

if TYPE_CHECKING:
    from tests.conftest import World

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


async def test_what_repeats_is_answered_a_few_times_then_remarked_on_then_left(world: World) -> None:
    replies = [await world.told("谢谢") for _ in range(8)]
    assert len(set(replies[:4])) == 1
    assert "回过几遍" in replies[4]
    assert replies[5:] == ["", "", ""]
    assert await world.told("我约了什么") not in ("", replies[0])
    world.clock.move(minutes=10)
    assert await world.told("谢谢") == replies[0]


async def test_others_are_answered_meanwhile(world: World) -> None:
    for _ in range(7):
        await world.say("谢谢")
    assert await world.told("谢谢", who="20100903") != ""


async def test_a_call_for_help_is_always_answered(world: World) -> None:
    replies = [await world.told("我不想活了") for _ in range(9)]
    assert all("12356" in reply for reply in replies)


@pytest.mark.parametrize("chat", ["private", "group"])
async def test_a_bot_is_never_answered(world: World, chat) -> None:
    address = Address(channel="web", conversation="20180312", chat=chat)
    said = Inbound(address=address, event_id="1", sender="20180312", text="你好", mentioned=True)
    assert await world.app.gateway.receive(replace(said, from_bot=True)) == ()
    assert len(await world.app.gateway.receive(said)) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90)), max_size=120))
def test_however_a_machine_talks_it_gets_few_answers(talk) -> None:
    before: list[Exchange] = []
    answered: list[Exchange] = []
    now = NOW
    for mark, pause in talk:
        now += timedelta(seconds=pause)
        one = Exchange(mark=mark, at=now)
        if look(before, mark, now) != "silent":
            answered.append(one)
        before.append(one)
    for end in answered:
        lately = [each for each in answered if end.at - timedelta(minutes=1) < each.at <= end.at]
        assert len(lately) <= 41
        same = [each for each in answered if each.mark == end.mark and each.at > end.at - timedelta(minutes=10)]
        assert len([each for each in same if each.at <= end.at]) <= 5
