"""The channel of 公众号.

What is said is the answer of the call that it answers, where it is one text and ready in time; else it goes out as a
customer-service message. The row is handed over once, so that it is never both, however often the platform asks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import structlog

from actions.core.errors import DomainError
from bot.channels.begun import Begun
from bot.channels.official_account import reading, scenes
from bot.channels.wechat.client import Client
from bot.channels.wechat.crypto import Callbacks, Envelope
from bot.channels.wechat.errors import PlatformError, send_error
from bot.channels.wechat.hook import Hooked, read_file
from bot.messages import Capabilities, File, Receipt, SendError, numbered, pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.channels.wechat.hook import Place, Read
    from bot.messages import Address, Outbound
    from bot.settings import OfficialAccountSettings

log = structlog.get_logger(__name__)

#: A text has at most 2,048 bytes; no UTF-16 unit takes more than three of them.
LONGEST = 2_048 // 3
#: Under the three buttons of the menu stand at most five each.
_UNDER_A_BUTTON = 5


class OfficialAccountChannel(Hooked):
    """One 服务号. Options are numbered: a customer-service message has no buttons."""

    name = reading.NAME
    passive = True
    media_path = "/cgi-bin/media/get"
    capabilities = Capabilities(pictures=True, longest=LONGEST)

    def __init__(self, settings: OfficialAccountSettings, place: Place) -> None:
        """Opens nothing. Raises ConfigurationError."""
        self._secret = settings.secret.get_secret_value()
        self.envelope = Envelope.of(
            settings.token.get_secret_value(), settings.aes_key.get_secret_value(), settings.app_id
        )
        given = {"grant_type": "client_credential", "appid": settings.app_id, "secret": self._secret}
        ask = {"method": "POST", "url": "/cgi-bin/stable_token", "json": given}
        client = Client(settings.api_url, place.shelf, f"official_account:{settings.app_id}", ask)
        super().__init__(place, Callbacks(self.envelope), client, seconds=settings.passive_seconds)
        self._settings = settings
        self._begun = Begun()

    # --- what is set on the platform

    async def prepare(self) -> None:
        """Sets the menu. Raises SendError where the platform is away; what it refuses, an operator is told."""
        if not self._settings.menu:
            return
        try:
            await self._client.post("/cgi-bin/menu/create", self._menu())
        except PlatformError as error:
            if error.meaning.kind == "wait":
                raise send_error(error) from None

    def _menu(self) -> dict[str, Any]:
        """Words to click, as on other channels; and the chat page, where members come to it by https."""
        say = self._place.say
        words = [say(f"wechat.menu.{name}", {}) for name in ("mine", "bind", "person", "cancel", "help")]
        under = [{"type": "click", "name": word, "key": word} for word in words]
        buttons: list[dict[str, Any]] = [{"name": say("wechat.menu.title", {}), "sub_button": under[:_UNDER_A_BUTTON]}]
        if self._place.public_url.startswith("https://"):
            url = f"{self._place.public_url.rstrip('/')}/api/v1/official-account/enter"
            buttons.append({"type": "view", "name": say("wechat.menu.page", {}), "url": url})
        return {"button": buttons}

    # --- taking in

    def read(self, fields: Mapping[str, str]) -> Read:
        """What a callback says."""
        return reading.read(fields)

    def address(self, sender: str) -> Address:
        """Where a follower is spoken to."""
        return reading.address_of(sender)

    async def known(self, read: Read) -> str:
        """The 工号 of the code that was scanned."""
        return await scenes.taken(self._place.shelf, read.scene) if read.scene else ""

    async def say_plainly(self, address: Address, text: str) -> None:
        """Sends a text that is no row. Raises SendError."""
        await self._custom(address, "text", {"content": text})

    # --- codes, and who comes to the chat page

    async def invitation(self, staff_id: str) -> str:
        """The address of a picture, good for ten minutes: whoever scans it is that member. Raises SendError."""
        code = await scenes.new_code(self._place.shelf, staff_id)
        body = {
            "expire_seconds": int(scenes.LIFETIME.total_seconds()),
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": f"{reading.SCENE}{code}"}},
        }
        try:
            ticket = (await self._client.post("/cgi-bin/qrcode/create", body)).get("ticket")
        except PlatformError as error:
            raise send_error(error) from None
        if not isinstance(ticket, str) or not ticket:
            raise SendError("nonsense")
        return f"https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}"

    def sign_in_url(self, callback: str, state: str) -> str:
        """Where WeChat's browser is sent to tell who it is; it asks the member nothing."""
        asked = {
            "appid": self._settings.app_id,
            "redirect_uri": callback,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        return f"{self._settings.oauth_url.rstrip('/')}/connect/oauth2/authorize?{urlencode(asked)}#wechat_redirect"

    async def openid_of(self, code: str) -> str:
        """Whom the code of a sign-in stands for. Raises SendError, permanent where the platform does not take it."""
        params = {
            "appid": self._settings.app_id,
            "secret": self._secret,
            "code": code,
            "grant_type": "authorization_code",
        }
        try:
            openid = (await self._client.plain("GET", "/sns/oauth2/access_token", params=params)).get("openid")
        except PlatformError as error:
            raise SendError(f"{error.code} sign-in refused", permanent=True) from None
        if not isinstance(openid, str) or not openid:
            raise SendError("nonsense")
        return openid

    # --- sending

    async def send(self, message: Outbound) -> Receipt:
        """Answers the call, or sends the parts one after the other; tried again, it goes on where it stopped."""
        texts = pieces(self._whole(message), LONGEST)
        pictures = [file for file in message.files if file.kind == "picture"]
        if len(texts) == 1 and not pictures and await self.answers_call(message, texts[0]):
            return Receipt(confirmed=False)
        with self._begun.going_on(message.id) as sent:
            try:
                parts: list[File | str] = [*pictures, *texts]
                for part in parts[len(sent) :]:
                    await self._part(message.address, part)
                    sent.append("")
            except PlatformError as error:
                if error.meaning.kind != "closed" or sent or self._settings.outside == "off":
                    raise send_error(error) from None
                await self._outside(message)
        return Receipt(confirmed=False)

    def _whole(self, message: Outbound) -> str:
        """The text, the rows of its card, the names of files that the platform does not carry, options and links."""
        say, url = self._place.say, self._place.public_url.rstrip("/")
        parts = [message.text]
        if message.card is not None:
            parts += [f"{label}：{value}" for label, value in message.card.rows if value not in message.text]
            if url:
                parts.append(say("wechat.calendar", {"url": f"{url}/api/v1/calendar/{message.card.token}.ics"}))
        names = [file.name for file in message.files if file.kind != "picture"]
        if names:
            parts.append(say("wechat.on_the_page", {"names": names}))
        parts.append(message.link)
        text = "\n".join(filter(None, parts))
        return numbered(text, message.options) if message.options else text

    async def _part(self, address: Address, part: File | str) -> None:
        """Raises PlatformError, SendError."""
        if isinstance(part, str):
            await self._customer(address, "text", {"content": part})
            return
        try:
            kept = await self._place.files.open(address, address.conversation, part.id)
        except DomainError:
            # Gone, or not theirs: the text is said all the same.
            log.info("file_not_sent", row_kind=part.kind)
            return
        content = await asyncio.to_thread(read_file, kept.path)
        answer = await self._client.upload("/cgi-bin/media/upload", kept.view.name, content, type="image")
        await self._customer(address, "image", {"media_id": str(answer.get("media_id") or "")})

    async def _customer(self, address: Address, kind: str, body: Mapping[str, Any]) -> None:
        whole = {"touser": address.conversation, "msgtype": kind, kind: body}
        await self._client.post("/cgi-bin/message/custom/send", whole)

    async def _custom(self, address: Address, kind: str, body: Mapping[str, Any]) -> None:
        try:
            await self._customer(address, kind, body)
        except PlatformError as error:
            raise send_error(error) from None

    async def _outside(self, message: Outbound) -> None:
        """They have not written for 48 hours: a template says the beginning, and leads to the chat page."""
        settings = self._settings
        most = settings.template_length
        line = " ".join(message.text.split())
        line = line if len(line) <= most else line[: most - 1] + "…"
        body: dict[str, Any] = {
            "touser": message.address.conversation,
            "template_id": settings.template_id,
            "data": {settings.template_field: {"value": line}},
        }
        url = f"{self._place.public_url.rstrip('/')}/api/v1/official-account/enter" if self._place.public_url else ""
        subscribed = settings.outside == "subscribe"
        if url:
            body["page" if subscribed else "url"] = url
        path = "/cgi-bin/message/subscribe/bizsend" if subscribed else "/cgi-bin/message/template/send"
        try:
            await self._client.post(path, body)
        except PlatformError as error:
            raise send_error(error) from None

    async def recall(self, address: Address, ref: str) -> None:
        """The platform takes nothing back. Raises SendError."""
        del address, ref
        raise SendError("cannot be taken back", permanent=True)
