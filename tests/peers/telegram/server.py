"""The server: requests, updates, the webhook, and what people do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.peers.telegram.methods import METHODS, RefusedError, bad, new_key, parsed
from tests.peers.telegram.people import Chats, Group, Person, Shown, entities_of, units

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
USERNAME = "niangjiaren_bot"
_BOT_ID = 110201543


@dataclass(kw_only=True)
class Flood:
    """The next so many calls of a method are told to wait."""

    method: str
    times: int
    seconds: int


class BotApi:
    """One bot's platform. `privacy` is the group privacy mode, on by default as it is there."""

    def __init__(self, *, privacy: bool = True, now: Callable[[], float] = time.time) -> None:
        self.privacy = privacy
        self.me = {"id": _BOT_ID, "is_bot": True, "first_name": "娘家人", "username": USERNAME}
        self.chats = Chats()
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.commands: dict[str, str] = {}
        self.clicks: dict[str, str | None] = {}
        self.files: dict[str, bytes] = {}
        self.paths: dict[str, str] = {}
        self.waiting: deque[dict[str, Any]] = deque()
        self.hook = ""
        self.calls: list[str] = []
        self.floods: list[Flood] = []
        #: Answers that are given instead of the right ones: (status, body), to any call of a method.
        self.nonsense: dict[str, tuple[int, bytes]] = {}
        self.revoked = False
        self._now = now
        self._secret = ""
        self._allowed: list[str] | None = None
        self._last_update = 100
        self._changed = asyncio.Condition()
        self._poller: object = None
        self._pushing: asyncio.Task[None] | None = None
        self.url = ""

    # --- the server

    async def __aenter__(self) -> Self:
        routes = [
            Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._file, methods=["GET"]),
        ]
        listening = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off"))
        # Who connects before it is up waits in the socket's queue.
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hook_to("", "")
        # Whoever polls is let go, as when the platform restarts.
        self._poller = object()
        async with self._changed:
            self._changed.notify_all()
        self._server.should_exit = True
        self._server.force_exit = True
        await self._serving

    def now(self) -> int:
        """Dates of the Bot API are seconds."""
        return int(self._now())

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"].lower()
        self.calls.append(method)
        if method in self.nonsense:
            status, body = self.nonsense[method]
            return Response(body, status_code=status)
        try:
            self._refuse(request.path_params["token"], method)
            # Files are closed with the request.
            result = await METHODS[method](self, parsed(await _given(request)))
        except RefusedError as error:
            told: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
            if error.parameters:
                told["parameters"] = error.parameters
            return JSONResponse(told, status_code=error.code)
        finally:
            await request.close()
        return JSONResponse({"ok": True, "result": result})

    def _refuse(self, token: str, method: str) -> None:
        if token != TOKEN or self.revoked:
            raise RefusedError(401, "Unauthorized")
        if method not in METHODS:
            raise RefusedError(404, "Not Found: method not found")
        for flood in self.floods:
            if flood.method == method and flood.times > 0:
                flood.times -= 1
                text = f"Too Many Requests: retry after {flood.seconds}"
                raise RefusedError(429, text, retry_after=flood.seconds)

    async def _file(self, request: Request) -> Response:
        path = request.path_params["path"]
        if request.path_params["token"] != TOKEN or path not in self.files:
            return JSONResponse({"ok": False, "error_code": 404, "description": "Not Found"}, status_code=404)
        return Response(self.files[path], media_type="application/octet-stream")

    # --- updates

    def allow(self, given: dict[str, Any]) -> None:
        """`allowed_updates` stays as it was set last where a call does not give it."""
        if given.get("allowed_updates") is not None:
            self._allowed = list(given["allowed_updates"])

    async def poll(self, offset: int, limit: int, seconds: float) -> list[dict[str, Any]]:
        """https://core.telegram.org/bots/api#getupdates: an offset confirms all that is before it."""
        token = self._poller = object()
        async with self._changed:
            self._confirm(offset)
            # An earlier request is ended by a later one.
            self._changed.notify_all()

            def ready() -> bool:
                return bool(self.waiting) or self._poller is not token

            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(ready), timeout=seconds or 0.001)
        if self._poller is not token:
            raise RefusedError(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        return list(self.waiting)[: min(max(limit, 1), 100)]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            while len(self.waiting) > -offset:
                self.waiting.popleft()
            return
        while self.waiting and self.waiting[0]["update_id"] < offset:
            self.waiting.popleft()

    def hook_to(self, url: str, secret: str) -> None:
        """Updates are pushed there from now on; nowhere for an empty address."""
        self.hook, self._secret = url, secret
        if self._pushing is not None:
            self._pushing.cancel()
            self._pushing = None
        if url:
            self._pushing = asyncio.create_task(self._push())

    async def _push(self) -> None:
        """What is not answered by 2xx is pushed again, after a while; nothing overtakes it."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": self._secret} if self._secret else {}
        async with httpx.AsyncClient() as client:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: bool(self.waiting))
                    update = self.waiting[0]
                try:
                    answer = await client.post(self.hook, json=update, headers=headers, timeout=20)
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                    continue
                if not answer.is_success:
                    await asyncio.sleep(0.05)
                    continue
                async with self._changed:
                    self._confirm(update["update_id"] + 1)
                    self._changed.notify_all()

    async def _put(self, kind: str, value: dict[str, Any]) -> int:
        if self._allowed and kind not in self._allowed:
            return 0
        self._last_update += 1
        async with self._changed:
            self.waiting.append({"update_id": self._last_update, kind: value})
            self._changed.notify_all()
        return self._last_update

    async def repeat(self, update: dict[str, Any]) -> None:
        """The platform delivers an update once more."""
        async with self._changed:
            self.waiting.append(update)
            self._changed.notify_all()

    async def taken(self) -> None:
        """Waits until every update has been confirmed."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.waiting)

    # --- what people do

    def person(self, name: str, *, id: int = 0) -> Person:  # noqa: A002 - as the platform calls it
        number = id or 5_000_000_000 + len(self.people) + 1
        return self.people.setdefault(number, Person(id=number, name=name))

    def group(self, title: str) -> Group:
        group = Group(id=-(len(self.groups) + 4_000_000_001), title=title)
        self.groups[group.id] = group
        return group

    async def says(self, person: Person, text: str, *, group: Group | None = None, **fields: Any) -> int:
        """Writes a message; returns the update's id, 0 where the privacy mode keeps it from the bot."""
        return await self.sends(person, group=group, text=text, entities=entities_of(text), **fields)

    async def sends(self, person: Person, *, group: Group | None = None, **fields: Any) -> int:
        """Sends a message of any kind."""
        if group is None:
            person.started, person.blocked = True, False
        raw = self._message(person, group, {key: value for key, value in fields.items() if value not in (None, [])})
        self.show(Shown(raw=raw))
        if group is not None and self.privacy and not self._for_bot(raw):
            return 0
        return await self._put("message", raw)

    def _message(self, person: Person, group: Group | None, fields: dict[str, Any]) -> dict[str, Any]:
        chat = person.chat if group is None else group.chat
        number = self.chats.next_id()
        return {"message_id": number, "date": self.now(), "chat": chat, "from": person.user, **fields}

    def _for_bot(self, raw: dict[str, Any]) -> bool:
        """https://core.telegram.org/bots/features#privacy-mode"""
        if (raw.get("reply_to_message") or {}).get("from", {}).get("id") == _BOT_ID:
            return True
        if "new_chat_members" in raw or "migrate_to_chat_id" in raw:
            return True
        text = raw.get("text") or raw.get("caption") or ""
        return f"@{USERNAME}" in text

    async def edits(self, person: Person, shown: Shown, text: str) -> int:
        shown.raw.update({"text": text, "entities": entities_of(text), "edit_date": self.now()})
        return await self._put("edited_message", shown.raw)

    async def presses(self, person: Person, label: str, *, group: Group | None = None) -> int:
        """Clicks the button of that label under the last message that has one. Raises LookupError."""
        chat_id = person.id if group is None else group.id
        for shown in reversed(self.chats.messages.get(chat_id, [])):
            for button in shown.buttons:
                if button["text"] == label and not shown.gone:
                    return await self._clicked(person, shown.raw, button["callback_data"])
        raise LookupError(label)

    async def _clicked(self, person: Person, message: dict[str, Any], data: str) -> int:
        key = new_key()
        self.clicks[key] = None
        query = {"id": key, "from": person.user, "chat_instance": "1", "message": message, "data": data}
        return await self._put("callback_query", query)

    async def blocks(self, person: Person) -> int:
        person.blocked = True
        member = {"user": self.me, "status": "member"}
        kicked = {"user": self.me, "status": "kicked", "until_date": 0}
        change = {"chat": person.chat, "from": person.user, "date": self.now()}
        return await self._put("my_chat_member", {**change, "old_chat_member": member, "new_chat_member": kicked})

    async def migrates(self, group: Group, *, telling: bool = True) -> Group:
        """The group becomes a supergroup, with another id."""
        new = Group(id=-1_000_000_000_000 + group.id, title=group.title)
        self.groups[new.id], group.migrated = new, new.id
        if telling:
            raw = {"message_id": self.chats.next_id(), "date": self.now(), "chat": group.chat, "from": self.me}
            await self._put("message", {**raw, "migrate_to_chat_id": new.id})
        return new

    def uploaded(self, content: bytes, path: str = "documents/file_{}") -> str:
        """The id of a file that somebody sends."""
        return self.keep(content, path)

    # --- what stands where

    def keep(self, content: bytes, path: str) -> str:
        key = new_key()
        place = path.format(len(self.files))
        self.files[place], self.paths[key] = content, place
        return key

    def show(self, shown: Shown) -> None:
        self.chats.add(shown)

    def read(self, where: Person | Group) -> list[Shown]:
        """What the bot has said there and has not taken back."""
        return [each for each in self.chats.messages.get(where.id, []) if each.from_bot and not each.gone]

    def chat_for_sending(self, given: dict[str, Any]) -> dict[str, Any]:
        """The chat that the bot writes to. Refuses as the platform does."""
        try:
            number = int(given.get("chat_id", ""))
        except ValueError as error:
            raise bad("chat not found") from error
        if number in self.groups:
            return _open_group(self.groups[number])
        person = self.people.get(number)
        if person is None:
            raise bad("chat not found")
        if person.blocked:
            raise RefusedError(403, "Forbidden: bot was blocked by the user")
        if not person.started:
            raise RefusedError(403, "Forbidden: bot can't initiate conversation with a user")
        return person.chat


def _open_group(group: Group) -> dict[str, Any]:
    if group.migrated is not None:
        raise bad("group chat was upgraded to a supergroup chat", migrate_to_chat_id=group.migrated)
    if group.kicked:
        raise RefusedError(403, "Forbidden: bot was kicked from the group chat")
    return group.chat


async def _given(request: Request) -> dict[str, Any]:
    """https://core.telegram.org/bots/api#making-requests: the address, a form, JSON or multipart."""
    given: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        given.update(await request.json())
    elif kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        given.update((await request.form()).items())
    return given


__all__ = ["TOKEN", "USERNAME", "BotApi", "Flood", "units"]
