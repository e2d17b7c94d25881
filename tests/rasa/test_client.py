"""The client of Rasa: what it makes of answers, and what happens where there are none."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from actions.core.zones import SHANGHAI
from bot.api import Metrics, create_api
from bot.serving import _api_parts
from bot.settings import ROOT
from nlu.pipeline import Pipeline
from nlu.rasa.breaker import Breaker
from nlu.rasa.client import THRESHOLD, RasaEngine, RasaError, Reserve, known_share, known_signs, rescaled
from nlu.text import normalise
from nlu.types import Ranked
from tests.rasa.faulty import Faulty, faulty

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import World

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)
KNOWN = known_signs(["我想预约心理咨询", "好的可以", "今天天气怎么样", "瑜伽室 ok 12"])
TEXT = "我想预约咨询"


class Standing:
    """An embedded engine of one answer."""

    threshold = 0.4

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        return (Ranked(intent="book_counseling", confidence=0.9),)


class Tick:
    """Seconds that the test lets pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def engine(
    peer: Faulty, *, seconds: float = 5.0, failures: int = 100, clock: Tick | None = None
) -> AsyncIterator[RasaEngine]:
    breaker = Breaker(failures=failures, pause=10, clock=clock or Tick())
    made = RasaEngine(peer.url, known=KNOWN, token="t0k/en", seconds=seconds, breaker=breaker)
    yield made
    await made.close()


async def test_a_parse_becomes_a_ranking_and_the_token_goes_along() -> None:
    async with faulty() as peer, engine(peer) as rasa:
        peer.parse(("book_counseling", 0.8), ("book_room", 0.1))
        ranking = await rasa.classify(TEXT)
    assert [(r.intent, r.confidence) for r in ranking] == [("book_counseling", 0.8), ("book_room", 0.1)]
    assert peer.heard[0].startswith("POST /model/parse?token=t0k%2Fen ")
    assert json.loads(peer.heard[0].partition("HTTP/1.1")[2]) == {"text": TEXT}


async def test_not_sure_is_out_of_scope_and_stays_first() -> None:
    async with faulty() as peer, engine(peer) as rasa:
        peer.parse(("nlu_fallback", 0.3), ("book_room", 0.28), ("out_of_scope", 0.27))
        ranking = await rasa.classify(TEXT)
        parse = await Pipeline(rasa).parse(TEXT, NOW)
    assert [(r.intent, r.confidence) for r in ranking] == [("out_of_scope", 0.3), ("book_room", 0.28)]
    assert parse.intent == "out_of_scope"


async def test_what_was_nearly_meant_is_kept_to_be_asked_about() -> None:
    async with faulty() as peer, engine(peer) as rasa:
        peer.parse(("nlu_fallback", 0.2), ("book_room", 0.19), ("out_of_scope", 0.1))
        parse = await Pipeline(rasa).parse(TEXT, NOW)
    assert parse.intent == "out_of_scope"
    assert [(r.intent, r.confidence) for r in parse.ranking] == [("book_room", 0.19), ("out_of_scope", 0.1)]


def test_the_threshold_is_that_of_the_recipe() -> None:
    pipeline = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    assert [part["threshold"] for part in pipeline if part["name"] == "FallbackClassifier"] == [THRESHOLD]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_another_scale_keeps_the_order_and_what_is_sure_enough(one: float, two: float, low: float, to: float) -> None:
    moved = [each.confidence for each in rescaled(tuple(Ranked(intent="a", confidence=c) for c in (one, two)), low, to)]
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in moved)
    assert (one <= two) <= (moved[0] <= moved[1] + 1e-9)
    assert (one >= low) <= (moved[0] >= to - 1e-9)
    assert (one < low) <= (moved[0] < to + 1e-9)


@pytest.mark.parametrize("text", ["龘靐齉", "㗊㗊㗊", "qwz", "魑魅魍魉好", "?!", "", "ßßß"])
async def test_unseen_signs_are_not_sent_and_agree_to_nothing(text: str) -> None:
    async with faulty() as peer, engine(peer) as rasa:
        peer.parse(("affirm", 0.94))
        assert await rasa.classify(normalise(text)) == ()
        assert (await Pipeline(rasa).parse(text, NOW)).intent == "out_of_scope"
    assert peer.heard == []


@pytest.mark.parametrize("text", ["预约心理咨询", "今天天气怎么样", "12", "心理咨询怎么样"])
async def test_an_affirm_that_says_no_yes_agrees_to_nothing(text: str) -> None:
    async with faulty() as peer, engine(peer) as rasa:
        peer.parse(("affirm", 0.94), ("deny", 0.03))
        assert (await Pipeline(rasa).parse(text, NOW)).intent == "out_of_scope"
    assert len(peer.heard) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"intent": null, "intent_ranking": null}',
        b'{"intent": {"name": null, "confidence": 0.0}, "intent_ranking": []}',
        b'{"intent": {"name": "", "confidence": 0.0}, "intent_ranking": []}',
        b'{"intent_ranking": [{"name": "greet", "confidence": "high"}]}',
        b'{"intent_ranking": [{"name": "greet"}]}',
        b'{"intent_ranking": ["greet"]}',
        b'{"intent_ranking": {"greet": 1}}',
        b"\xff\xfe\x00",
        b"[" * 5000,
    ],
)
async def test_what_is_no_parse_is_a_failure_and_is_stood_in_for(body: bytes) -> None:
    async with faulty() as peer, engine(peer) as rasa:
        peer.answers = [body]
        with pytest.raises(RasaError):
            await rasa.classify(TEXT)
        parse = await Pipeline(Reserve(rasa, Standing())).parse(TEXT, NOW)
    assert parse.intent == "book_counseling"


