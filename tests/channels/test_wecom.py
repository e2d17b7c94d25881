"""What 企业微信 does beside conversations."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from sqlalchemy import select

from actions.blocks.materials import Material
from actions.core.commands import SYSTEM
from actions.core.notify import Notice, notify
from actions.core.tables import Account, Member, Outgoing
from bot.logs import configure
from bot.messages import Address, Card, Option, Outbound, SendError
from tests.channels.over_wechat import over_wechat
from tests.files import samples
from tests.peers.wechat import SECRET, Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.channels.contract import Ground
    from tests.channels.over_wechat import WeChats

LIN, SUN = "20180312", "20210107"
ROBOTS = {"文学院": "robot-1", "理学院": "robot-2"}


@pytest.fixture
async def wecom(ground: Ground) -> AsyncIterator[WeChats]:
    async with over_wechat(ground, "wecom", robots=ROBOTS, public_url="https://union.test") as made:
        yield made


async def _answer(wecom: WeChats, who: str = LIN) -> str:
    await wecom.app.delivery.flush()
    return "\n".join(await wecom.read(who))


async def _rows(wecom: WeChats) -> list[Outgoing]:
    async with wecom.app.house.database.read() as session:
        return list((await session.execute(select(Outgoing).order_by(Outgoing.id))).scalars())


async def _tell(wecom: WeChats, text: str = "提醒您一声") -> None:
    async with wecom.app.house.database.write() as session:
        member = (await session.execute(select(Member).where(Member.staff_id == LIN))).unique().scalar_one()
        context = wecom.app.house.context(session, SYSTEM, wecom.app.clock())
        await notify(context, Notice(member_id=member.id, wording="groups.said", params={"text": text}))


def _to(text: str = "您好", who: str = LIN, **fields: Any) -> Outbound:
    return Outbound(address=Address(channel="wecom", conversation=who), text=text, **fields)


def _to_group(name: str, text: str = "通知") -> Outbound:
    return Outbound(address=Address(channel="wecom", conversation=name, chat="group"), text=text)


# --- sending


async def test_what_the_platform_takes_is_accepted_and_no_more(wecom: WeChats) -> None:
    await _tell(wecom)
    assert await _answer(wecom) == "提醒您一声"
    assert [row.state for row in await _rows(wecom)] == ["accepted"]


async def test_a_long_text_is_cut_at_characters(wecom: WeChats) -> None:
    await wecom.channel.send(_to("😀工会" * 700))
    got = wecom.platform.read(LIN)
    assert len(got) > 2
    assert "".join(each.text for each in got) == "😀工会" * 700


async def test_options_are_buttons_six_on_a_card(wecom: WeChats) -> None:
    options = tuple(Option(label=f"第{number}场", value=f"选{number}") for number in range(1, 9))
    await wecom.channel.send(_to("选哪个？", options=options))
    cards = wecom.platform.read(LIN)
    assert [each.kind for each in cards] == ["template_card"] * 2
    assert [len(each.body["button_list"]) for each in cards] == [6, 2]
    assert [each.text for each in cards] == ["选哪个？", "请选一个"]


async def test_a_label_too_long_for_a_button_is_read_in_full_above(wecom: WeChats) -> None:
    label = "文学院与外国语学院联合举办的秋季趣味运动会"
    await wecom.channel.send(_to("选哪个？", options=(Option(label=label, value="1"),)))
    (card,) = wecom.platform.read(LIN)
    assert label in card.text
    assert card.body["button_list"][0]["text"].endswith("…")


async def test_a_record_is_markdown_with_its_calendar(wecom: WeChats) -> None:
    card = Card(title="瑜伽室", rows=(("时间", "周五15:00"),), token="tok")
    await wecom.channel.send(_to("约好了", card=card))
    (sent,) = wecom.platform.read(LIN)
    assert sent.kind == "markdown"
    assert "> 时间：周五15:00" in sent.text
    assert "https://union.test/api/v1/calendar/tok.ics" in sent.text


async def test_who_is_no_member_of_the_enterprise_is_given_up(wecom: WeChats) -> None:
    with pytest.raises(SendError) as raised:
        await wecom.channel.send(_to(who="nobody"))
    assert raised.value.permanent


async def test_a_quota_is_waited_for_and_the_text_said_once(wecom: WeChats, ground: Ground) -> None:
    wecom.platform.refusals.append(Refusal(path="message/send", code=45009))
    await _tell(wecom)
    assert await _answer(wecom) == ""
    (row,) = await _rows(wecom)
    assert (row.state, row.attempts) == ("queued", 0)
    ground.clock.now += timedelta(seconds=301)
    assert await _answer(wecom) == "提醒您一声"


async def test_a_long_text_goes_on_where_it_was_cut_off(wecom: WeChats) -> None:
    message = _to("\n\n".join(letter * 600 for letter in "甲乙丙"), id=7)
    send, calls = wecom.channel._one, []

    async def flaky(*given: Any) -> str:
        calls.append(given)
        if len(calls) == 2:
            wecom.platform.refusals.append(Refusal(path="message/send", code=-1))
        sent: str = await send(*given)
        return sent

    wecom.channel._one = flaky
    with pytest.raises(SendError, match="busy"):
        await wecom.channel.send(message)
    await wecom.channel.send(message)
    assert [each.text[0] for each in wecom.platform.read(LIN)] == ["甲", "乙", "丙"]


async def test_a_message_is_taken_back(wecom: WeChats) -> None:
    receipt = await wecom.channel.send(_to("发错了"))
    await wecom.channel.recall(_to().address, receipt.ref)
    assert wecom.platform.read(LIN) == []


async def test_robots_speak_in_their_groups_twenty_times_a_minute(wecom: WeChats) -> None:
    for number in range(20):
        await wecom.channel.send(_to_group("文学院", f"通知{number}"))
    with pytest.raises(SendError) as raised:
        await wecom.channel.send(_to_group("文学院"))
    assert (raised.value.retry_after, raised.value.everybody) == (60, False)
    await wecom.channel.send(_to_group("理学院"))
    assert len(wecom.platform.read("robot-1")) == 20
    with pytest.raises(SendError) as raised:
        await wecom.channel.send(_to_group("没有机器人的群"))
    assert raised.value.permanent


# --- taking in


async def test_a_callback_told_again_is_answered_once(wecom: WeChats) -> None:
    fields = wecom.platform.message(LIN, "text", Content="帮助")
    await wecom.pushes(fields)
    wecom.platform.push(fields)
    wecom.platform.push(fields)
    await _answer(wecom)
    assert len(wecom.platform.read(LIN)) == 1
    assert wecom.door.passed == 1
    assert wecom.platform.statuses == [200, 200, 200]


@pytest.mark.parametrize(
    ("kind", "says"), [("voice", "语音"), ("video", "视频"), ("location", "位置"), ("link", "链接")]
)
async def test_what_cannot_be_read_is_said(wecom: WeChats, kind: str, says: str) -> None:
    await wecom.pushes(wecom.platform.message(LIN, kind, MediaId="m", Title="机密"))
    assert says in await _answer(wecom)
    assert sum(wecom.channel.health().counts.values()) == 1


async def test_pictures_are_handed_over(wecom: WeChats) -> None:
    media_id = wecom.platform.uploaded(samples.picture())
    await wecom.pushes(wecom.platform.message(LIN, "image", MediaId=media_id, PicUrl="http://x"))
    await _answer(wecom)
    async with wecom.app.house.database.read() as session:
        assert len(list((await session.execute(select(Material))).scalars())) == 1


async def test_a_file_that_is_too_large_is_told(wecom: WeChats) -> None:
    media_id = wecom.platform.uploaded(b"x" * (10 * 2**20 + 1))
    await wecom.pushes(wecom.platform.message(LIN, "file", MediaId=media_id))
    assert "超过 10 MB" in await _answer(wecom)


async def test_what_fails_on_our_side_is_apologized_for(wecom: WeChats) -> None:
    await wecom.pushes(wecom.platform.message(LIN, "text", Content="帮助"))
    await _answer(wecom)

    async def broken(_inbound: object) -> tuple[Outbound, ...]:
        raise OSError("机密的话")

    wecom.door.receive = broken  # type: ignore[method-assign,assignment]
    await wecom.platform.push(wecom.platform.message(LIN, "text", Content="您好"))
    assert "没处理好" in "\n".join(await wecom.read(LIN))
    assert wecom.channel.health().counts["failed"] == 1


async def test_who_comes_and_goes(wecom: WeChats) -> None:
    await wecom.pushes(wecom.platform.message(LIN, "event", Event="subscribe"))
    assert "林一帆老师" in await _answer(wecom)
    await wecom.platform.push(wecom.platform.message(LIN, "event", Event="enter_agent"))
    assert await _answer(wecom) == ""
    await wecom.pushes(wecom.platform.message(LIN, "event", Event="unsubscribe"))
    async with wecom.app.house.database.read() as session:
        query = select(Account.conversation).where(Account.channel == "wecom", Account.sender == LIN)
        assert (await session.execute(query)).scalar_one() is None


@pytest.mark.parametrize("where", ["userid", "工号"])
async def test_members_are_known_by_the_directory(ground: Ground, where: str) -> None:
    async with over_wechat(ground, "wecom", staff_id=where) as wecom:
        wecom.platform.attributes[SUN] = SUN
        await wecom.platform.push(wecom.platform.message(SUN, "event", Event="enter_agent"))
        await wecom.say(SUN, "周五下午三点约瑜伽室8人")
        assert "帮您核对" in await _answer(wecom, SUN)
        async with wecom.app.house.database.read() as session:
            query = select(Member.staff_id).join(Account).where(Account.channel == "wecom", Account.sender == SUN)
            assert (await session.execute(query)).scalar_one() == SUN
        looked = [each for each in wecom.platform.asked if each.path == "cgi-bin/user/get"]
        assert len(looked) == (0 if where == "userid" else 1)


async def test_a_directory_that_may_not_be_read_stops_nobody(ground: Ground) -> None:
    async with over_wechat(ground, "wecom", staff_id="工号") as wecom:
        wecom.platform.refusals.append(Refusal(path="user/get", code=60011))
        await wecom.say(SUN, "帮助")
        assert "绑定工号" in await _answer(wecom, SUN)


async def test_what_is_not_the_platforms_is_refused_and_counted(wecom: WeChats) -> None:
    url = wecom.platform._hook
    params, body = wecom.platform.request(wecom.platform.message(LIN, "text", Content="帮助"))
    async with httpx.AsyncClient(trust_env=False) as somebody:
        forged = {**params, "msg_signature": "0" * 40}
        assert (await somebody.post(url, params=forged, content=body)).status_code == 403
        assert (await somebody.post(url, params=params, content=body[:-30])).status_code == 403
        assert (await somebody.post(url, params=params, content=b" " * 70_000)).status_code == 403
        assert (await somebody.post(url)).status_code == 403
        assert (await somebody.get(url, params={**forged, "echostr": "x"})).status_code == 403
        sealed = wecom.channel._callbacks.envelope.seal("1234567890")
        signature = wecom.channel._callbacks.envelope.signature(params["timestamp"], "n", sealed)
        stamp = {"timestamp": params["timestamp"], "nonce": "n", "msg_signature": signature, "echostr": sealed}
        echoed = await somebody.get(url, params=stamp)
        assert (echoed.status_code, echoed.text) == (200, "1234567890")
        assert wecom.door.passed == 0
        assert wecom.channel.health().counts == {"refused_signature": 2, "refused_xml": 2, "refused_size": 1}
        await wecom.channel.stop()
        assert (await somebody.post(url, params=params, content=body)).status_code == 503


async def test_nothing_of_what_was_said_reaches_the_log(capfd: pytest.CaptureFixture[str], wecom: WeChats) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure("info")
    try:
        await wecom.say(LIN, "我叫林一帆，想约心理咨询")
        await _answer(wecom)
        wecom.platform.refusals.append(Refusal(path="message/send", code=48001))
        with pytest.raises(SendError):
            await wecom.channel.send(_to("机密的话"))
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
    written = capfd.readouterr().err
    assert "48001" in written
    assert "48001" in wecom.channel.health().state
    assert not any(words in written for words in ("心理", "林一帆", "机密", "secret words", SECRET, "access_token"))
