"""A real PostgreSQL server that tests start for themselves and throw away.

    with cluster() as server:
        url = server.create_database()  # postgresql+psycopg://… of a new, empty database

The server listens on loopback alone, wants a password, and gives up durability for speed: what it keeps does
not outlive the tests. It needs Debian's `postgresql` package, or `initdb` and `postgres` on PATH.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
OWNER = "niangjiaren"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
MAX_CONNECTIONS = 200

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": str(MAX_CONNECTIONS),
    "timezone": "UTC",  # the host's zone must not decide a test
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class PeerError(RuntimeError):
    """PostgreSQL is not installed, or did not come up; the message says which, and holds the server's log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """A running server.

    `pid` is the process id of the server, `directory` is where everything it writes lies.
    """

    port: int
    password: str = field(repr=False)
    pid: int
    directory: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def create_database(self) -> str:
        """Create an empty database that no other call returns.

        Returns:
            its SQLAlchemy URL, with the driver psycopg.
        """
        name = f"test_{next(self._numbers)}"
        with connect(self.port, self.password) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://{OWNER}:{self.password}@{HOST}:{self.port}/{name}"


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a new server for as long as the block lasts; it is stopped and deleted however the block ends.

    Raises:
        PeerError: PostgreSQL is not installed, or the server did not come up.
    """
    programs = find_programs()
    directory = Path(tempfile.mkdtemp(prefix="niangjiaren-postgres-"))
    try:
        password = secrets.token_hex(16)
        _initialise(programs, directory, password)
        process, port = _start(programs, directory, password)
        try:
            yield Cluster(port=port, password=password, pid=process.pid, directory=directory)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(directory)


def find_programs(root: Path = Path("/usr/lib/postgresql")) -> Path:
    """The folder of `initdb` and `postgres`: Debian's newest, which is not on PATH, else the one on PATH.

    Raises:
        PeerError: there is none.
    """
    versions = sorted(root.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise PeerError("PostgreSQL is not installed; on Debian: apt-get install postgresql")


def connect(port: int, password: str, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to the server on `port`, each statement its own transaction."""
    return psycopg.connect(
        host=HOST,
        port=port,
        user=OWNER,
        password=password,
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    )


def _unprivileged() -> dict[str, Any]:
    """What makes `subprocess` start a program as another than root, whom PostgreSQL does not run for."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _initialise(programs: Path, directory: Path, password: str) -> None:
    secret = directory / "password"
    secret.write_text(password, encoding="ascii")
    secret.chmod(0o600)
    who = _unprivileged()
    if who:
        for path in (directory, secret):
            os.chown(path, who["user"], who["group"])
    options = [f"--pgdata={directory / 'data'}", f"--username={OWNER}", f"--pwfile={secret}"]
    options += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(
        [programs / "initdb", *options],
        **who,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    secret.unlink()
    if done.returncode:
        raise PeerError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _start(programs: Path, directory: Path, password: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server on a free port; another program may take it first, so there are a few attempts."""
    log = directory / "log"
    for _ in range(3):
        port = _free_port()
        options = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(port)}.items()]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [programs / "postgres", "-D", directory / "data", *options],
                **_unprivileged(),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the server in order
            )
        try:
            if _answers(process, port, password):
                return process, port
        except BaseException:
            _stop(process)
            raise
        _stop(process)
    raise PeerError(f"PostgreSQL did not come up:\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int, password: str) -> bool:
    """Wait until the server lets us in; false if it ended, or did not within `START_SECONDS`."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            connect(port, password).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Shut down at once: transactions are rolled back, clients are sent away. Kill if that takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