@pytest.mark.parametrize("status", [204, 301, 401, 404, 409, 500, 503])
async def test_another_status_is_a_failure(status: int) -> None:
    async with faulty() as peer, engine(peer) as rasa:
        peer.parse(("greet", 0.9))
        peer.status = status
        with pytest.raises(RasaError, match=f"HTTP {status}"):
            await rasa.classify(TEXT)


async def test_a_server_that_hangs_or_cuts_the_line_or_is_not_there_is_a_failure() -> None:
    async with faulty() as peer, engine(peer, seconds=0.05) as rasa:
        peer.answers = [None]
        with pytest.raises(RasaError, match=r"no answer within 0\.05 s"):
            await rasa.classify(TEXT)
        peer.answers = [b""]
        with pytest.raises(RasaError):
            await rasa.classify(TEXT)
    async with engine(peer) as rasa:
        with pytest.raises(RasaError, match="ConnectError"):
            await rasa.classify(TEXT)


async def test_after_some_failures_it_is_left_alone_and_tried_again_later() -> None:
    clock = Tick()
    async with faulty() as peer, engine(peer, failures=3, clock=clock) as rasa:
        both = Reserve(rasa, Standing())
        peer.answers = [b"no json"]
        for _ in range(10):
            assert (await both.classify(TEXT))[0].intent == "book_counseling"
        assert (len(peer.heard), both.name) == (3, "embedded")
        clock.now = 9.9
        await both.classify(TEXT)
        assert len(peer.heard) == 3
        clock.now = 10.0
        await both.classify(TEXT)  # the one that is let through to see, and fails
        await both.classify(TEXT)
        assert (len(peer.heard), both.name) == (4, "embedded")
        clock.now = 20.1
        peer.parse(("greet", 0.9))
        assert (await both.classify(TEXT))[0].intent == "greet"
        assert (await both.classify(TEXT))[0].intent == "greet"
    assert both.name == "rasa"
    assert both.counts.ranked == {"rasa": 2, "embedded": 13}
    assert sum(both.counts.failures.values()) == 13


async def test_somebody_who_gives_up_waiting_counts_as_no_answer() -> None:
    async with faulty() as peer, engine(peer, failures=1) as rasa:
        peer.answers = [None]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rasa.classify(TEXT), 0.05)
        assert not rasa.breaker.closed


async def test_a_crisis_is_seen_whoever_ranks_and_whoever_is_away() -> None:
    async with faulty() as peer, engine(peer) as rasa:
        peer.parse(("greet", 0.99))
        assert (await Pipeline(rasa).parse("我不想活了", NOW)).crisis == "despair"
        peer.answers = [b""]
        assert (await Pipeline(rasa).parse("我不想活了", NOW)).crisis == "despair"


async def test_readiness_and_metrics_tell_who_answers(world: World) -> None:
    async with faulty() as peer, engine(peer, failures=1) as rasa:
        both, metrics = Reserve(rasa, Standing()), Metrics()
        metrics.watch(both)
        parts = replace(_api_parts(world.app, asyncio.Event(), None), reserve=both, metrics=metrics)
        transport = httpx.ASGITransport(create_api(parts))
        async with httpx.AsyncClient(transport=transport, base_url="http://union.test") as probe:
            peer.parse(("greet", 0.9))
            await both.classify(TEXT)
            answer = await probe.get("/readyz")
            assert (answer.status_code, answer.json()["nlu"]) == (200, {"engine": "rasa", "answering": "rasa"})
            peer.status = 500
            await both.classify(TEXT)
            answer = await probe.get("/readyz")
            assert (answer.status_code, answer.json()["nlu"]) == (200, {"engine": "rasa", "answering": "embedded"})
            lines = (await probe.get("/metrics")).text.splitlines()
    assert {
        "njr_nlu_rasa_up 0.0",
        'njr_nlu_messages_total{engine="rasa"} 1.0',
        'njr_nlu_messages_total{engine="embedded"} 1.0',
        'njr_nlu_rasa_failures_total{reason="HTTP 500"} 1.0',
    } <= set(lines)


@given(st.text(max_size=40))
def test_what_the_data_holds_is_known_and_what_it_lacks_is_not(text: str) -> None:
    plain = normalise(text)
    if any(sign.isalnum() for sign in plain):
        assert known_share(plain, known_signs([text])) == 1.0
    if any(sign.isalnum() and not sign.isdigit() for sign in plain):
        assert known_share(plain, frozenset()) == 0.0


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 5))
def test_a_breaker_opens_after_so_many_failures_in_a_row_and_never_else(answers: list[bool], limit: int) -> None:
    breaker, in_a_row = Breaker(failures=limit, pause=1, clock=Tick()), 0
    for answered in answers:
        (breaker.succeeded if answered else breaker.failed)()
        in_a_row = 0 if answered else in_a_row + 1
        assert breaker.closed == (in_a_row < limit)
        assert breaker.allows() == breaker.closed
