"""The channel of 企业微信: callbacks come in, application messages go out, robots speak in groups.

A message that the platform takes is accepted; that it was read, or even shown, it does not tell.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import structlog

from actions.core.errors import DomainError
from bot.channels.begun import Begun
from bot.channels.wechat.client import Client
from bot.channels.wechat.crypto import Callbacks, Envelope
from bot.channels.wechat.errors import PlatformError, send_error
from bot.channels.wechat.hook import Hooked, read_file
from bot.channels.wecom import reading, writing
from bot.messages import Capabilities, Receipt, SendError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.channels.wechat.hook import Place, Read
    from bot.messages import Address, Outbound
    from bot.settings import WecomSettings

log = structlog.get_logger(__name__)

#: What waits for an answer in time: only the acknowledgement.
_SECONDS = 4.5
#: A robot may speak twenty times a minute.
_ROBOT_SECONDS = 60.0


class WecomChannel(Hooked):
    """One application. `send` works in any process; callbacks come to the one that serves HTTP."""

    name = reading.NAME
    media_path = "/cgi-bin/media/get"
    capabilities = Capabilities(
        buttons=True, pictures=True, files=True, recall=True, groups=True, longest=writing.LONGEST
    )

    def __init__(self, settings: WecomSettings, place: Place, *, seconds: float = _SECONDS) -> None:
        """Opens nothing. Raises ConfigurationError."""
        secret = settings.secret.get_secret_value()
        envelope = Envelope.of(settings.token.get_secret_value(), settings.aes_key.get_secret_value(), settings.corp_id)
        ask = {
            "method": "GET",
            "url": "/cgi-bin/gettoken",
            "params": {"corpid": settings.corp_id, "corpsecret": secret},
        }
        name = f"wecom:{settings.corp_id}:{settings.agent_id}"
        super().__init__(place, Callbacks(envelope), Client(settings.api_url, place.shelf, name, ask), seconds=seconds)
        self._settings = settings
        self._style = writing.Style(
            choose=place.say("wechat.choose", {}), calendar=self._calendar, markdown=settings.markdown
        )
        self._recognised: set[str] = set()
        self._begun = Begun()

    def _calendar(self, token: str) -> str:
        url = self._place.public_url.rstrip("/")
        return self._place.say("wechat.calendar", {"url": f"{url}/api/v1/calendar/{token}.ics"}) if url else ""

    # --- taking in

    def read(self, fields: Mapping[str, str]) -> Read:
        """What a callback says."""
        return reading.read(fields)

    def address(self, sender: str) -> Address:
        """Where somebody is spoken to."""
        return reading.address_of(sender)

    async def known(self, read: Read) -> str:
        """The 工号 that the directory has for somebody; asked once in each process. Raises SendError."""
        where = self._settings.staff_id
        if not where or read.sender in self._recognised:
            return ""
        found = read.sender if where == "userid" else _attribute(await self._person(read.sender), where)
        self._recognised.add(read.sender)
        return found[:20]

    async def _person(self, userid: str) -> dict[str, Any]:
        try:
            return await self._client.get("/cgi-bin/user/get", userid=userid)
        except PlatformError as error:
            raise send_error(error) from None

    async def clicked(self, read: Read) -> None:
        """The buttons of the card cannot be clicked again. It is a courtesy: a click counts all the same."""
        body = {
            "userids": [read.sender],
            "agentid": self._settings.agent_id,
            "response_code": read.click,
            "button": {"replace_name": self._place.say("wechat.chosen", {})},
        }
        with contextlib.suppress(PlatformError, SendError):
            await self._client.post("/cgi-bin/message/update_template_card", body)

    async def say_plainly(self, address: Address, text: str) -> None:
        """Sends a text that is no row. Raises SendError."""
        await self._one(address, writing.Call(kind="text", body={"content": text}))

    # --- sending

    async def send(self, message: Outbound) -> Receipt:
        """Sends the parts of a message one after the other. Tried again, it goes on with the part that failed."""
        group = message.address.chat == "group"
        parts = writing.robot_calls(message) if group else writing.calls(message, self._style)
        with self._begun.going_on(message.id) as sent:
            for call in parts[len(sent) :]:
                sent.append(await (self._in_group if group else self._one)(message.address, call))
        return Receipt(confirmed=False, ref=",".join(filter(None, sent)))

    async def _one(self, address: Address, call: writing.Call) -> str:
        body = call.body
        if call.file is not None:
            media_id = await self._uploaded(address, call)
            if not media_id:
                return ""
            body = {"media_id": media_id}
        whole = {
            "touser": address.conversation,
            "msgtype": call.kind,
            "agentid": self._settings.agent_id,
            call.kind: body,
        }
        try:
            answer = await self._client.post("/cgi-bin/message/send", whole)
        except PlatformError as error:
            raise send_error(error) from None
        nobody = f"{answer.get('invaliduser') or ''}|{answer.get('unlicenseduser') or ''}".lower().split("|")
        if address.conversation.lower() in nobody:
            raise SendError("81013 nobody of these", permanent=True)
        return str(answer.get("msgid") or "")

    async def _uploaded(self, address: Address, call: writing.Call) -> str:
        assert call.file is not None  # noqa: S101 - the caller has looked
        try:
            kept = await self._place.files.open(address, address.conversation, call.file.id)
        except DomainError:
            # Gone, or not theirs: the text is said all the same.
            log.info("file_not_sent", row_kind=call.file.kind)
            return ""
        content = await asyncio.to_thread(read_file, kept.path)
        try:
            answer = await self._client.upload("/cgi-bin/media/upload", kept.view.name, content, type=call.kind)
        except PlatformError as error:
            raise send_error(error) from None
        return str(answer.get("media_id") or "")

    async def _in_group(self, address: Address, call: writing.Call) -> str:
        """What a group's robot says: it has no token, but a key of its own. Raises SendError."""
        key = self._settings.robots.get(address.conversation)
        if key is None:
            raise SendError("no robot of that group", permanent=True)
        body = {"msgtype": call.kind, call.kind: call.body}
        where = {"key": key.get_secret_value()}
        try:
            await self._client.plain("POST", "/cgi-bin/webhook/send", params=where, json=body)
        except PlatformError as error:
            raised = send_error(error)
            # The limit is that of one robot: the others go on.
            raise SendError(
                raised.reason, permanent=raised.permanent, retry_after=raised.retry_after and _ROBOT_SECONDS
            ) from None
        return ""

    async def recall(self, address: Address, ref: str) -> None:
        """Takes a message back; the platform lets applications do so for 24 hours.

        https://developer.work.weixin.qq.com/document/path/94867
        """
        if not ref or address.chat == "group":
            raise SendError("cannot be taken back", permanent=True)
        try:
            for number in ref.split(","):
                await self._client.post("/cgi-bin/message/recall", {"msgid": number})
        except PlatformError as error:
            raise send_error(error) from None


def _attribute(person: Mapping[str, Any], name: str) -> str:
    """An extended attribute of somebody in the directory; empty where there is none."""
    attributes = (person.get("extattr") or {}).get("attrs") or []
    for attribute in attributes:
        if isinstance(attribute, dict) and attribute.get("name") == name:
            text = attribute.get("text")
            found = text.get("value") if isinstance(text, dict) else attribute.get("value")
            return found.strip() if isinstance(found, str) else ""
    return ""
