"""The five seconds of 公众号, its 48 hours, its codes, and the way to the chat page."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from actions.core.tables import Account, Member, Outgoing
from bot.api import create_api
from bot.messages import Address, Outbound, SendError
from bot.serving import _api_parts
from tests.channels.over_wechat import openid, over_wechat
from tests.peers.wechat import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.channels.contract import Ground
    from tests.channels.over_wechat import WeChats

LIN, SUN = "20180312", "20210107"
SITE = "https://union.test"


@pytest.fixture
async def account(ground: Ground) -> AsyncIterator[WeChats]:
    template: dict[str, Any] = {"outside": "template", "template_id": "template-1"}
    async with over_wechat(ground, "official_account", public_url=SITE, **template) as made:
        yield made


def _slowly(account: WeChats, seconds: float) -> None:
    """Turns take so long."""
    receive: Callable[[Any], Awaitable[Any]] = account.door.receive

    async def slow(inbound: Any) -> Any:
        await asyncio.sleep(seconds)
        return await receive(inbound)

    account.door.receive = slow  # type: ignore[method-assign]


def _to(text: str = "您好", **fields: Any) -> Outbound:
    return Outbound(address=Address(channel="official_account", conversation=openid(LIN)), text=text, **fields)


# --- the five seconds


async def test_what_is_ready_in_time_is_the_answer_itself(account: WeChats) -> None:
    await account.say(LIN, "帮助")
    await account.app.delivery.flush()
    await account.read(LIN)
    (got,) = account.platform.read(openid(LIN))
    assert got.passive
    async with account.app.house.database.read() as session:
        assert [row.state for row in (await session.execute(select(Outgoing))).scalars()] == ["accepted"]


async def test_what_is_late_follows_as_a_message_and_is_no_answer(ground: Ground) -> None:
    async with over_wechat(ground, "official_account", passive_seconds=0.05) as account:
        _slowly(account, 0.3)
        await account.say(LIN, "帮助")
        await account.app.delivery.flush()
        await account.read(LIN)
        (got,) = account.platform.read(openid(LIN))
        assert not got.passive
        assert account.platform.statuses == [200]


async def test_tries_of_the_platform_are_one_message_answered_once(ground: Ground) -> None:
    """It waits less long than we do: it gives up twice, and has its answer the third time."""
    async with over_wechat(ground, "official_account", retry=0.5) as account:
        _slowly(account, 0.7)
        await account.say(LIN, "帮助")
        await account.app.delivery.flush()
        await account.read(LIN)
        (got,) = account.platform.read(openid(LIN))
        assert got.passive
        assert account.door.passed == 1
        assert account.platform.statuses[-1] == 200
        assert len(account.platform.statuses) > 1


async def test_told_again_after_it_was_answered_it_is_the_same_answer(account: WeChats) -> None:
    fields = account.platform.message(openid(LIN), "text", Content="帮助")
    await account.pushes(fields)
    await account.app.delivery.flush()
    await account.platform.quiet()
    await account.platform.push(fields)
    first, again = account.platform.read(openid(LIN))
    assert (first.text, first.passive) == (again.text, again.passive)
    assert account.door.passed == 1


async def test_told_again_to_a_process_that_knows_nothing_of_it_it_is_not_said_twice(ground: Ground) -> None:
    async with over_wechat(ground, "official_account", passive_seconds=0.5) as account:
        fields = account.platform.message(openid(LIN), "text", Content="帮助")
        await account.pushes(fields)
        await account.app.delivery.flush()
        await account.platform.quiet()
        account.channel._answers.clear()
        await account.platform.push(fields)
        await account.app.delivery.flush()
        assert len(account.platform.read(openid(LIN))) == 1


async def test_an_event_told_again_counts_once(account: WeChats) -> None:
    fields = account.platform.message(openid(LIN), "event", Event="CLICK", EventKey="帮助")
    await account.pushes(fields)
    await account.app.delivery.flush()
    account.channel._answers.clear()
    task = account.platform.push(fields)
    await account.door.through(2)
    account.channel._windows[openid(LIN)][0].close()
    await task
    async with account.app.house.database.read() as session:
        assert len(list((await session.execute(select(Outgoing))).scalars())) == 1


async def test_a_long_answer_follows_as_messages(account: WeChats) -> None:
    await account.channel.send(_to("工会" * 1_000, reply=True))
    got = account.platform.read(openid(LIN))
    assert "".join(each.text for each in got) == "工会" * 1_000
    assert not any(each.passive for each in got)


async def test_what_fails_on_our_side_is_apologized_for_in_the_answer(account: WeChats) -> None:
    async def broken(_inbound: object) -> tuple[Outbound, ...]:
        raise OSError

    account.door.receive = broken  # type: ignore[method-assign,assignment]
    await account.platform.push(account.platform.message(openid(LIN), "text", Content="您好"))
    (got,) = account.platform.read(openid(LIN))
    assert got.passive
    assert "没处理好" in got.text


# --- the 48 hours


@pytest.mark.parametrize("code", [45015, 45047])
async def test_outside_the_48_hours_a_template_says_the_beginning(account: WeChats, code: int) -> None:
    account.platform.refusals.append(Refusal(path="custom/send", code=code))
    await account.channel.send(_to("您明天 15:00 有一个预约，在健康驿站的瑜伽室，请提前五分钟到"))
    (got,) = account.platform.read(openid(LIN))
    assert (got.kind, got.text) == ("template", "您明天 15:00 有一个预约，在健康…")
    assert got.body["url"] == f"{SITE}/api/v1/official-account/enter"


async def test_without_a_template_it_is_given_up(ground: Ground) -> None:
    async with over_wechat(ground, "official_account") as account:
        account.platform.silent_since.add(openid(LIN))
        with pytest.raises(SendError, match="48 hours") as raised:
            await account.channel.send(_to())
        assert raised.value.permanent


async def test_subscription_messages_have_their_own_call(ground: Ground) -> None:
    given: dict[str, Any] = {"outside": "subscribe", "template_id": "template-1"}
    async with over_wechat(ground, "official_account", **given) as account:
        account.platform.silent_since.add(openid(LIN))
        await account.channel.send(_to())
        assert account.platform.asked[-1].path == "cgi-bin/message/subscribe/bizsend"


# --- the menu and the codes


async def test_the_menu_is_set_when_it_starts(account: WeChats) -> None:
    async with asyncio.timeout(10):
        while not account.platform.menu:  # noqa: ASYNC110 - another task sets it
            await asyncio.sleep(0.01)
    first, page = account.platform.menu["button"]
    assert "我约了什么" in [each["key"] for each in first["sub_button"]]
    assert page["url"] == f"{SITE}/api/v1/official-account/enter"


async def _staff_id(account: WeChats, sender: str, channel: str = "official_account") -> str | None:
    async with account.app.house.database.read() as session:
        query = select(Member.staff_id).join(Account).where(Account.channel == channel, Account.sender == sender)
        return (await session.execute(query)).scalar_one_or_none()


@pytest.mark.parametrize("event", ["SCAN", "subscribe"])
async def test_who_scans_a_code_is_bound_once(account: WeChats, event: str) -> None:
    account.platform.people |= {"new-one", "second"}
    url = await account.channel.invitation(SUN)
    ticket = parse_qs(urlsplit(url).query)["ticket"][0]
    key = ("qrscene_" if event == "subscribe" else "") + account.platform.scenes[ticket]
    for who in ("new-one", "second"):
        fields = account.platform.message(who, "event", Event=event, EventKey=key, Ticket=ticket)
        task = account.platform.push(fields)
        async with asyncio.timeout(30):
            while not task.done():
                await account.app.delivery.flush()
                await asyncio.sleep(0.02)
    assert await _staff_id(account, "new-one") == SUN
    assert await _staff_id(account, "second") is None


async def test_a_code_is_over_after_ten_minutes(account: WeChats, ground: Ground) -> None:
    from bot.channels.official_account import scenes  # noqa: PLC0415 - here alone

    shelf = account.channel._place.shelf
    code = await scenes.new_code(shelf, SUN)
    ground.clock.now += timedelta(minutes=11)
    assert await scenes.taken(shelf, code) == ""
    assert await scenes.taken(shelf, "nonsense") == ""


# --- to the chat page


@pytest.fixture
async def browser(account: WeChats) -> AsyncIterator[httpx.AsyncClient]:
    api = create_api(_api_parts(account.app, asyncio.Event(), None))
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as made:
        yield made


async def _entered(account: WeChats, browser: httpx.AsyncClient, who: str, **changed: str) -> httpx.Response:
    sent = await browser.get("/api/v1/official-account/enter")
    asked = {name: given[0] for name, given in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["scope"] == "snsapi_base"
    assert asked["redirect_uri"] == f"{SITE}/api/v1/official-account/entered"
    account.platform.codes["code-1"] = who
    back = {"code": "code-1", "state": asked["state"], **changed}
    return await browser.get("/api/v1/official-account/entered", params=back)


async def test_whoever_is_bound_in_wechat_is_known_on_the_page(account: WeChats, browser: httpx.AsyncClient) -> None:
    entered = await _entered(account, browser, openid(LIN))
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    said = await browser.post("/api/v1/chat", json={"message_id": "1", "text": "绑定工号"})
    assert "林一帆" in said.text
    again = await browser.get("/api/v1/official-account/entered", params={"code": "code-1", "state": "x"})
    assert again.status_code == 400


async def test_who_is_not_bound_is_told_how(account: WeChats, browser: httpx.AsyncClient) -> None:
    entered = await _entered(account, browser, "o-a-stranger")
    assert entered.status_code == 403
    assert "绑定工号" in entered.text
    assert (await browser.get("/api/v1/session")).status_code == 401


@pytest.mark.parametrize("changed", [{"state": "forged"}, {"code": "of-nobody"}, {"code": ""}])
async def test_a_forged_return_opens_nothing(
    account: WeChats, browser: httpx.AsyncClient, changed: dict[str, str]
) -> None:
    assert (await _entered(account, browser, openid(LIN), **changed)).status_code == 400
    assert (await browser.get("/api/v1/session")).status_code == 401


async def test_a_code_is_shown_to_members_alone(account: WeChats, browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/v1/official-account/qr")).status_code == 400
    await _entered(account, browser, openid(LIN))
    shown = await browser.get("/api/v1/official-account/qr")
    assert shown.headers["location"].startswith("https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=")
