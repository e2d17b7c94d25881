"""The server: tokens that expire, calls that are refused, files, and callbacks that come again when nobody answers.

Callbacks are signed and sealed by `wechatpy`, an implementation that is not ours.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx
import uvicorn
import xmltodict  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from wechatpy.crypto import WeChatCrypto  # type: ignore[import-untyped]
from wechatpy.enterprise.crypto import WeChatCrypto as WeComCrypto  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

TOKEN = "callbacktoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APP = "wx0123456789abcdef"
SECRET = "applicationsecret"
#: Between two tries of a callback; the real one is five.
TRIES = 3


@dataclass(kw_only=True)
class Refusal:
    """The next so many calls of a path (its end) get this code."""

    path: str
    code: int
    times: int = 1


@dataclass(kw_only=True)
class Sent:
    """What the application has sent, or answered (`passive`)."""

    to: str
    kind: str
    body: dict[str, Any]
    passive: bool = False
    gone: bool = False

    @property
    def text(self) -> str:
        """What can be read of it."""
        if self.kind == "template_card":
            return str(self.body["main_title"].get("desc", ""))
        return str(self.body.get("content", ""))


@dataclass(kw_only=True)
class Asked:
    """A call that came, for tests to look at."""

    path: str
    params: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)


class Platform:
    """One application of one platform. `retry` are the seconds that it waits for a callback to be answered."""

    def __init__(
        self,
        kind: Literal["wecom", "official_account"],
        *,
        retry: float = 5.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.kind = kind
        self.retry = retry
        self._now = now
        crypto = WeComCrypto if kind == "wecom" else WeChatCrypto
        self.crypto = crypto(TOKEN, AES_KEY, APP)
        self.url = ""
        #: Who is there; others are nobody. 工号 in an extended attribute by userid.
        self.people: set[str] = set()
        self.attributes: dict[str, str] = {}
        self.silent_since: set[str] = set()
        self.sent: list[Sent] = []
        self.asked: list[Asked] = []
        self.menu: dict[str, Any] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.refusals: list[Refusal] = []
        self.nonsense: dict[str, tuple[int, bytes]] = {}
        self.tokens: dict[str, float] = {}
        self.given = 0
        self.seconds = 7200
        self.codes: dict[str, str] = {}
        self.scenes: dict[str, str] = {}
        self.statuses: list[int] = []
        self.tries: list[str] = []
        self._numbers = 1000
        self._pushing: set[asyncio.Task[None]] = set()
        self._hook = ""
        self._robots: dict[str, list[float]] = {}

    # --- the server

    async def __aenter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        app = Starlette(routes=[Route("/{path:path}", self._call, methods=["GET", "POST"])])
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listening]))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._pushing:
            task.cancel()
        await asyncio.gather(*self._pushing, return_exceptions=True)
        self._server.should_exit = True
        self._server.force_exit = True
        await self._serving

    async def _call(self, request: Request) -> Response:
        path = request.path_params["path"]
        params = dict(request.query_params)
        body: dict[str, Any] = {}
        upload: tuple[str, bytes] | None = None
        if request.headers.get("content-type", "").startswith("application/json"):
            body = json.loads(await request.body())
        elif "media/upload" in path:
            async with request.form() as form:
                media = form["media"]
                upload = (media.filename, await media.read())  # type: ignore[union-attr,assignment]
        self.asked.append(Asked(path=path, params=params, body=body))
        if path in self.nonsense:
            status, content = self.nonsense[path]
            return Response(content, status_code=status)
        code = self._refused(path, params)
        if code:
            return JSONResponse({"errcode": code, "errmsg": "refused by the tests, hint: [secret words]"})
        answer = self._answer(path, params, body, upload)
        return answer if isinstance(answer, Response) else JSONResponse({"errcode": 0, "errmsg": "ok", **answer})

    def _refused(self, path: str, params: dict[str, str]) -> int:
        for refusal in self.refusals:
            if refusal.times > 0 and path.endswith(refusal.path):
                refusal.times -= 1
                return refusal.code
        if path in ("cgi-bin/gettoken", "cgi-bin/stable_token", "cgi-bin/webhook/send", "sns/oauth2/access_token"):
            return 0
        ends = self.tokens.get(params.get("access_token", ""))
        if ends is None:
            return 40014 if self.kind == "wecom" else 40001
        return 42001 if self._now() >= ends else 0

    def _answer(
        self, path: str, params: dict[str, str], body: dict[str, Any], upload: tuple[str, bytes] | None
    ) -> dict[str, Any] | Response:
        answers: dict[str, Callable[[], dict[str, Any] | Response]] = {
            "cgi-bin/gettoken": lambda: self._token(params["corpid"], params["corpsecret"]),
            "cgi-bin/stable_token": lambda: self._token(
                body["appid"], body["secret"], force=body.get("force_refresh", False)
            ),
            "cgi-bin/message/send": lambda: self._application(body),
            "cgi-bin/message/recall": lambda: self._recall(body),
            "cgi-bin/message/update_template_card": dict,
            "cgi-bin/user/get": lambda: self._person(params["userid"]),
            "cgi-bin/webhook/send": lambda: self._robot(params["key"], body),
            "cgi-bin/media/upload": lambda: self._uploaded(upload),
            "cgi-bin/media/get": lambda: self._file(params["media_id"]),
            "cgi-bin/message/custom/send": lambda: self._customer(body),
            "cgi-bin/message/template/send": lambda: self._template(body),
            "cgi-bin/message/subscribe/bizsend": lambda: self._template(body),
            "cgi-bin/menu/create": lambda: self._menu(body),
            "cgi-bin/qrcode/create": lambda: self._qr(body),
            "sns/oauth2/access_token": lambda: self._oauth(params),
        }
        return answers[path]() if path in answers else _error(40066)

    # --- calls

    def _token(self, app: str, secret: str, *, force: bool = False) -> dict[str, Any] | Response:
        if app != APP:
            return _error(40013)
        if secret != SECRET:
            return _error(40125 if self.kind == "official_account" else 40001)
        valid = [token for token, ends in self.tokens.items() if self._now() < ends]
        if valid and not force:
            # The same one until it ends: https://developer.work.weixin.qq.com/document/path/91039
            return {"access_token": valid[-1], "expires_in": int(self.tokens[valid[-1]] - self._now())}
        self.given += 1
        token = f"token-{self.given}-{secrets.token_hex(4)}"
        self.tokens = {token: self._now() + self.seconds}
        return {"access_token": token, "expires_in": self.seconds}

    def revoke(self) -> None:
        """Tokens are taken back before their time."""
        self.tokens.clear()

    def _application(self, body: dict[str, Any]) -> dict[str, Any] | Response:
        kind = body["msgtype"]
        what = body[kind]
        if kind == "text" and len(what["content"].encode()) > 2048:
            return _error(45002)
        if kind == "template_card" and not _good_card(what):
            return _error(40058)
        if kind in ("image", "file") and what["media_id"] not in self.files:
            return _error(40007)
        if body["touser"] not in self.people:
            return _error(81013)
        self.sent.append(Sent(to=body["touser"], kind=kind, body=what))
        return {"invaliduser": "", "msgid": f"m{len(self.sent)}", "response_code": "r"}

    def _recall(self, body: dict[str, Any]) -> dict[str, Any] | Response:
        number = int(body["msgid"].removeprefix("m")) - 1
        if not 0 <= number < len(self.sent):
            return _error(40058)
        self.sent[number].gone = True
        return {}

    def _person(self, userid: str) -> dict[str, Any] | Response:
        if userid not in self.people:
            return _error(60111)
        attribute = {"type": 0, "name": "工号", "text": {"value": self.attributes.get(userid, "")}}
        return {"userid": userid, "name": "某", "extattr": {"attrs": [attribute]}}

    def _robot(self, key: str, body: dict[str, Any]) -> dict[str, Any] | Response:
        if not key.startswith("robot-"):
            return _error(93000)
        said = self._robots.setdefault(key, [])
        said[:] = [at for at in said if self._now() - at < 60]
        if len(said) >= 20:
            return _error(45009)
        said.append(self._now())
        self.sent.append(Sent(to=key, kind=body["msgtype"], body=body[body["msgtype"]]))
        return {}

    def _uploaded(self, upload: tuple[str, bytes] | None) -> dict[str, Any]:
        assert upload is not None
        media_id = self.uploaded(upload[1], "application/octet-stream")
        return {"type": "file", "media_id": media_id, "created_at": "1"}

    def uploaded(self, content: bytes, kind: str = "image/jpeg") -> str:
        """The id of a file that somebody sends."""
        media_id = f"media-{len(self.files)}"
        self.files[media_id] = kind, content
        return media_id

    def _file(self, media_id: str) -> Response:
        if media_id not in self.files:
            return _error(40007)
        kind, content = self.files[media_id]
        return Response(content, media_type=kind)

    def _customer(self, body: dict[str, Any]) -> dict[str, Any] | Response:
        kind, to = body["msgtype"], body["touser"]
        if to not in self.people:
            return _error(40003)
        if to in self.silent_since:
            return _error(45015)
        if kind == "text" and len(body["text"]["content"].encode()) > 2048:
            return _error(45002)
        self.sent.append(Sent(to=to, kind=kind, body=body[kind]))
        return {}

    def _template(self, body: dict[str, Any]) -> dict[str, Any] | Response:
        if body["touser"] not in self.people:
            return _error(43004)
        if body["template_id"] != "template-1":
            return _error(40037)
        value = body["data"]["thing1"]["value"]
        if len(value) > 20:
            return _error(47003)
        self.sent.append(Sent(to=body["touser"], kind="template", body={"content": value, **body}))
        return {"msgid": 1}

    def _menu(self, body: dict[str, Any]) -> dict[str, Any] | Response:
        if not 1 <= len(body["button"]) <= 3 or any(len(each["name"].encode()) > 16 for each in body["button"]):
            return _error(40058)
        self.menu = body
        return {}

    def _qr(self, body: dict[str, Any]) -> dict[str, Any] | Response:
        scene = body["action_info"]["scene"]["scene_str"]
        if not 1 <= len(scene) <= 64:
            return _error(40058)
        ticket = f"ticket+{len(self.scenes)}=="
        self.scenes[ticket] = scene
        return {"ticket": ticket, "expire_seconds": body["expire_seconds"], "url": "http://weixin.qq.com/q/x"}

    def _oauth(self, params: dict[str, str]) -> dict[str, Any] | Response:
        # A code counts once.
        openid = self.codes.pop(params["code"], "")
        if params["appid"] != APP or params["secret"] != SECRET or not openid:
            return _error(40029)
        return {"access_token": "of-a-person", "openid": openid, "scope": "snsapi_base", "expires_in": 7200}

    # --- callbacks

    def hook(self, url: str) -> None:
        """Where callbacks go."""
        self._hook = url

    def message(self, who: str, kind: str, **fields: str) -> dict[str, str]:
        """The fields of a message or event, with its number and time."""
        self._numbers += 1
        given = {"ToUserName": APP, "FromUserName": who, "CreateTime": str(int(self._now())), "MsgType": kind}
        return {**given, **({} if kind == "event" else {"MsgId": str(self._numbers)}), **fields}

    def request(self, fields: dict[str, str], nonce: str = "") -> tuple[dict[str, str], str]:
        """The parameters and the body of a callback."""
        plain = xmltodict.unparse({"xml": fields}, full_document=False)
        nonce = nonce or secrets.token_hex(6)
        stamp = str(int(self._now()))
        body = self.crypto.encrypt_message(plain, nonce, stamp)
        signed = xmltodict.parse(body)["xml"]["MsgSignature"]
        return {"msg_signature": signed, "timestamp": stamp, "nonce": nonce}, body

    def push(self, fields: dict[str, str]) -> asyncio.Task[None]:
        """Tells something: again and again until it is answered, three times in all."""
        task = asyncio.create_task(self._pushed(fields))
        self._pushing.add(task)
        task.add_done_callback(self._pushing.discard)
        return task

    async def _pushed(self, fields: dict[str, str]) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            for _ in range(TRIES):
                self.tries.append(fields.get("MsgId", ""))
                params, body = self.request(fields)
                try:
                    async with asyncio.timeout(self.retry):
                        answer = await client.post(self._hook, params=params, content=body)
                except TimeoutError:
                    self.statuses.append(0)
                    continue
                self.statuses.append(answer.status_code)
                if answer.status_code == 200:
                    self._shown(fields["FromUserName"], answer.text)
                    return

    def _shown(self, who: str, answer: str) -> None:
        """What was answered in the same breath."""
        if not answer:
            return
        parts = xmltodict.parse(answer)["xml"]
        plain = self.crypto.decrypt_message(answer, parts["MsgSignature"], parts["TimeStamp"], parts["Nonce"])
        said = xmltodict.parse(plain)["xml"]
        assert said["ToUserName"] == who
        self.sent.append(Sent(to=who, kind="text", body={"content": said["Content"]}, passive=True))

    async def quiet(self) -> None:
        """Waits until every callback has been answered or given up."""
        while self._pushing:
            await asyncio.gather(*list(self._pushing))

    def read(self, who: str) -> list[Sent]:
        """What somebody has got and has not been taken back."""
        return [each for each in self.sent if each.to == who and not each.gone]


def _good_card(card: dict[str, Any]) -> bool:
    buttons = card["button_list"]
    keys = {button["key"] for button in buttons}
    title = card["main_title"]
    return (
        card["card_type"] == "button_interaction"
        and 1 <= len(buttons) <= 6
        and len(keys) == len(buttons)
        and all(0 < len(key.encode()) <= 1024 for key in keys)
        and bool(card["task_id"])
        and bool(title.get("title") or title.get("desc"))
    )


def _error(code: int) -> JSONResponse:
    return JSONResponse({"errcode": code, "errmsg": "no"})
