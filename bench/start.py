"""From `bot serve` in an empty var/ to the first answered message: seconds and memory, with and without the model.

The second run keeps the model that the first one has trained, and nothing else; the last column compares them.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.peers.server import environment, start

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = "下周三下午想约心理咨询"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One start: seconds until /healthz answers and until the first message is answered; memory then, in MB."""

    ready: float
    answered: float
    memory: float


def run(say: Callable[[str], None]) -> None:
    """Starts twice, prints a table."""
    with tempfile.TemporaryDirectory(prefix="niangjiaren-bench-") as folder:
        var = Path(folder)
        trained = _start(var)
        for left in [*var.glob("niangjiaren.db*"), *var.glob("*.log"), *var.glob("*.key")]:
            left.unlink()
        cached = _start(var)
    say(f"{'':<26}{'empty var/':>12}{'model kept':>12}{'ratio':>8}")
    rows = (("ready, s", "ready"), ("first answer, s", "answered"), ("memory (RSS), MB", "memory"))
    for title, name in rows:
        one, other = getattr(trained, name), getattr(cached, name)
        say(f"{title:<26}{one:>12.1f}{other:>12.1f}{one / other:>8.2f}")


def _start(var: Path) -> Run:
    began = time.perf_counter()
    server = start(environment(var), log=var / "serve.log")
    try:
        ready = time.perf_counter() - began
        with httpx.Client(base_url=server.url, timeout=60) as page:
            page.post("/api/v1/session", json={}).raise_for_status()
            answer = page.post("/api/v1/chat", json={"message_id": "1", "text": MESSAGE})
        if not answer.json()["replies"]:
            raise RuntimeError("the message was not answered")
        answered = time.perf_counter() - began
        return Run(ready=ready, answered=answered, memory=memory(server.process.pid))
    finally:
        server.stop()


def memory(pid: int) -> float:
    """Resident memory of a process in MB, as Linux tells it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
