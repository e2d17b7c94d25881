"""The messages on the wire: the field numbers of the protocol, on every Python that we run on."""

from __future__ import annotations

import pytest

from bot.channels.wechaty.bridge import bridge_of
from bot.channels.wechaty.stubs import DownloadRequest, DownloadResponse, UploadRequest, UploadResponse, puppet
from bot.settings import Settings, WechatySettings


@pytest.mark.parametrize(
    ("message", "written"),
    [
        (DownloadRequest(id="u"), b"\x0a\x01u"),
        (DownloadResponse(chunk=b"\xff"), b"\x0a\x01\xff"),
        (UploadRequest(chunk=b"\x00"), b"\x0a\x01\x00"),
        (UploadResponse(id="u"), b"\x0a\x01u"),
        (
            puppet.MessageSendTextRequest(conversation_id="c", text="t", mentonal_ids=["m"]),
            b"\x0a\x01c\x12\x01t\x1a\x01m",
        ),
        (puppet.MessageSendFileRequest(conversation_id="c", filebox="f"), b"\x0a\x01c\x12\x01f"),
    ],
)
def test_what_is_written(message: object, written: bytes) -> None:
    """wechaty/puppet/message.proto and download-upload.proto of npm wechaty-grpc 1.5.2."""
    assert bytes(message) == written  # type: ignore[call-overload]


def test_what_is_read() -> None:
    """Fields that later gateways have added are passed over."""
    read = puppet.MessagePayloadResponse().parse(
        b"\x0a\x01i\x1a\x01t\x28\x07\x32\x01a\x42\x01b\x4a\x01m\x52\x02\x08\x01"
    )
    assert (read.id, read.text, read.type, read.from_id, read.to_id, read.mention_ids) == ("i", "t", 7, "a", "b", ["m"])


async def test_building_a_bridge_opens_nothing() -> None:
    wechaty = WechatySettings(endpoint="[::1]:1", token="t", key="k")
    bridge = bridge_of(Settings(wechaty=wechaty))
    assert bridge.connection.state == "away"
    assert "'t'" not in repr(bridge.connection._place)
