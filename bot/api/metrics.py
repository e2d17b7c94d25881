"""What Prometheus reads. A registry of its own: nothing is counted by an import."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from prometheus_client import Metric

    from bot.messages import Inbound, Outbound
    from nlu.rasa.client import Reserve

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

    def watch(self, reserve: Reserve) -> None:
        """Tells of Rasa and of what stands in for it from now on."""
        self.registry.register(_Reserve(reserve))

    def http_error(self, status: int) -> None:
        """Counts an HTTP answer from 400 on."""
        self._errors.labels(str(status)).inc()

    def text(self) -> bytes:
        """Everything in the registry, in Prometheus' text format."""
        return generate_latest(self.registry)


class _Reserve(Collector):
    """Reads what the engines have counted."""

    def __init__(self, reserve: Reserve) -> None:
        self._reserve = reserve

    def collect(self) -> Iterator[Metric]:
        """Messages by the engine that ranked them, failures of Rasa by reason, and whether Rasa is asked now."""
        counts = self._reserve.counts
        yield GaugeMetricFamily("njr_nlu_rasa_up", "1 while Rasa is asked", value=float(self._reserve.name == "rasa"))
        ranked = CounterMetricFamily("njr_nlu_messages", "Messages, by the engine that ranked them", labels=["engine"])
        for engine in ("rasa", "embedded"):
            ranked.add_metric([engine], counts.ranked[engine])
        yield ranked
        failures = CounterMetricFamily("njr_nlu_rasa_failures", "Messages that Rasa did not rank", labels=["reason"])
        for reason, count in sorted(counts.failures.items()):
            failures.add_metric([reason], count)
        yield failures
