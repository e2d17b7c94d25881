"""What people write in WeChat, and what they read there: through the real gateway, and the real interface."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select

from actions.appointments.tables import Appointment
from actions.blocks import materials
from actions.blocks.materials import Material
from actions.core.commands import SYSTEM
from actions.core.notify import Notice, notify
from actions.core.tables import Account, Turn
from bot.channels.wechaty.inward import Rules
from bot.messages import Address, SendError
from tests.files.samples import pdf
from tests.peers.wechaty import Gateway
from tests.wechaty.town import until

if TYPE_CHECKING:
    from pathlib import Path

    from bot.channels.wechaty.bridge import Bridge
    from tests.wechaty.conftest import Towns
    from tests.wechaty.town import Town

pytestmark = pytest.mark.peer

LIN, CHEN = "20180312", "20130517"


# --- in private


async def test_somebody_books_with_numbers(wechat: Town) -> None:
    lin = await wechat.member(LIN)
    said = await wechat.answer(lin, "下周三中午想订瑜伽室")
    for _ in range(8):
        if "几个人" in said:
            said = await wechat.answer(lin, "3")
        elif "1. " in said:
            said = await wechat.answer(lin, "1")
    assert "11月25日(周三)" in said
    async with wechat.app.house.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Appointment))).scalar_one() == 1


async def test_a_message_that_comes_three_times_is_one(wechat: Town) -> None:
    who = wechat.stranger()
    await wechat.gateway.say(who, "你好", id=f"same-{who}", times=3)
    await wechat.read(who)
    # After a restart of the bridge, which remembers nothing, the gateway tells of it once more.
    async with wechat.app.house.database.read() as session:
        before = (await session.execute(select(func.count()).select_from(Turn))).scalar_one()
    wechat.bridge.inward._seen._kept.clear()  # type: ignore[union-attr]
    await wechat.gateway.tell("emit", {"event": "message", "payload": {"messageId": f"same-{who}"}})
    assert await wechat.answer(who, "谢谢")
    await wechat.settled()
    assert len(await wechat.gateway.sent(who)) == 2
    async with wechat.app.house.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Turn))).scalar_one() == before + 1


async def test_what_the_account_says_itself_is_not_answered(wechat: Town) -> None:
    who = wechat.stranger()
    await wechat.answer(who, "你好")
    await wechat.gateway.say("bot", "你好，我想约心理咨询")
    await wechat.answer(who, "谢谢")
    await wechat.settled()
    assert len(await wechat.gateway.sent(who)) == 2
    assert await wechat.gateway.sent("bot") == []


async def test_official_accounts_are_not_answered(wechat: Town) -> None:
    await wechat.gateway.tell("people", [{"id": "gh-news", "name": "学校要闻", "type": 2}])
    who = wechat.stranger()
    await wechat.gateway.say("gh-news", "今日要闻：你好")
    await wechat.answer(who, "你好")
    await wechat.settled()
    assert await wechat.gateway.sent("gh-news") == []


@pytest.mark.parametrize(
    "kind", ["Audio", "Emoticon", "RedEnvelope", "Transfer", "Location", "Contact", "Video", "Url"]
)
async def test_what_cannot_be_read_is_answered_politely(wechat: Town, kind: str) -> None:
    who = wechat.stranger()
    said = await wechat.answer(who, "<msg>何老师的红包</msg>", type=kind)
    assert "何老师" not in said
    assert said


@pytest.mark.parametrize("kind", ["MiniProgram", "ChatHistory", "GroupNote", "Post", 99])
async def test_so_is_what_nobody_has_heard_of(wechat: Town, kind: str | int) -> None:
    assert await wechat.answer(wechat.stranger(), "", type=kind)


@pytest.mark.parametrize("kind", ["Unknown", "Recalled"])
async def test_notes_of_wechat_itself_are_counted_and_not_answered(wechat: Town, kind: str) -> None:
    who = wechat.stranger()
    await wechat.gateway.say(who, "以上是打招呼的内容", type=kind if kind == "Recalled" else 0)
    await wechat.answer(who, "你好")
    await wechat.settled()
    assert len(await wechat.gateway.sent(who)) == 1


async def test_a_long_answer_comes_in_pieces(wechat: Town) -> None:
    who = wechat.stranger()
    await wechat.write(who, "\n\n".join(f"{number}：{'说明' * 300}" for number in range(1, 8)))
    said = await wechat.read(who, 3)
    assert all(len(text) <= 2_000 for text in said)
    assert "".join(said).count("：") == 7
    await wechat.settled()
    assert len(await wechat.gateway.sent(who)) == len(said)


# --- files


async def test_files_go_both_ways(wechat: Town) -> None:
    lin = await wechat.member(LIN)
    said = await wechat.answer_to_file(lin, "证明.pdf", pdf())
    assert "材料" in said or "文件" in said or "收" in said
    async with wechat.app.house.database.write() as session:
        material = (await session.execute(select(Material))).scalar_one()
        context = wechat.app.house.context(session, SYSTEM, wechat.app.clock())
        view = materials.view(context, material)
        notice = Notice(
            member_id=material.member_id, wording="groups.said", params={"text": "您交的材料"}, files=[view]
        )
        await notify(context, notice)
    wechat.app.delivery.wake()

    async def arrived() -> list[dict[str, object]]:
        return [each for each in await wechat.gateway.sent(lin) if "file" in each]

    (sent,) = await until(arrived)
    assert sent["sha256"] == hashlib.sha256(pdf()).hexdigest()


async def test_a_file_that_is_too_large_is_not_even_fetched_whole(wechat: Town) -> None:
    lin = await wechat.member(LIN)
    said = await wechat.answer_to_file(lin, "录像.pdf", b"%PDF-1.4" + b"x" * (11 * 2**20))
    assert "10" in said
    assert "MB" in said or "兆" in said


async def test_a_file_that_cannot_be_had_is_told_of(wechat: Town) -> None:
    lin = await wechat.member(LIN)
    await wechat.gateway.say(lin, type="Attachment")  # the gateway has no such file
    assert await wechat.read(lin)
    box = {"type": 2, "name": "内网.pdf", "url": f"http://127.0.0.1:{wechat.gateway.port}/secret"}
    await wechat.gateway.say(lin, type="Attachment", file={"name": "内网.pdf", "box": box})
    await wechat.read(lin, 2)
    assert wechat.bridge is not None
    assert wechat.bridge.counts["file_lost"] == 2


# --- an encrypted line


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for gateway.example, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway.example")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("gateway.example")]), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem, key = tmp_path / "gateway.pem", tmp_path / "gateway.key"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, plain, bare))
    return pem, key


async def test_the_line_may_be_encrypted(
    towns: Towns, certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    pem, key = certificate
    with Gateway.open(tmp_path_factory.mktemp("tls"), certificate=pem, key=key) as gateway:
        async with towns(gateway) as town:
            async with town.bridged(tls=True, ca=str(pem), tls_name="gateway.example"):
                await town.ready()
                assert await town.answer(town.stranger(), "你好")
            # A certificate that nobody here believes, or one of another name, is no gateway of ours.
            for place in ({}, {"ca": str(pem), "tls_name": "other.example"}):
                async with town.bridged(tls=True, **place) as bridge:

                    async def tried(bridge: Bridge = bridge) -> bool:
                        return bridge.connection._tries > 1

                    await until(tried)
                    assert bridge.connection.state == "away"


# --- people come and go


async def test_a_friend_request_is_accepted_and_welcomed_once(wechat: Town) -> None:
    who = wechat.stranger("新来的老师")
    await wechat.gateway.tell("friend", {"id": f"f-{who}", "from": who, "hello": "我是文学院的"})
    (said,) = await wechat.read(who)
    assert "绑定" in said
    assert {"what": "friend", "id": f"f-{who}"} in await wechat.gateway.look("done")
    await wechat.answer(who, "你好")
    await wechat.settled()
    assert len(await wechat.gateway.sent(who)) == 2


async def test_requests_may_be_left_to_people(town: Town) -> None:
    town.rules = Rules(accept_friends=False)
    async with town.bridged():
        await town.ready()
        who, other = town.stranger(), town.stranger()
        await town.gateway.tell("friend", {"id": f"f-{who}", "from": who, "hello": ""})
        await town.answer(other, "你好")
        await town.settled()
        assert await town.gateway.sent(who) == []
        assert {"what": "friend", "id": f"f-{who}"} not in await town.gateway.look("done")


async def test_who_has_removed_the_account_is_not_spoken_to(wechat: Town) -> None:
    lin = await wechat.member(LIN)
    await wechat.answer(lin, "你好")
    note = "林一帆开启了朋友验证，你还不是他（她）朋友。请先发送朋友验证请求。"
    await wechat.gateway.say(lin, note, type=0)

    async def forgotten() -> bool:
        async with wechat.app.house.database.read() as session:
            row = (await session.execute(select(Account).where(Account.sender == lin))).scalar_one()
            return row.conversation is None

    await until(forgotten)
    # The same words, typed by somebody, tell nothing.
    other = await wechat.member(CHEN)
    await wechat.answer(other, note)
    async with wechat.app.house.database.read() as session:
        row = (await session.execute(select(Account).where(Account.sender == other))).scalar_one()
        assert row.conversation == other


# --- taking back


async def test_a_message_is_taken_back(wechat: Town) -> None:
    who = wechat.stranger()
    await wechat.answer(who, "你好")
    (sent,) = await wechat.gateway.sent(who)
    address = Address(channel="wechaty", conversation=who)
    await wechat.desk.recall(address, sent["id"])
    assert {"what": "recall", "id": sent["id"]} in await wechat.gateway.look("done")
    with pytest.raises(SendError) as refused:
        await wechat.desk.recall(address, "no-such-message")
    assert refused.value.permanent


# --- what a gateway may tell

_NONSENSE = [
    {"event": "message", "payload": {}},
    {"event": "message", "payload": {"messageId": 7}},
    {"event": "message", "payload": {"messageId": "nobody-knows-it"}},
    {"event": "message", "payload": None},
    {"event": "friendship", "payload": {"friendshipId": "nobody-knows-it"}},
    {"event": "room-join", "payload": {"roomId": "", "inviteeIdList": "not a list"}},
    {"event": "room-join", "payload": {"roomId": "x" * 1_000, "inviteeIdList": [1, None]}},
    {"event": "room-leave", "payload": []},
    {"event": "room-topic", "payload": {"roomId": None}},
    {"event": "dirty", "payload": {"payloadType": 1}},
    {"event": "scan", "payload": {"status": "what"}},
    {"event": "error", "payload": {"data": "secret"}},
]


async def test_nonsense_is_counted_and_keeps_nobody_waiting(wechat: Town, capsys: pytest.CaptureFixture[str]) -> None:
    who, odd = wechat.stranger(), "x" * 300
    for each in _NONSENSE:
        await wechat.gateway.tell("emit", each)
    await wechat.gateway.say(odd, "我的秘密")  # an id that no account has
    await wechat.gateway.say("", "我的秘密")
    await wechat.gateway.say(who, "\x00\x01我的秘密" + "啊" * 30_000)
    assert await wechat.answer(who, "你好")
    await wechat.settled()
    assert wechat.bridge is not None
    assert wechat.bridge.counts["nonsense"] >= 2
    written = "".join(capsys.readouterr())
    assert "秘密" not in written
    assert "secret" not in written


# --- signing in


async def test_the_operator_sees_the_code_and_nobody_else(wechat: Town, capsys: pytest.CaptureFixture[str]) -> None:
    await wechat.gateway.tell("logout")

    async def state(what: str) -> bool:
        return wechat.desk.health().state == what

    await until(lambda: state("logged out"))
    who = wechat.stranger()
    await wechat.gateway.tell("scan", {"qrcode": "https://login.example/l/abc", "status": 2})
    await until(lambda: state("waiting for the code to be scanned"))
    assert "https://login.example/l/abc" in "".join(capsys.readouterr())
    assert "abc" not in str(wechat.desk.health())
    assert not wechat.desk.health().up
    # What is said meanwhile waits, and is said when somebody has signed in.
    await wechat.write(who, "登录以后才发得出去")
    await asyncio.sleep(0.5)
    assert await wechat.gateway.sent(who) == []
    await wechat.gateway.tell("login")
    assert await wechat.read(who) == ["登录以后才发得出去"]


async def test_only_one_bridge_is_at_work(wechat: Town) -> None:
    first = wechat.bridge
    async with wechat.bridged() as second:
        await asyncio.sleep(1)
        assert wechat.desk._bridge.name == first.name  # type: ignore[union-attr]
        assert second.name != wechat.desk._bridge.name
    wechat.bridge = first
    who = wechat.stranger()
    await wechat.answer(who, "你好")
    await wechat.settled()
    assert len(await wechat.gateway.sent(who)) == 1
