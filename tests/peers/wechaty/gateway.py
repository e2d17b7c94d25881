"""The gateway as the tests hold it: started, stopped, killed, and told what people do."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.peers.wechaty.installing import installed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HOST = "127.0.0.1"
TOKEN = "token-of-the-tests"
_STOP_SECONDS = 10.0


@dataclass(kw_only=True)
class Gateway:
    """The gateway on a port that stays the same however often it is started. What was sent is kept in `folder`."""

    folder: Path
    port: int
    certificate: Path | None = None
    key: Path | None = None
    _process: subprocess.Popen[str] | None = None
    _url: str = ""
    _people: list[dict[str, Any]] = field(default_factory=list)
    _rooms: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def open(cls, folder: Path, *, certificate: Path | None = None, key: Path | None = None) -> Iterator[Gateway]:
        """A running gateway until the block ends; with a certificate the line to it is encrypted."""
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        gateway = cls(folder=folder, port=port, certificate=certificate, key=key)
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.kill()

    # --- the process

    def start(self) -> None:
        """Starts it anew; people and groups are those of before. Raises RuntimeError."""
        assert self._process is None
        home = installed()
        tls = {"TLS_CERT": str(self.certificate), "TLS_KEY": str(self.key)} if self.certificate else {}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WECHATY")},
            "GRPC_PORT": str(self.port),
            "CONTROL_PORT": "0",
            "TOKEN": TOKEN,
            "JOURNAL": str(self.folder / "sent.jsonl"),
            "WECHATY_LOG": "silent",
            "NODE_NO_WARNINGS": "1",
            **tls,
        }
        with (self.folder / "gateway.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["node", "gateway.mjs"], cwd=home, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().split()
        if said[:1] != ["READY"]:
            raise RuntimeError(f"the gateway did not come up: {(self.folder / 'gateway.log').read_text()[-2_000:]}")
        self._url = f"http://{HOST}:{said[1]}"
        for path, things in (("people", self._people), ("rooms", self._rooms)):
            httpx.post(f"{self._url}/{path}", json=things, timeout=10).raise_for_status()

    def kill(self) -> None:
        """As the power goes; nothing where it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait(_STOP_SECONDS)
        assert process.stdout is not None
        process.stdout.close()

    def died(self) -> None:
        """Waits until it has ended by itself."""
        assert self._process is not None
        self._process.wait(_STOP_SECONDS)
        self.kill()

    def freeze(self) -> None:
        """Its ports stay open, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    # --- who is there

    def people(self, *names: str, **named: str) -> None:
        """Accounts, by id, and what they are called; an id is its own name unless another is given."""
        added = [{"id": name, "name": named.get(name, name)} for name in (*names, *named)]
        self._people += added
        httpx.post(f"{self._url}/people", json=added, timeout=10).raise_for_status()

    def room(self, key: str, title: str, members: Sequence[str]) -> None:
        """A group that the account is in."""
        room = {"id": key, "title": title, "members": ["bot", *members]}
        self._rooms.append(room)
        httpx.post(f"{self._url}/rooms", json=[room], timeout=10).raise_for_status()

    # --- what they do

    async def say(self, who: str, text: str = "", **more: Any) -> str:
        """Somebody writes: `room`, `mentions`, `times` (delivered so often), `type`, `id`; returns the message's id."""
        return str((await self.tell("message", {"from": who, "text": text, **more}))["id"])

    async def send(self, who: str, name: str, content: bytes, *, kind: str = "Attachment", **more: Any) -> str:
        """Somebody sends a file."""
        file = {"name": name, "base64": base64.b64encode(content).decode()}
        return await self.say(who, type=kind, file=file, **more)

    async def tell(self, path: str, body: Any = None) -> Any:
        """Anything else that the remote control knows."""
        return await self._call("POST", path, json={} if body is None else body)

    # --- what was done there

    async def look(self, path: str) -> Any:
        """What the remote control shows: state, done."""
        return await self._call("GET", path)

    async def sent(self, conversation: str = "") -> list[dict[str, Any]]:
        """Everything that was sent, or in one conversation, by this process and those before it."""
        found: list[dict[str, Any]] = await self.look("sent")
        return [each for each in found if not conversation or each["conversation"] == conversation]

    async def _call(self, method: str, path: str, **what: Any) -> Any:
        # A client of its own each time: tests run on loops of their own.
        async with httpx.AsyncClient(timeout=30, trust_env=False, verify=False) as client:
            answer = await client.request(method, f"{self._url}/{path}", **what)
        assert answer.status_code == 200, answer.text
        return answer.json()
