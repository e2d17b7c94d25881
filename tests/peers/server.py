"""The assistant as a child process of the tests: the real command line, the real HTTP interface, real signals.

store = sqlite_store(tmp_path)  # or postgres_store(tmp_path, cluster)
store.bot("demo", "members", "200")
with store.serving() as server:
    httpx.get(f"{server.url}/healthz")
    server.kill()  # as the power goes
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from actions.blocks.vault import AesVault, parse_keys
from bot.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.peers.postgres import Cluster

HOST = "127.0.0.1"
START_SECONDS = 180.0  # the first start of all trains the model
STOP_SECONDS = 20.0
COMMAND_SECONDS = 120.0
VAULT_KEY = "t1:" + "A" * 43 + "="


class ServerError(RuntimeError):
    """The server did not come up; the message holds what it wrote."""


def environment(var: Path, **settings: str) -> dict[str, str]:
    """The environment of a child: nothing of the developer's own settings, everything written under `var`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NJR_", "PYTHON"))}
    own = {"NJR_VAR_DIR": str(var), "NJR_SETTINGS": str(var / "no-settings.yml"), "NJR_LOG_LEVEL": "warning"}
    # Children start by the dozen: they share what is compiled.
    return {**kept, "PYTHONPYCACHEPREFIX": str(ROOT / "var" / "pycache"), **own, **settings}


def run_bot(
    *arguments: str, env: Mapping[str, str], stdin: bytes = b"", seconds: float = COMMAND_SECONDS
) -> subprocess.CompletedProcess[bytes]:
    """Runs one `bot …` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=ROOT,
        env=dict(env),
        input=stdin,
        capture_output=True,
        timeout=seconds,
        check=False,
    )


@dataclass(kw_only=True, slots=True)
class Server:
    """A running `bot serve`; `log` is the file of what it writes."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def written(self) -> str:
        """Everything that the server has printed and logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Asks it to end, in order; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """As the power goes."""
        self.process.kill()
        self.process.wait()

    def died(self) -> int:
        """Waits until it has ended by itself; returns the exit code, negative for a signal."""
        return self.process.wait(STOP_SECONDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A database with its var/ folder, and how the command line and the tests open it. `url` is empty for SQLite."""

    var: Path
    url: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of a child that works on this store."""
        database = {"NJR_DATABASE__URL": self.url} if self.url else {}
        return environment(self.var, NJR_VAULT__KEYS=VAULT_KEY, **database, **self.settings)

    def bot(self, *arguments: str, stdin: bytes = b"") -> str:
        """What one `bot …` prints. Raises ServerError where it fails."""
        done = run_bot(*arguments, env=self.env, stdin=stdin)
        if done.returncode:
            raise ServerError(f"bot {' '.join(arguments)}: exit {done.returncode}\n{done.stderr.decode()}")
        return done.stdout.decode()

    def do(self, command: str, staff_id: str, **arguments: Any) -> dict[str, Any]:
        """Runs a command as a member."""
        said: dict[str, Any] = json.loads(self.bot("do", command, "--as", staff_id, "--json", json.dumps(arguments)))
        return said

    def prepare(self) -> None:
        """The newest schema, and the demo world."""
        with self.serving():
            pass

    @contextlib.contextmanager
    def serving(self, **settings: str) -> Iterator[Server]:
        """`bot serve --demo` until the block ends, which stops it; one that has died is left at that."""
        server = start({**self.env, **settings}, "--demo", log=self.var / "serve.log")
        try:
            yield server
        finally:
            server.stop()

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """The database as it is, read beside the server."""
        url = self.url or f"sqlite:///{self.var / 'niangjiaren.db'}"
        engine = create_engine(url, poolclass=NullPool)
        try:
            with Session(engine) as session:
                yield session
        finally:
            engine.dispose()

    @property
    def vault(self) -> AesVault:
        """Opens what is sealed."""
        return AesVault(parse_keys(VAULT_KEY))


def sqlite_store(folder: Path) -> Store:
    """A store on SQLite in a new var/."""
    return Store(var=new_var(folder))


def postgres_store(folder: Path, cluster: Cluster) -> Store:
    """A store on a new database of the tests' PostgreSQL."""
    return Store(var=new_var(folder), url=cluster.create_database())


def new_var(folder: Path) -> Path:
    """A new var/ that shares the checkout's trained models: none is trained twice."""
    var, models = folder / "var", ROOT / "var" / "models"
    var.mkdir()
    models.mkdir(parents=True, exist_ok=True)
    (var / "models").symlink_to(models)
    return var


def start(env: Mapping[str, str], *arguments: str, log: Path, at: int = 0) -> Server:
    """Starts `bot serve` on the port `at`, or a free one; another program may take that first: a few attempts.

    Raises:
        ServerError: it did not come up.
    """
    for _ in range(3):
        port = at or _free_port()
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve", *arguments],
                cwd=ROOT,
                env={**env, "NJR_HTTP__PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the server in order
            )
        server = Server(process=process, url=f"http://{HOST}:{port}", log=log)
        try:
            if _answers(server):
                return server
        except BaseException:
            server.kill()
            raise
        server.kill()
    raise ServerError(f"bot serve did not come up:\n{server.written[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(server: Server) -> bool:
    """Waits until it answers; false if it ended, or did not within `START_SECONDS`."""
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200:
                return True
        except httpx.TransportError:
            time.sleep(0.05)
    return False
