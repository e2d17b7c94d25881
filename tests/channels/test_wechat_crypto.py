"""Callbacks of 企业微信 and 公众号: against wechatpy both ways, and against whatever somebody sends."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime

import pytest
import xmltodict  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto  # type: ignore[import-untyped]
from wechatpy.enterprise.crypto import WeChatCrypto as WeComCrypto  # type: ignore[import-untyped]
from wechatpy.exceptions import InvalidSignatureException  # type: ignore[import-untyped]

from actions.core.errors import ConfigurationError
from bot.channels.official_account import reading as official
from bot.channels.wechat.crypto import MAX_BYTES, Callbacks, Envelope, Query, RefusedError, fields_of, xml_of
from bot.channels.wecom import reading as wecom
from tests.peers.wechat import AES_KEY, APP, TOKEN

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC).timestamp()
STAMP = str(int(NOW))
ENVELOPE = Envelope.of(TOKEN, AES_KEY, APP)
PEERS = {"official account": WeChatCrypto, "wecom": WeComCrypto}

#: What XML can carry and a member can type.
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=300)


def _callback(
    plain: str, *, nonce: str = "n1", stamp: str = STAMP, envelope: Envelope = ENVELOPE
) -> tuple[Query, bytes]:
    sealed = envelope.seal(plain)
    query = Query(signature=envelope.signature(stamp, nonce, sealed), timestamp=stamp, nonce=nonce)
    return query, xml_of({"ToUserName": APP, "Encrypt": sealed}).encode()


def _reason(query: Query, body: bytes, callbacks: Callbacks | None = None, now: float = NOW) -> str:
    with pytest.raises(RefusedError) as raised:
        (callbacks or Callbacks(ENVELOPE)).opened(query, body, now)
    return raised.value.reason


# --- an implementation that is not ours


@pytest.mark.parametrize("peer", PEERS)
@given(text=texts)
def test_what_the_peer_seals_we_open(peer: str, text: str) -> None:
    plain = xmltodict.unparse({"xml": {"MsgType": "text", "Content": text}}, full_document=False)
    body = PEERS[peer](TOKEN, AES_KEY, APP).encrypt_message(plain, "nonce", STAMP)
    signed = xmltodict.parse(body)["xml"]["MsgSignature"]
    query = Query(signature=signed, timestamp=STAMP, nonce="nonce")
    assert Callbacks(ENVELOPE).opened(query, body.encode(), NOW)["Content"] == text.strip()


@pytest.mark.parametrize("peer", PEERS)
@given(text=texts)
def test_what_we_seal_the_peer_opens(peer: str, text: str) -> None:
    answer = ENVELOPE.answer(xml_of({"MsgType": "text", "Content": text}), STAMP, "nonce")
    signed = xmltodict.parse(answer)["xml"]["MsgSignature"]
    plain = PEERS[peer](TOKEN, AES_KEY, APP).decrypt_message(answer, signed, STAMP, "nonce")
    assert (xmltodict.parse(plain)["xml"]["Content"] or "") == text.strip()


@pytest.mark.parametrize("peer", PEERS)
def test_the_peer_refuses_what_we_sign_with_another_token(peer: str) -> None:
    answer = Envelope.of("another", AES_KEY, APP).answer("<xml/>", STAMP, "nonce")
    signed = xmltodict.parse(answer)["xml"]["MsgSignature"]
    with pytest.raises(InvalidSignatureException):
        PEERS[peer](TOKEN, AES_KEY, APP).decrypt_message(answer, signed, STAMP, "nonce")


def test_the_registration_is_echoed() -> None:
    sealed = ENVELOPE.seal("8472304823")
    query = Query(signature=ENVELOPE.signature(STAMP, "n", sealed), timestamp=STAMP, nonce="n", echo=sealed)
    echoed = Callbacks(ENVELOPE).echo(query, NOW)
    assert echoed == WeComCrypto(TOKEN, AES_KEY, APP).check_signature(query.signature, STAMP, "n", sealed)


# --- what is refused


@given(body=st.binary(max_size=2_000), signature=st.text(max_size=60), stamp=st.text(max_size=20), nonce=st.text())
def test_nonsense_is_refused_and_nothing_else(body: bytes, signature: str, stamp: str, nonce: str) -> None:
    _reason(Query(signature=signature, timestamp=stamp, nonce=nonce), body)


@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_changed_bit_is_refused(at: int, bit: int) -> None:
    query, body = _callback("<xml><Content>您好</Content></xml>")
    changed = bytearray(body)
    begin, end = body.index(b"<Encrypt>") + 9, body.index(b"</Encrypt>")
    changed[begin + at % (end - begin)] ^= 1 << bit
    _reason(query, bytes(changed))


@given(sealed=st.binary(max_size=400))
def test_what_is_signed_and_sealed_by_no_key_is_refused(sealed: bytes) -> None:
    """Whoever has the token alone gets no further, and learns nothing but that."""
    text = base64.b64encode(sealed).decode()
    query = Query(signature=ENVELOPE.signature(STAMP, "n", text), timestamp=STAMP, nonce="n")
    assert _reason(query, xml_of({"Encrypt": text}).encode()) in ("cipher", "receiver")


@given(length=st.integers(0, 200))
def test_a_truncated_body_is_refused(length: int) -> None:
    query, body = _callback("<xml><Content>您好</Content></xml>")
    assert _reason(query, body[:length]) in ("xml", "signature")


def test_what_is_for_another_is_refused() -> None:
    other = Envelope.of(TOKEN, AES_KEY, "wx-another")
    assert _reason(*_callback("<xml/>", envelope=other)) == "receiver"


def test_a_length_beyond_the_message_is_refused() -> None:
    whole = os.urandom(16) + (2**31).to_bytes(4, "big") + b"<xml/>" + APP.encode()
    with pytest.raises(RefusedError):
        ENVELOPE._read(whole + bytes([3]) * 3)


@pytest.mark.parametrize("stamp", ["0", "-1", str(int(NOW) - 601), str(int(NOW) + 601), "9" * 30, "１７", "1e9", ""])
def test_what_is_too_old_or_no_time_is_refused(stamp: str) -> None:
    assert _reason(*_callback("<xml/>", stamp=stamp)) == "stale"


def test_the_same_request_counts_while_the_platform_tries_and_is_refused_later() -> None:
    callbacks, (query, body) = Callbacks(ENVELOPE), _callback("<xml><MsgId>1</MsgId></xml>")
    for seconds in (0, 5, 10):
        assert callbacks.opened(query, body, NOW + seconds) == {"MsgId": "1"}
    assert _reason(query, body, callbacks, NOW + 90) == "replayed"


def test_what_is_remembered_is_forgotten_when_its_time_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.wechat.crypto._REMEMBERED", 3)
    callbacks = Callbacks(ENVELOPE)
    for number in range(20):
        now = NOW + 1_000 * number
        callbacks.opened(*_callback("<xml/>", stamp=str(int(now))), now)
    assert len(callbacks._seen) <= 4


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
    "<xml><Encrypt>&c;</Encrypt></xml>"
)
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>'


@pytest.mark.parametrize(
    "body", [BOMB, FILE, "<!DOCTYPE xml><xml/>", "<xml>", "", "&", '<?xml encoding="no-such"?><a/>']
)
def test_xml_with_a_document_type_and_no_xml_are_refused(body: str) -> None:
    with pytest.raises(RefusedError) as raised:
        fields_of(body.encode())
    assert raised.value.reason == "xml"


def test_a_bomb_inside_the_envelope_is_refused_too() -> None:
    assert _reason(*_callback(BOMB)) == "xml"


def test_what_is_too_long_is_not_even_read() -> None:
    with pytest.raises(RefusedError) as raised:
        fields_of(b"<xml>" + b" " * MAX_BYTES + b"</xml>")
    assert raised.value.reason == "size"


def test_what_is_nested_deeply_is_only_read() -> None:
    assert fields_of(b"<xml>" + b"<a>" * 9_000 + b"</a>" * 9_000 + b"</xml>") == {"a": ""}


@pytest.mark.parametrize("key", ["", "short", AES_KEY[:-1], AES_KEY + "A", "!" * 43])
def test_a_key_of_another_shape_is_told_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Envelope.of(TOKEN, key, APP)
    assert not key or key not in str(raised.value)


def test_secrets_are_not_printed() -> None:
    assert TOKEN not in repr(ENVELOPE)
    assert str(ENVELOPE.key) not in repr(ENVELOPE)


# --- what is read

tags = st.sampled_from(
    [
        "FromUserName",
        "CreateTime",
        "MsgType",
        "MsgId",
        "Content",
        "Event",
        "EventKey",
        "MediaId",
        "TaskId",
        "Recognition",
    ]
)
words = st.sampled_from(
    [
        "event",
        "text",
        "image",
        "voice",
        "file",
        "subscribe",
        "SCAN",
        "CLICK",
        "unsubscribe",
        "qrscene_bind-x",
        "LIN",
        "",
    ]
)


@given(fields=st.dictionaries(tags, words | texts))
def test_whatever_is_signed_is_read_or_counted(fields: dict[str, str]) -> None:
    callback = _callback(xml_of(fields))
    came = Callbacks(ENVELOPE).opened(*callback, NOW)
    for read in (wecom.read, official.read):
        found, again = read(came), read(came)
        assert found.key == again.key
        assert len(found.key) <= 160
        assert bool(found.key) == bool(found.sender)
        if found.inbound is not None:
            assert found.inbound.event_id == found.key
            assert found.inbound.text or found.inbound.unread or found.inbound.met or found.enclosed


@pytest.mark.parametrize("read", [wecom.read, official.read])
def test_two_clicks_in_one_second_are_two(read: object) -> None:
    fields = {"FromUserName": "lin", "CreateTime": "1", "MsgType": "event", "Event": "CLICK"}
    keys = {read({**fields, "EventKey": word}).key for word in ("帮助", "人工")}  # type: ignore[operator]
    assert len(keys) == 2
