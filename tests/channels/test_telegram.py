"""Telegram: python-telegram-bot against a server of the Bot API, what goes well and what does not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import select

from actions.blocks.materials import Material
from actions.core.notify import Notice, notify
from actions.core.tables import Account, Member, Outgoing
from bot.logs import configure
from bot.messages import Address, File, Joined, Moved, Outbound, SendError
from tests.channels.contract import Ground, world
from tests.channels.over_telegram import Telegrams, over_telegram, sender
from tests.conftest import MovableClock
from tests.files import samples
from tests.peers.telegram.server import TOKEN, Flood

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STICKER = {
    "file_id": "s",
    "file_unique_id": "s",
    "type": "regular",
    "width": 512,
    "height": 512,
    "is_animated": False,
    "is_video": False,
}
LIN, WANG, CHEN, SUN = (world().sender(name) for name in ("林一帆", "王敏", "陈静", "孙悦"))


@pytest.fixture
async def telegram(ground: Ground) -> AsyncIterator[Telegrams]:
    async with over_telegram(ground) as under_test:
        yield under_test


async def _answer(telegram: Telegrams, who: str = LIN) -> str:
    _breathe(telegram)
    await telegram.app.delivery.flush()
    return "\n".join(await telegram.read(who))


def _breathe(telegram: Telegrams) -> None:
    """A private chat hears one message a second."""
    assert isinstance(telegram.app.clock, MovableClock)
    telegram.app.clock.move(seconds=2)


async def _sends(telegram: Telegrams, who: str = LIN, **fields: Any) -> str:
    before = telegram.door.passed
    await telegram.api.sends(telegram.person(who), **fields)
    await telegram.door.through(before + 1)
    return await _answer(telegram, who)


async def _rows(telegram: Telegrams) -> list[Outgoing]:
    async with telegram.app.house.database.read() as session:
        return list((await session.execute(select(Outgoing).order_by(Outgoing.id))).scalars())


async def _until(telegram: Telegrams, state: str) -> None:
    async with asyncio.timeout(20):
        while not telegram.channel.health().state.startswith(state):  # noqa: ASYNC110 - another task says so
            await asyncio.sleep(0.01)


# --- taking in


async def test_it_introduces_itself(telegram: Telegrams) -> None:
    await telegram.say(LIN, "您好")
    assert telegram.channel.health().state == "polling"
    assert telegram.channel.health().up
    assert telegram.api.commands == {
        "help": "帮助",
        "mine": "我约了什么",
        "bind": "绑定工号",
        "person": "人工",
        "cancel": "取消",
    }


async def test_a_command_of_the_menu_says_its_words(telegram: Telegrams) -> None:
    await telegram.say(LIN, "/help")
    assert "绑定工号" in await _answer(telegram)
    await telegram.say(LIN, "/mine")
    assert "没有" in await _answer(telegram)


async def test_what_was_taken_in_is_confirmed_and_a_repetition_is_answered_once(telegram: Telegrams) -> None:
    await telegram.api.says(telegram.person(LIN), "您好")
    update = telegram.api.waiting[0]
    await telegram.api.taken()
    await telegram.api.repeat({**update})
    await telegram.api.taken()
    await telegram.app.delivery.flush()
    assert telegram.door.passed == 2
    assert len(telegram.api.read(telegram.person(LIN))) == 1


async def test_a_second_process_that_polls_is_told_of_and_outlived(telegram: Telegrams) -> None:
    await telegram.say(LIN, "您好")
    await telegram.api.taken()
    other = asyncio.create_task(telegram.api.poll(0, 1, 0.2))
    await _until(telegram, "conflict")
    with contextlib.suppress(Exception):
        await other
    await telegram.say(LIN, "帮助")
    assert telegram.channel.health().state == "polling"


@pytest.mark.parametrize("answer", [(502, b"<html>"), (200, b"not json"), (200, b'{"ok":true,"result":"no list"}')])
async def test_nonsense_of_the_server_is_outlived(telegram: Telegrams, answer: tuple[int, bytes]) -> None:
    await telegram.say(LIN, "您好")
    telegram.api.nonsense["getupdates"] = answer
    await telegram.api.says(telegram.person(LIN), "帮助")
    await _until(telegram, "away")
    before = telegram.door.passed
    telegram.api.nonsense.clear()
    await telegram.door.through(before + 1 if before < 2 else before)
    await _until(telegram, "polling")


async def test_an_update_that_makes_no_sense_keeps_back_no_other(
    telegram: Telegrams, caplog: pytest.LogCaptureFixture
) -> None:
    await telegram.say(LIN, "您好")
    await _answer(telegram)
    odds: list[dict[str, Any]] = [
        {"message": {"text": "机密的话"}},
        {"message": "机密的话"},
        {"callback_query": 3},
        {"unheard_of": {}},
    ]
    for odd in odds:
        telegram.api._last_update += 1
        await telegram.api.repeat({"update_id": telegram.api._last_update, **odd})
    await telegram.api.taken()
    await telegram.say(LIN, "帮助")
    assert "绑定工号" in await _answer(telegram)
    counts = telegram.channel.health().counts
    assert counts["nonsense"] + counts.get("unaddressed", 0) == 4
    assert "机密" not in caplog.text


async def test_a_revoked_token_ends_it_and_is_not_written_down(telegram: Telegrams, caplog: Any) -> None:
    await telegram.channel.stop()
    telegram.api.revoked = True
    with caplog.at_level(logging.DEBUG, "bot"), pytest.raises(SendError, match="unauthorized") as raised:
        await telegram.channel.start(telegram.door)
    assert TOKEN not in caplog.text
    assert raised.value.__cause__ is None
    assert telegram.channel.health().state == "unauthorized"


async def test_a_fault_of_ours_is_apologized_for(telegram: Telegrams, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_inbound: object) -> None:
        raise RuntimeError("database is down")

    monkeypatch.setattr(telegram.channel, "_pause", lambda _tries: timedelta())
    monkeypatch.setattr(telegram.door, "receive", broken)
    await telegram.api.says(telegram.person(LIN), "您好")
    await telegram.api.taken()
    (said,) = telegram.api.read(telegram.person(LIN))
    assert "没处理好" in said.text
    assert telegram.channel.health().counts["failed"] == 1


# --- kinds of messages


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sticker": STICKER}, "表情"),
        ({"voice": {"file_id": "v", "file_unique_id": "v", "duration": 3}}, "语音"),
        ({"video": {"file_id": "v", "file_unique_id": "v", "duration": 3, "width": 1, "height": 1}}, "视频"),
        ({"location": {"longitude": 117.2, "latitude": 34.2}}, "位置"),
        ({"contact": {"phone_number": "13800000000", "first_name": "某"}}, "名片"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "表情"),
        ({"something_new": {"of": "next year"}}, "看不了"),
    ],
)
async def test_what_cannot_be_read_is_answered(telegram: Telegrams, fields: dict[str, Any], words: str) -> None:
    assert words in await _sends(telegram, **fields)
    assert sum(telegram.channel.health().counts.values()) == 1


async def test_a_sticker_in_a_form_asks_again(telegram: Telegrams) -> None:
    await telegram.say(LIN, "周五下午三点约瑜伽室")
    await _answer(telegram)
    said = await _sends(telegram, sticker=STICKER)
    assert "表情" in said
    assert "几个人" in said


async def test_an_edited_message_is_told_of_and_not_done_again(telegram: Telegrams) -> None:
    await telegram.say(LIN, "周五下午三点约瑜伽室8人")
    await _answer(telegram)
    mine = next(each for each in telegram.api.chats.messages[telegram.person(LIN).id] if not each.from_bot)
    before = telegram.door.passed
    await telegram.api.edits(telegram.person(LIN), mine, "周五下午四点约瑜伽室8人")
    await telegram.door.through(before + 1)
    said = await _answer(telegram)
    assert "按原来那句" in said
    assert "16:00" not in said


async def test_a_bot_is_not_answered(telegram: Telegrams) -> None:
    person = telegram.person(LIN)
    raw = {"message_id": 900, "date": 1, "chat": person.chat, "from": {**person.user, "is_bot": True}, "text": "您好"}
    await telegram.api._put("message", raw)
    await telegram.api.taken()
    assert await _answer(telegram) == ""


# --- files


def _photo(telegram: Telegrams, content: bytes) -> list[dict[str, Any]]:
    key = telegram.api.uploaded(content, "photos/file_{}.jpg")
    return [{"file_id": key, "file_unique_id": key[:9], "width": 90, "height": 90, "file_size": len(content)}]


async def _kept(telegram: Telegrams) -> list[Material]:
    async with telegram.app.house.database.read() as session:
        return list((await session.execute(select(Material))).scalars())


async def test_an_album_is_handed_over_as_one_message(telegram: Telegrams) -> None:
    person = telegram.person(LIN)
    photographs = [samples.picture() for _ in range(3)]
    async with telegram.api._changed:
        # All of them at once, as the platform gives them.
        for content in photographs:
            raw = telegram.api._message(person, None, {"photo": _photo(telegram, content), "media_group_id": "77"})
            telegram.api._last_update += 1
            telegram.api.waiting.append({"update_id": telegram.api._last_update, "message": raw})
        telegram.api._changed.notify_all()
    await telegram.door.through(1)
    assert [len(each.attachments) for each in telegram.door.heard] == [3]
    assert len(await _kept(telegram)) == 3
    assert "3 份" in await _answer(telegram)


async def test_a_file_that_is_refused_is_told_why(telegram: Telegrams) -> None:
    key = telegram.api.uploaded(b"MZ\x90\x00" * 100)
    document = {"file_id": key, "file_unique_id": "d", "file_name": "a.exe", "file_size": 400}
    assert "这种文件我收不了" in await _sends(telegram, document=document)
    assert await _kept(telegram) == []


async def test_a_file_that_is_too_large_is_not_even_fetched(telegram: Telegrams) -> None:
    document = {"file_id": "x", "file_unique_id": "x", "file_name": "a.pdf", "file_size": 2**30}
    assert "超过 10 MB" in await _sends(telegram, document=document)
    assert "getfile" not in telegram.api.calls


async def test_who_is_not_bound_hands_in_nothing(telegram: Telegrams) -> None:
    assert "绑定" in await _sends(telegram, SUN, photo=_photo(telegram, samples.picture()))
    assert await _kept(telegram) == []


async def test_a_picture_goes_out(telegram: Telegrams) -> None:
    await _sends(telegram, photo=_photo(telegram, samples.picture()))
    (row,) = await _kept(telegram)
    address = Address(channel="telegram", conversation=sender(LIN))
    file = File(id=row.key, name="海报.jpg", kind="picture")
    receipt = await telegram.channel.send(Outbound(address=address, text="活动海报", files=(file,), id=1))
    picture, text = telegram.api.read(telegram.person(LIN))[-2:]
    assert picture.content.startswith((b"\xff\xd8", b"\x89PNG", b"RIFF"))
    assert text.text == "活动海报"
    assert receipt.ref == f"{picture.id},{text.id}"


# --- buttons


async def test_a_click_is_acknowledged_and_an_old_button_is_told_of(telegram: Telegrams) -> None:
    await telegram.say(LIN, "下周三下午三点想约心理咨询")
    await _answer(telegram)
    await telegram.press(LIN, "何医生")
    assert list(telegram.api.clicks.values()) == [""]
    person = telegram.person(LIN)
    gone = {"message_id": 1, "date": 0, "chat": person.chat}
    await telegram.api._clicked(person, gone, "=3")
    await telegram.api.taken()
    assert "太久" in str(list(telegram.api.clicks.values())[-1])


# --- sending


async def _to(telegram: Telegrams, text: str = "提醒您一声", who: str = LIN) -> None:
    async with telegram.app.house.database.write() as session:
        member = (await session.execute(select(Member).where(Member.staff_id == who))).unique().scalar_one()
        context = telegram.app.house.context(session, _system(), telegram.app.clock())
        await notify(context, Notice(member_id=member.id, wording="groups.said", params={"text": text}))


def _system() -> Any:
    from actions.core.commands import SYSTEM  # noqa: PLC0415 - here alone

    return SYSTEM


async def test_when_told_to_wait_it_waits_and_says_it_once(telegram: Telegrams, ground: Ground) -> None:
    telegram.api.floods.append(Flood(method="sendmessage", times=1, seconds=7))
    await _to(telegram)
    assert await _answer(telegram) == ""
    (row,) = await _rows(telegram)
    assert (row.state, row.attempts, row.reason) == ("queued", 0, "429")
    ground.clock.now += timedelta(seconds=3)
    assert await _answer(telegram) == ""
    ground.clock.now += timedelta(seconds=3)
    assert await _answer(telegram) == "提醒您一声"
    assert [row.state for row in await _rows(telegram)] == ["sent"]


async def test_who_blocks_the_bot_is_written_to_elsewhere(telegram: Telegrams) -> None:
    await telegram.api.blocks(telegram.person(LIN))
    await telegram.api.taken()
    await _to(telegram)
    await telegram.app.delivery.flush()
    (row,) = await _rows(telegram)
    assert (row.channel, row.state) == ("web", "sent")


async def test_a_blocked_bot_does_not_try_again(telegram: Telegrams) -> None:
    telegram.person(LIN).blocked = True
    await _to(telegram)
    await telegram.app.delivery.flush()
    (row,) = await _rows(telegram)
    assert (row.channel, row.state, row.reason) == ("telegram", "failed", "blocked, or not in the group")


async def test_a_long_text_goes_on_where_it_was_cut_off(telegram: Telegrams) -> None:
    address = Address(channel="telegram", conversation=sender(LIN))
    message = Outbound(address=address, text="\n\n".join(letter * 3000 for letter in "甲乙丙"), id=7)
    send, calls = telegram.channel._one, []

    async def flaky(*given: Any) -> str:
        calls.append(given)
        if len(calls) == 2:
            telegram.api.floods.append(Flood(method="sendmessage", times=1, seconds=1))
        return await send(*given)

    telegram.channel._one = flaky  # type: ignore[method-assign,assignment]
    with pytest.raises(SendError, match="429"):
        await telegram.channel.send(message)
    await telegram.channel.send(message)
    assert [each.text[0] for each in telegram.api.read(telegram.person(LIN))] == ["甲", "乙", "丙"]


@pytest.mark.parametrize("conversation", ["", "room", "12x", "12/a"])
async def test_an_address_of_another_platform_is_no_chat(telegram: Telegrams, conversation: str) -> None:
    address = Address(channel="telegram", conversation=conversation)
    with pytest.raises(SendError) as raised:
        await telegram.channel.send(Outbound(address=address, text="您好"))
    assert raised.value.permanent


async def test_a_message_is_taken_back_while_the_platform_lets_it(telegram: Telegrams) -> None:
    address = Address(channel="telegram", conversation=sender(LIN))
    receipt = await telegram.channel.send(Outbound(address=address, text="发错了"))
    await telegram.channel.recall(address, receipt.ref)
    assert telegram.api.read(telegram.person(LIN)) == []
    old = await telegram.channel.send(Outbound(address=address, text="太久了"))
    telegram.api.read(telegram.person(LIN))[0].raw["date"] -= 49 * 3600
    with pytest.raises(SendError) as raised:
        await telegram.channel.recall(address, old.ref)
    assert raised.value.permanent


async def test_a_server_that_is_away_is_tried_again(telegram: Telegrams) -> None:
    telegram.api.nonsense["sendmessage"] = (500, b"{}")
    address = Address(channel="telegram", conversation=sender(LIN))
    with pytest.raises(SendError) as raised:
        await telegram.channel.send(Outbound(address=address, text="您好"))
    assert not raised.value.permanent


async def test_nothing_of_the_librarys_reaches_the_log(capfd: pytest.CaptureFixture[str], telegram: Telegrams) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure("info")
    try:
        await telegram.say(LIN, "我叫林一帆，想约心理咨询")
        await _answer(telegram)
        telegram.api.nonsense["sendmessage"] = (200, "机密的话".encode())
        address = Address(channel="telegram", conversation=sender(LIN))
        with pytest.raises(SendError):
            await telegram.channel.send(Outbound(address=address, text="机密的话"))
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
    written = capfd.readouterr().err
    assert not any(words in written for words in ("心理", "林一帆", "机密", TOKEN))


# --- groups


async def _hears(telegram: Telegrams, text: str, who: str = WANG) -> str:
    """Something said in the group and not to the assistant."""
    before = telegram.door.passed
    if await telegram.api.says(telegram.person(who), text, group=telegram.room):
        await telegram.door.through(before + 1)
    _breathe(telegram)
    await telegram.app.delivery.flush()
    return "\n".join(await telegram.read(who, group=True))


async def test_privacy_mode_keeps_what_is_not_for_it(telegram: Telegrams) -> None:
    assert await _hears(telegram, "今天天气真好") == ""
    assert telegram.door.passed == 0


async def test_without_privacy_mode_it_reads_its_name_and_nothing_else(telegram: Telegrams) -> None:
    telegram.api.privacy = False
    assert await _hears(telegram, "今天天气真好") == ""
    assert telegram.door.passed == 1
    folded = await _hears(telegram, "娘家人，帮助")
    assert "我私聊发您了" in folded
    assert "绑定工号" not in folded
    assert "绑定工号" in "\n".join(await telegram.read(WANG))


async def test_an_answer_in_a_group_names_who_asked(telegram: Telegrams) -> None:
    await telegram.say(LIN, "周五下午三点约瑜伽室8人", group=True)
    await telegram.app.delivery.flush()
    (said,) = telegram.api.read(telegram.room)
    (entity,) = [each for each in said.raw["entities"] if each["type"] == "text_mention"]
    assert entity["user"]["id"] == telegram.person(LIN).id
    assert said.text.startswith(telegram.person(LIN).name)


async def test_a_reply_to_the_bot_is_for_the_bot(telegram: Telegrams) -> None:
    await telegram.say(LIN, "约瑜伽室 周五下午三点", group=True)
    await telegram.app.delivery.flush()
    (asked,) = telegram.api.read(telegram.room)
    await telegram.read(LIN, group=True)
    before = telegram.door.passed
    await telegram.api.says(telegram.person(LIN), "8个人", group=telegram.room, reply_to_message=asked.raw)
    await telegram.door.through(before + 1)
    await telegram.app.delivery.flush()
    assert "人数：8" in "\n".join(await telegram.read(LIN, group=True))


async def test_from_the_group_to_private_the_thread_goes_on(telegram: Telegrams) -> None:
    person = telegram.person(LIN)
    person.started = False
    async with telegram.app.house.database.write() as session:
        query = select(Account).where(Account.sender == sender(LIN))
        (await session.execute(query)).scalar_one().conversation = None
    before = telegram.door.passed
    await telegram.api.says(person, "@niangjiaren_bot 周三下午三点约何医生线上", group=telegram.room)
    await telegram.door.through(before + 1)
    await telegram.app.delivery.flush()
    said = "\n".join(await telegram.read(LIN, group=True))
    assert "私聊" in said
    assert "咨询" not in said
    await telegram.say(LIN, "/start")
    assert "同意" in await _answer(telegram)
    async with telegram.app.house.database.read() as session:
        account = (await session.execute(select(Account).where(Account.sender == sender(LIN)))).scalar_one()
    assert (account.asked, account.conversation) == ("", sender(LIN))


async def test_start_welcomes(telegram: Telegrams) -> None:
    await telegram.say(LIN, "/start")
    assert "林一帆老师" in await _answer(telegram)
    await telegram.say(SUN, "/start from-a-poster")
    assert "绑定工号" in await _answer(telegram, SUN)
    await telegram.press(SUN, "绑定工号")
    assert "工号是多少" in await _answer(telegram, SUN)


async def test_a_group_that_becomes_a_supergroup_is_the_same_group(telegram: Telegrams) -> None:
    new = await telegram.api.migrates(telegram.room)
    await telegram.door.through(1)
    old = Address(channel="telegram", conversation=str(telegram.room.id), chat="group")
    assert telegram.door.events == [Moved(address=old, conversation=str(new.id))]
    # Told late: what is sent to the earlier id arrives all the same.
    await telegram.channel.send(Outbound(address=old, text="通知"))
    assert [each.text for each in telegram.api.read(new)] == ["通知"]


async def test_who_joins_is_told_of(telegram: Telegrams) -> None:
    joined = [telegram.person(WANG).user, {**telegram.person(CHEN).user, "is_bot": True}]
    await telegram.api.sends(telegram.person(WANG), group=telegram.room, new_chat_members=joined)
    await telegram.door.through(1)
    address = Address(channel="telegram", conversation=str(telegram.room.id), chat="group")
    assert telegram.door.events == [Joined(address=address, names=(telegram.person(WANG).name,))]


async def test_a_topic_of_a_forum_is_a_conversation_of_its_own(telegram: Telegrams) -> None:
    before = telegram.door.passed
    fields = {"message_thread_id": 9, "is_topic_message": True}
    await telegram.api.says(telegram.person(LIN), "@niangjiaren_bot 约瑜伽室", group=telegram.room, **fields)
    await telegram.door.through(before + 1)
    await telegram.app.delivery.flush()
    (said,) = telegram.api.read(telegram.room)
    assert said.raw["message_thread_id"] == 9
    assert telegram.door.heard[0].address.conversation.endswith("/9")


# --- the webhook


async def test_the_webhook_takes_in_what_carries_the_secret(ground: Ground) -> None:
    import httpx  # noqa: PLC0415 - here alone
    from fastapi import FastAPI  # noqa: PLC0415

    from bot.channels.telegram import webhook_router  # noqa: PLC0415

    async with over_telegram(ground, mode="webhook") as telegram:
        api = FastAPI()
        api.include_router(webhook_router(telegram.channel))
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://union.test") as platform:
            raw = telegram.api._message(telegram.person(LIN), None, {"text": "帮助"})
            update = {"update_id": 5, "message": raw}
            secret = {"X-Telegram-Bot-Api-Secret-Token": telegram.channel.secret}
            hook = "/webhooks/telegram"
            assert (await platform.post(hook, json=update)).status_code == 401
            assert (await platform.post(hook, json=update, headers={next(iter(secret)): "x"})).status_code == 401
            assert (await platform.post(hook, content=b"{", headers=secret)).status_code == 400
            assert (await platform.post(hook, json=update, headers=secret)).status_code == 200
            assert (await platform.post(hook, json=update, headers=secret)).status_code == 200
            assert "绑定工号" in await _answer(telegram)
            assert len(telegram.api.read(telegram.person(LIN))) == 1
            await telegram.channel.stop()


def test_what_it_says_by_itself_is_there(ground: Ground) -> None:
    """Every kind that cannot be read has its sentence."""
    from typing import get_args  # noqa: PLC0415 - here alone

    from bot.messages import Unread  # noqa: PLC0415
    from bot.settings import ROOT  # noqa: PLC0415
    from bot.wording import load_wording  # noqa: PLC0415

    wording = load_wording(ROOT / "data" / "responses", {"union": {"phone": "1", "office": "2", "name": "3"}})
    assert all(wording.text(f"channels.unread.{kind}", {}) for kind in get_args(Unread))
