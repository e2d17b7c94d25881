"""The gateway, the assistant or the line between them is away: what is said meanwhile is said afterwards, once."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from actions.core.tables import Outgoing
from bot.channels.wechaty import puppet
from bot.channels.wechaty.gateway import Connection
from bot.channels.wechaty.pace import Time, faster
from bot.channels.wechaty.seen import Place
from tests.peers.wechaty import TOKEN, Gateway
from tests.wechaty.town import Town, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.wechaty.conftest import Towns

pytestmark = pytest.mark.peer

#: Seconds within which the gateway must be found again after it has returned.
PROMISED = 15.0


@dataclass
class Watch:
    """A clock that goes so many times as fast, and what was slept on it."""

    times: float
    slept: list[float] = field(default_factory=list)

    @property
    def time(self) -> Time:
        quick = faster(self.times)

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            await quick.sleep(seconds)

        return Time(now=quick.now, sleep=sleep)


async def _state(town: Town, what: str) -> bool:
    return town.bridge is not None and town.bridge.connection.state == what


async def _through(
    town: Town, seconds: float, away: Callable[[], Awaitable[Any]], back: Callable[[], Awaitable[Any]]
) -> None:
    """An outage from its beginning to its end, and what people notice of it."""
    who, other = town.stranger(), town.stranger()
    room = town.room("教工群", who)
    async with town.bridged():
        await town.ready()
        assert await town.answer(who, "你好")
        await away()
        await until(lambda: _state(town, "away"))
        for number in range(4):
            await town.write(who, f"给一个人的第 {number} 条")
            await town.write(room, f"给一个群的第 {number} 条", chat="group")
        await asyncio.sleep(seconds)
        assert not town.desk.ready
        await back()
        await town.ready(PROMISED)
        assert (await town.read(who, 5))[1:] == [f"给一个人的第 {number} 条" for number in range(4)]
        assert await town.read(room, 4) == [f"给一个群的第 {number} 条" for number in range(4)]
        assert await town.answer(other, "你好")
        await town.settled()
        assert [len(await town.gateway.sent(each)) for each in (who, room, other)] == [5, 4, 1]


async def test_outages_of_five_seconds_seventy_seconds_and_five_minutes(
    towns: Towns, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Side by side, each with a gateway of its own: the first two in real time, the last on a clock ten times as fast.

    In the short one the gateway's puppet goes on, and is not restarted; in the others the gateway is killed.
    """
    watch = Watch(10)

    async def short(gateway: Gateway) -> None:
        async with towns(gateway) as town:
            await _through(town, 5, lambda: gateway.tell("down"), lambda: gateway.tell("up"))
            assert (await gateway.look("state"))["counters"] == {"start": 1, "stop": 0}

    async def long(gateway: Gateway) -> None:
        async with towns(gateway) as town:
            await _through(town, 70, lambda: asyncio.to_thread(gateway.kill), lambda: asyncio.to_thread(gateway.start))
            assert (await gateway.look("state"))["counters"] == {"start": 1, "stop": 0}

    async def very_long(gateway: Gateway) -> None:
        async with towns(gateway) as town:
            town.time = watch.time
            seconds = 300 / watch.times
            await _through(
                town, seconds, lambda: asyncio.to_thread(gateway.kill), lambda: asyncio.to_thread(gateway.start)
            )

    with ExitStack() as running:
        gateways = [running.enter_context(Gateway.open(tmp_path_factory.mktemp("outage"))) for _ in range(3)]
        await asyncio.gather(short(gateways[0]), long(gateways[1]), very_long(gateways[2]))
    # Five minutes took it some fifty tries, none of them long after the one before.
    assert max(watch.slept) <= 6
    assert sum(watch.slept) > 300


async def test_what_people_write_while_the_assistant_is_away_is_answered_afterwards(wechat: Town) -> None:
    who, other = wechat.stranger(), wechat.stranger()
    assert await wechat.answer(who, "你好")
    await wechat.close()
    for text in ("谢谢", "再见"):
        await wechat.gateway.say(who, text, times=2)
    await wechat.gateway.say(other, "你好")
    await asyncio.sleep(1)
    await wechat.serve()
    await wechat.read(who, 3)
    await wechat.read(other)
    await wechat.settled()
    assert [len(await wechat.gateway.sent(each)) for each in (who, other)] == [3, 1]


async def test_a_gateway_that_hangs_is_left_and_found_again(town: Town) -> None:
    town.time = faster(5)
    who = town.stranger()
    async with town.bridged():
        await town.ready()
        town.gateway.freeze()
        try:
            await until(lambda: _state(town, "away"))
        finally:
            town.gateway.thaw()
        await town.ready()
        assert await town.answer(who, "你好")


async def test_whatever_else_answers_there_ends_nothing(town: Town) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"\x00\xff" * 500)
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    town.time = faster(50)
    async with town.bridged(port=server.sockets[0].getsockname()[1]) as bridge:

        async def tried() -> bool:
            return bridge.connection._tries > 5

        await until(tried)
        assert bridge.connection.state == "away"
    server.close()


