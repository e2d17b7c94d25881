"""What Prometheus reads. A registry of its own: nothing is counted by an import."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from prometheus_client import Metric

    from bot.llm import LanguageModel
    from bot.messages import Channel, Inbound, Outbound
    from bot.supervisor import Supervisor
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

    def watch_channels(self, channels: Sequence[Channel], supervisor: Supervisor) -> None:
        """Tells of channels, and of the roles that are kept running, from now on."""
        self.registry.register(_Channels(channels, supervisor))

    def watch_llm(self, model: LanguageModel) -> None:
        """Tells of the language model from now on."""
        self.registry.register(_Llm(model))

    def http_error(self, status: int) -> None:
        """Counts an HTTP answer from 400 on."""
        self._errors.labels(str(status)).inc()

    def text(self) -> bytes:
        """Everything in the registry, in Prometheus' text format."""
        return generate_latest(self.registry)


class _Llm(Collector):
    """Reads what the language model was asked, and what came of it."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def collect(self) -> Iterator[Metric]:
        """Wishes by purpose and outcome (most never leave the house), and tokens by direction."""
        asked = CounterMetricFamily(
            "njr_llm", "Wishes to the language model, by how they ended", labels=["purpose", "outcome"]
        )
        for (purpose, outcome), count in sorted(self._model.outcomes.items()):
            asked.add_metric([purpose, outcome], count)
        yield asked
        tokens = CounterMetricFamily("njr_llm_tokens", "Tokens sent and received", labels=["direction"])
        for direction in ("in", "out"):
            tokens.add_metric([direction], self._model.tokens[direction])
        yield tokens


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


class _Channels(Collector):
    """Reads how channels and roles are."""

    def __init__(self, channels: Sequence[Channel], supervisor: Supervisor) -> None:
        self._channels = channels
        self._supervisor = supervisor

    def collect(self) -> Iterator[Metric]:
        """Whether channels take messages in, what came there and was not read, and how often roles ended."""
        up = GaugeMetricFamily("njr_channel_up", "1 while messages are taken in", labels=["channel"])
        unread = CounterMetricFamily("njr_channel_unread", "What came and was not read", labels=["channel", "kind"])
        for channel in self._channels:
            health = channel.health()
            up.add_metric([channel.name], float(health.up))
            for kind, count in sorted(health.counts.items()):
                unread.add_metric([channel.name, kind], count)
        yield up
        yield unread
        running = GaugeMetricFamily("njr_role_up", "1 while a role runs", labels=["role"])
        ends = CounterMetricFamily("njr_role_ends", "How often a role ended and was started again", labels=["role"])
        for name, standing in self._supervisor.standing.items():
            running.add_metric([name], float(standing.running))
            ends.add_metric([name], standing.ends)
        yield running
        yield ends
