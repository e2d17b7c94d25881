"""What holds for every request: same origin, size, headers, and an answer even where something broke."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from actions.blocks.materials_intake import too_large
from bot.api import actions, bridge, files
from bot.api.chat import FILES
from bot.api.errors import ApiError, error_response, told

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bot.api.parts import ApiParts

_log = logging.getLogger(__name__)

MAX_BODY = 256 * 1024
# What a form has beside its file, and how much of one that is too large is let pass before the line is cut.
_FORM_BYTES = 16 * 1024
_LET_PASS = 64 * 2**20

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers would then send `Origin: null` with the console's own forms.
    "Referrer-Policy": "same-origin",
}


class Envelope:
    """Security headers on every answer, errors counted, and 500 as JSON with nothing of the fault in it."""

    def __init__(self, app: ASGIApp, parts: ApiParts) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is no HTTP request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._dress(message)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await error_response(self._parts.say, 500, "internal")(scope, receive, answer)

    def _dress(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        if message["status"] >= 400:
            self._parts.metrics.http_error(message["status"])


class SameOrigin:
    """Refuses changes that another site's page sends with a member's cookie (CSRF).

    A bearer key is never sent by a browser of its own accord, so such requests are free to come from anywhere.
    """

    def __init__(self, app: ASGIApp, parts: ApiParts) -> None:
        self._app = app
        self._say = parts.say
        self._public = urlsplit(parts.settings.http.public_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Looks at requests that change something."""
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS") and self._foreign(scope):
            await error_response(self._say, 403, "foreign_origin")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _foreign(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or "authorization" in headers:
            return False
        return urlsplit(origin).netloc not in {headers.get("host"), self._public} - {"", None}


class BodyLimit:
    """Refuses bodies over 256 kB, by the length announced or by what comes; a file may have its own length."""

    def __init__(self, app: ASGIApp, parts: ApiParts) -> None:
        self._app = app
        self._say = parts.say
        self._files = parts.files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts what is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, error = self._limit(scope)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > most:
            if most > MAX_BODY:
                await _let_pass(receive)
            await told(self._say, error)(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                if most > MAX_BODY:
                    await _let_pass(receive)
                raise error
            return message

        await self._app(scope, counted, send)

    def _limit(self, scope: Scope) -> tuple[int, ApiError]:
        """How many bytes a request may have, and how it is refused."""
        if scope["path"] == actions.PATH:
            return actions.MAX_BODY, ApiError(413, "too_large")
        if self._files is None or scope["method"] != "POST" or scope["path"] not in (FILES, bridge.FILES):
            return MAX_BODY, ApiError(413, "too_large")
        rules = self._files.rules
        return rules.max_bytes + _FORM_BYTES, files.refused(too_large(rules))


async def _let_pass(receive: Receive) -> None:
    """Reads what somebody is still sending and keeps nothing: a browser listens only when it has sent it all."""
    passed, more = 0, True
    while more and passed < _LET_PASS:
        message = await receive()
        passed += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
