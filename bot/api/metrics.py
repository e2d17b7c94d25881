"""What Prometheus reads. A registry of its own: nothing is counted by an import."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.messages import Inbound, Outbound

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Turns by channel and outcome, their seconds, HTTP errors by status, and pages that are listening."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """`registry` is where other parts register theirs; without it there is a new one."""
        self.registry = registry or CollectorRegistry()
        self._turns = Counter("njr_turns", "Turns, by how they ended", ["channel", "outcome"], registry=self.registry)
        self._seconds = Histogram(
            "njr_turn_seconds", "Seconds that a turn took", ["channel"], buckets=_SECONDS, registry=self.registry
        )
        self._errors = Counter("njr_http_errors", "HTTP answers from 400 on", ["status"], registry=self.registry)
        self.streams = Gauge("njr_event_streams", "Pages that listen for pushed messages", registry=self.registry)

    async def turn(
        self, receive: Callable[[Inbound], Awaitable[tuple[Outbound, ...]]], inbound: Inbound
    ) -> tuple[Outbound, ...]:
        """One turn, counted and timed: answered, silent (nothing to say) or failed."""
        started, outcome = time.perf_counter(), "failed"
        try:
            replies = await receive(inbound)
            outcome = "answered" if replies else "silent"
        finally:
            self._turns.labels(inbound.address.channel, outcome).inc()
            self._seconds.labels(inbound.address.channel).observe(time.perf_counter() - started)
        return replies

    def http_error(self, status: int) -> None:
        """Counts an HTTP answer from 400 on."""
        self._errors.labels(str(status)).inc()

    def text(self) -> bytes:
        """Everything in the registry, in Prometheus' text format."""
        return generate_latest(self.registry)