async def test_a_wrong_token_is_told_to_the_operator(town: Town) -> None:
    async with town.bridged(token="no such token"):

        async def told() -> bool:
            return town.desk.health().state == "the gateway refuses the token"

        await until(told)


# --- a gateway serves one client


async def test_another_client_is_waited_for(town: Town) -> None:
    place = Place(host="127.0.0.1", port=town.gateway.port, token=TOKEN)
    first = Connection(place, lambda _event: None)
    holding = asyncio.create_task(first.run())
    await first.connected.wait()
    stops = (await town.gateway.look("state"))["counters"]["stop"]
    town.take_over = 0
    async with town.bridged():
        await until(lambda: _state(town, "taken"))
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        await town.ready()
    assert (await town.gateway.look("state"))["counters"]["stop"] == stops


async def test_one_that_never_goes_is_put_out_once(town: Town) -> None:
    """As a line of our own that broke without the gateway's noticing."""
    place = Place(host="127.0.0.1", port=town.gateway.port, token=TOKEN)
    first = Connection(place, lambda _event: None, time=Time(sleep=lambda _seconds: asyncio.sleep(3_600)))
    holding = asyncio.create_task(first.run())
    await first.connected.wait()
    stops = (await town.gateway.look("state"))["counters"]["stop"]
    town.take_over, town.time = 10, faster(10)
    async with town.bridged():
        await town.ready()
    assert (await town.gateway.look("state"))["counters"]["stop"] == stops + 1
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)


# --- in the middle of a message


async def _rows(town: Town, who: str) -> list[Outgoing]:
    async with town.app.house.database.read() as session:
        query = select(Outgoing).where(Outgoing.conversation == who).order_by(Outgoing.id)
        return list((await session.execute(query)).scalars())


async def test_a_gateway_that_dies_before_it_answers_leaves_a_doubt(wechat: Town) -> None:
    """Nobody can know whether that one was said: it is said again, and counted."""
    who = wechat.stranger()
    await wechat.gateway.tell("faults", {"dieAfterSend": 1})
    await wechat.write(who, "到了没有")
    await asyncio.to_thread(wechat.gateway.died)
    await asyncio.to_thread(wechat.gateway.start)
    assert await wechat.read(who, 2) == ["到了没有"] * 2
    await wechat.settled()
    assert wechat.bridge is not None
    assert wechat.bridge.counts["in_doubt"] == 1
    assert len(await wechat.gateway.sent(who)) == 2


async def test_a_gateway_that_is_slow_is_believed_when_it_shows_the_message(
    wechat: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(puppet, "_SEND_SECONDS", 0.5)
    who = wechat.stranger()
    await wechat.gateway.tell("faults", {"delay": 1_500})
    try:
        await wechat.write(who, "慢慢来")
        await wechat.read(who)
        await wechat.settled()
    finally:
        await wechat.gateway.tell("faults", {"delay": 0})
    assert len(await wechat.gateway.sent(who)) == 1
    assert [row.state for row in await _rows(wechat, who)] == ["sent"]


async def test_what_wechat_refuses_three_times_is_given_up(wechat: Town) -> None:
    who = wechat.stranger()
    await wechat.gateway.tell("faults", {"fail": 3})
    await wechat.write(who, "发不出去的")

    async def tried(times: int) -> bool:
        (row,) = await _rows(wechat, who)
        return row.attempts == times

    for times in (1, 2, 3):
        await until(lambda times=times: tried(times))  # type: ignore[misc]
        wechat.clock.skip(minutes=2)
        wechat.app.delivery.wake()
    assert [row.state for row in await _rows(wechat, who)] == ["failed"]
    assert await wechat.gateway.sent(who) == []


async def test_a_long_message_goes_on_where_it_broke_off(wechat: Town) -> None:
    who = wechat.stranger()
    await wechat.gateway.tell("faults", {"delay": 400})
    parts = [f"{number}：{'说明' * 800}" for number in range(1, 4)]
    await wechat.write(who, "\n\n".join(parts))
    await wechat.read(who)
    await wechat.gateway.tell("faults", {"fail": 1})

    async def broken_off() -> bool:
        (row,) = await _rows(wechat, who)
        return row.attempts == 1

    await until(broken_off)
    await wechat.gateway.tell("faults", {"delay": 0})
    wechat.clock.skip(minutes=2)
    wechat.app.delivery.wake()
    assert await wechat.read(who, 3) == parts
    await wechat.settled()
    assert len(await wechat.gateway.sent(who)) == 3


async def test_a_bridge_that_is_replaced_sends_nothing_twice(town: Town) -> None:
    who = town.stranger()
    for number in range(3):
        async with town.bridged():
            await town.ready()
            await town.write(who, f"第 {number} 次")
            await town.read(who, number + 1)
            await town.settled()
        await town.write(who, f"第 {number} 次以后")
    async with town.bridged():
        await town.ready()
        await town.read(who, 6)
        await town.settled()
    said = [each["text"] for each in await town.gateway.sent(who)]
    assert len(said) == len(set(said)) == 6
