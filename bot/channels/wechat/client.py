"""Calls of the platforms' HTTP interfaces, with the token, tried once more where the token is what was wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import structlog

from bot.channels.wechat.errors import PlatformError, send_error
from bot.channels.wechat.tokens import Fresh, Tokens
from bot.messages import SendError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.channels.wechat.tokens import Shelf

log = structlog.get_logger(__name__)

_SECONDS = 10.0
_MOST_BYTES = 2**20


class Client:
    """The client of one application. Opens its connections when it is first used."""

    def __init__(self, base_url: str, shelf: Shelf, name: str, ask: Mapping[str, Any]) -> None:
        """`ask` is the request that gives a token (`method`, `url` and what httpx takes), `name` that of its row."""
        self._base_url = base_url.rstrip("/")
        self._ask = ask
        self._tokens = Tokens(shelf, name, self._fetch)
        self._http: httpx.AsyncClient | None = None
        #: What an operator must set right, as the last call told it; empty where it went well.
        self.trouble = ""

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call with a JSON body. Raises PlatformError, and SendError where the platform is away or makes no sense."""
        content = json.dumps(body, ensure_ascii=False).encode()
        return await self._with_token("POST", path, content=content, headers={"content-type": "application/json"})

    async def get(self, path: str, **params: str) -> dict[str, Any]:
        """A call without a body. Raises as `post`."""
        return await self._with_token("GET", path, params=params)

    async def upload(self, path: str, name: str, content: bytes, **params: str) -> dict[str, Any]:
        """Sends a file in the field `media`. Raises as `post`."""
        return await self._with_token("POST", path, params=params, files={"media": (name, content)})

    async def plain(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """A call without a token. Raises as `post`."""
        answer = await self._call(method, path, **request)
        return self._read(answer, await answer.aread())

    async def media(self, path: str, media_id: str, most: int) -> tuple[str, bytes] | None:
        """A file that somebody sent, with its content type; None where it is larger than `most`. Raises as `post`."""
        for attempt in (1, 2):
            token = await self._token()
            answer = await self._call("GET", path, params={"access_token": token, "media_id": media_id}, stream=True)
            try:
                content = await _at_most(answer, most)
            except httpx.HTTPError as error:
                raise SendError("away") from error
            finally:
                await answer.aclose()
            kind = answer.headers.get("content-type", "").partition(";")[0].strip()
            if kind not in ("application/json", "text/plain"):
                return None if content is None else (kind, content)
            try:
                self._read(answer, content or b"")
            except PlatformError as error:
                await self._renew(error, token, attempt)
        raise SendError("nonsense")

    async def close(self) -> None:
        """Closes the connections; the next call opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    # --- one call

    async def _with_token(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        params = request.pop("params", {})
        for attempt in (1, 2):
            token = await self._token()
            answer = await self._call(method, path, params={**params, "access_token": token}, **request)
            try:
                read = self._read(answer, await answer.aread())
            except PlatformError as error:
                await self._renew(error, token, attempt)
            else:
                self.trouble = ""
                return read
        raise AssertionError

    async def _token(self) -> str:
        try:
            return await self._tokens.get()
        except PlatformError as error:
            self._note(error)
            raise

    async def _renew(self, error: PlatformError, token: str, attempt: int) -> None:
        """Asks for a new token where that is what was wrong, once. Raises the error otherwise."""
        if error.meaning.kind != "token" or attempt > 1:
            self._note(error)
            raise error
        await self._tokens.refuse(token)

    def _note(self, error: PlatformError) -> None:
        log.warning("wechat_refused", code=error.code, words=error.meaning.words)
        if error.meaning.kind in ("tell", "token"):
            self.trouble = f"{error.code} {error.meaning.words}"

    async def _fetch(self, refused: bool) -> Fresh:
        request = dict(self._ask)
        if refused and "json" in request:
            # A stable token stays what it is until it is asked for by force.
            request["json"] = {**request["json"], "force_refresh": True}
        answer = await self._call(request.pop("method"), request.pop("url"), **request)
        read = self._read(answer, await answer.aread())
        token, seconds = read.get("access_token"), read.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            raise SendError("nonsense")
        return Fresh(token=token, seconds=seconds)

    async def _call(self, method: str, path: str, *, stream: bool = False, **request: Any) -> httpx.Response:
        if self._http is None:
            # A connection that the platform closes at this very moment would lose a message.
            limits = httpx.Limits(max_connections=32, keepalive_expiry=2)
            self._http = httpx.AsyncClient(timeout=_SECONDS, trust_env=False, limits=limits)
        try:
            asked = self._http.build_request(method, f"{self._base_url}{path}", **request)
            answer = await self._http.send(asked, stream=stream)
        except httpx.TimeoutException:
            # The address holds the token: nothing of the library's error goes further.
            raise SendError("no answer in time") from None
        except httpx.HTTPError:
            raise SendError("away") from None
        if answer.status_code != 200:
            await answer.aclose()
            raise SendError(f"HTTP {answer.status_code}")
        return answer

    def _read(self, answer: httpx.Response, content: bytes) -> dict[str, Any]:
        try:
            read = json.loads(content) if len(content) <= _MOST_BYTES else None
        except ValueError:
            read = None
        if not isinstance(read, dict) or not isinstance(read.get("errcode", 0), int):
            log.warning("wechat_nonsense", status=answer.status_code)
            raise SendError("nonsense")
        if read.get("errcode", 0) != 0:
            raise PlatformError(read["errcode"])
        return read


async def _at_most(answer: httpx.Response, most: int) -> bytes | None:
    """The content; None where there is more."""
    content = bytearray()
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > most:
            return None
    return bytes(content)


__all__ = ["Client", "PlatformError", "send_error"]
