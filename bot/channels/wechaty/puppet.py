"""What is asked of the gateway, call by call, in our own values."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from grpclib.const import Cardinality

from bot.channels.wechaty.gateway import apart
from bot.channels.wechaty.remote import fetch
from bot.channels.wechaty.seen import Contact, Friendship, Message, RefusedError, Room, TooLargeError
from bot.channels.wechaty.stubs import DownloadRequest, DownloadResponse, UploadRequest, UploadResponse, puppet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.channels.wechaty.gateway import Connection

#: The gateway takes messages of four megabytes; what is larger goes up in parts.
_INLINE = 2 * 2**20
_PART = 256 * 1024
#: Kinds of file boxes (npm file-box): the bytes themselves, an address, a name under which the gateway keeps it.
_BASE64, _URL, _UUID = 1, 2, 7
#: Somebody waits on the other side for at most fifty seconds.
_SEND_SECONDS, _FILE_SECONDS = 40.0, 120.0
_CONFIRMED, _ASKED = 1, 2
_OFFICIAL = 2


class Puppet:
    """The account, as the gateway lets us have it. Everything raises AwayError, RefusedError or DoubtError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading

    async def message(self, key: str) -> Message:
        """A message of which an event told."""
        request = puppet.MessagePayloadRequest(id=key)
        answer = await self._connection.ask("MessagePayload", request, puppet.MessagePayloadResponse)
        return Message(
            id=key,
            type=int(answer.type),
            talker=answer.from_id,
            listener=answer.to_id,
            room=answer.room_id,
            text=answer.text,
            filename=answer.filename,
            mentions=tuple(answer.mention_ids),
        )

    async def contact(self, key: str) -> Contact:
        """An account."""
        request = puppet.ContactPayloadRequest(id=key)
        answer = await self._connection.ask("ContactPayload", request, puppet.ContactPayloadResponse)
        return Contact(name=answer.name, person=int(answer.type) != _OFFICIAL)

    async def alias(self, room: str, contact: str) -> str:
        """What somebody is called in a group, where they have a name of their own there."""
        request = puppet.RoomMemberPayloadRequest(id=room, member_id=contact)
        answer = await self._connection.ask("RoomMemberPayload", request, puppet.RoomMemberPayloadResponse)
        return str(answer.room_alias)

    async def rooms(self) -> tuple[str, ...]:
        """The groups that the account is in."""
        answer = await self._connection.ask("RoomList", puppet.RoomListRequest(), puppet.RoomListResponse)
        return tuple(answer.ids)

    async def room(self, key: str) -> Room:
        """A group."""
        request = puppet.RoomPayloadRequest(id=key)
        answer = await self._connection.ask("RoomPayload", request, puppet.RoomPayloadResponse)
        return Room(title=answer.topic, members=tuple(answer.member_ids))

    async def friendship(self, key: str) -> Friendship:
        """A friend request of which an event told."""
        request = puppet.FriendshipPayloadRequest(id=key)
        answer = await self._connection.ask("FriendshipPayload", request, puppet.FriendshipPayloadResponse)
        kind = int(answer.type)
        return Friendship(contact=answer.contact_id, asks=kind == _ASKED, confirmed=kind == _CONFIRMED)

    async def file(self, key: str, *, most: int) -> bytes:
        """The file of a message. Raises TooLargeError for more than `most` bytes."""
        request = puppet.MessageFileRequest(id=key)
        answer = await self._connection.ask("MessageFile", request, puppet.MessageFileResponse, seconds=_FILE_SECONDS)
        box = _box(answer.filebox)
        kind = box.get("type", box.get("boxType"))
        if kind == _BASE64:
            return _decoded(str(box.get("base64", "")), most)
        if kind == _URL:
            return await fetch(str(box.get("url") or box.get("remoteUrl") or ""), most=most)
        if kind == _UUID:
            return await apart(self._download(str(box.get("uuid", "")), most))
        raise RefusedError("MessageFile: a kind of file that we do not know")

    async def _download(self, uuid: str, most: int) -> bytes:
        request, found = DownloadRequest(id=uuid), bytearray()
        async with (
            self._connection.parts("Download"),
            self._connection.stream("Download", request, DownloadResponse, Cardinality.UNARY_STREAM) as stream,
        ):
            await stream.send_message(request, end=True)
            async for part in stream:
                found += part.chunk
                if len(found) > most:
                    raise TooLargeError
        return bytes(found)

    # --- doing

    async def say(self, conversation: str, text: str, mentions: Sequence[str] = ()) -> str:
        """Sends a text; returns its id, empty where the gateway gives none."""
        request = puppet.MessageSendTextRequest(conversation_id=conversation, text=text, mentonal_ids=list(mentions))
        answer = await self._connection.ask(
            "MessageSendText", request, puppet.MessageSendTextResponse, seconds=_SEND_SECONDS
        )
        return _id(answer)

    async def send_file(self, conversation: str, name: str, content: bytes) -> str:
        """Sends a file; returns as `say`."""
        if len(content) <= _INLINE:
            box: dict[str, Any] = {"type": _BASE64, "base64": base64.b64encode(content).decode()}
        else:
            box = {"type": _UUID, "uuid": await apart(self._upload(content))}
        request = puppet.MessageSendFileRequest(
            conversation_id=conversation, filebox=json.dumps({**box, "name": name, "metadata": {}})
        )
        answer = await self._connection.ask(
            "MessageSendFile", request, puppet.MessageSendFileResponse, seconds=_SEND_SECONDS
        )
        return _id(answer)

    async def _upload(self, content: bytes) -> str:
        first = UploadRequest()
        async with (
            self._connection.parts("Upload"),
            self._connection.stream("Upload", first, UploadResponse, Cardinality.STREAM_UNARY) as stream,
        ):
            for start in range(0, len(content), _PART):
                part = UploadRequest(chunk=content[start : start + _PART])
                await stream.send_message(part, end=start + _PART >= len(content))
            answer = await stream.recv_message()
        if answer is None:
            raise RefusedError("Upload: no answer")
        return answer.id

    async def recall(self, key: str) -> bool:
        """Takes a message back; False where WeChat does not let us any more."""
        request = puppet.MessageRecallRequest(id=key)
        answer = await self._connection.ask("MessageRecall", request, puppet.MessageRecallResponse)
        return bool(answer.success)

    async def accept_friend(self, key: str) -> None:
        """Accepts a friend request."""
        request = puppet.FriendshipAcceptRequest(id=key)
        await self._connection.ask("FriendshipAccept", request, puppet.FriendshipAcceptResponse)

    async def accept_room(self, key: str) -> None:
        """Accepts an invitation to a group."""
        request = puppet.RoomInvitationAcceptRequest(id=key)
        await self._connection.ask("RoomInvitationAccept", request, puppet.RoomInvitationAcceptResponse)


def _id(answer: Any) -> str:
    # Field 1 of the answer is the wrapped id of older gateways, which later ones fill as well.
    return str(answer.id or "")


def _box(text: str) -> dict[str, Any]:
    try:
        box = json.loads(text)
    except ValueError as error:
        raise RefusedError("MessageFile: nonsense") from error
    if not isinstance(box, dict):
        raise RefusedError("MessageFile: nonsense")
    return box


def _decoded(text: str, most: int) -> bytes:
    if len(text) > most * 4 // 3 + 4:
        raise TooLargeError
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError("MessageFile: nonsense") from error
