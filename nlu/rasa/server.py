"""A Rasa server: how it is started, so that it reports to nobody and is open to nobody but those who hold its token."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx

from nlu.rasa.environment import python_of, rasa_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS: Final = 240.0  # TensorFlow takes its time, more so where others compute beside it
_STOP_SECONDS: Final = 20.0

# Arguments of a process are for everybody on the machine to read, its variables for its owner.
_LAUNCH: Final = (
    "import os, sys; sys.argv[0] = 'rasa'; token = os.environ.pop('RASA_SERVER_TOKEN', '');"
    " sys.argv += ['--auth-token', token] if token else [];"
    " from rasa.__main__ import main; main()"
)


class RasaServerError(RuntimeError):
    """The server did not come up; the message holds the end of what it wrote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """How a server is started.

    Attributes:
        venv: Rasa's environment.
        model: the artefact (.tar.gz).
        host: the interface it listens on; Rasa's own default is all of them.
        port: its port.
        token: asked for by its HTTP interface; empty for none.
        project: a folder with endpoints.yml and credentials.yml, where Rasa's own dialogue is open too; else None.
        action_key: put into endpoints.yml as ${RASA_ACTION_KEY}.

    """

    venv: Path
    model: Path
    host: str = "127.0.0.1"
    port: int = 5005
    token: str = ""
    project: Path | None = None
    action_key: str = ""

    @property
    def command(self) -> list[str]:
        """Its arguments."""
        own = ["run", "--enable-api", "--model", str(self.model), "--interface", self.host, "--port", str(self.port)]
        if self.project is not None:
            own += ["--endpoints", str(self.project / "endpoints.yml")]
            own += ["--credentials", str(self.project / "credentials.yml")]
        # --quiet: at lower levels it logs what members write.
        return [str(python_of(self.venv)), "-c", _LAUNCH, *own, "--quiet"]

    @property
    def environment(self) -> dict[str, str]:
        """Its variables."""
        keys = {"RASA_SERVER_TOKEN": self.token, "RASA_ACTION_KEY": self.action_key}
        return rasa_environment(**{name: value for name, value in keys.items() if value})


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A server that answers."""

    url: str
    token: str
    pid: int
    seconds: float


@contextlib.contextmanager
def serving(launch: Launch, *, folder: Path, seconds: float = START_SECONDS) -> Iterator[Running]:
    """A server on a free port of the loopback until the block ends; it works and logs in `folder`.

    Raises:
        RasaServerError: it ended, or did not answer in time.

    """
    log, began = folder / "rasa.log", time.monotonic()
    free = Launch(
        venv=launch.venv,
        model=launch.model.resolve(),
        port=_free_port(),
        token=launch.token,
        project=launch.project.resolve() if launch.project else None,
        action_key=launch.action_key,
    )
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and arguments
            free.command,
            cwd=folder,
            env=free.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://{free.host}:{free.port}"
    try:
        _wait(process, url, launch.token, began + seconds, log)
        yield Running(url=url, token=launch.token, pid=process.pid, seconds=time.monotonic() - began)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, token: str, deadline: float, log: Path) -> None:
    """Until it has loaded its model: before that it answers, and parses nothing."""
    with httpx.Client(base_url=url, timeout=5, trust_env=False) as client:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                status = client.get("/status", params={"token": token})
                if status.status_code == httpx.codes.OK and status.json().get("model_file"):
                    return
            time.sleep(0.2)
    written = log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise RasaServerError(f"Rasa did not come up (exit {process.poll()}):\n{written}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def token_in(folder: Path) -> str:
    """The token that server and assistant share where none is set: made once, for its owner alone to read.

    Raises:
        OSError: it cannot be written or read.

    """
    path = folder / "token"
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii")
