"""One contract for both engines: what the pipeline may rely on, whoever ranks the intents."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.core.zones import SHANGHAI
from bot.settings import ROOT, Settings
from bot.understanding import intent_kinds
from nlu.data import read
from nlu.pipeline import Pipeline
from nlu.rasa.breaker import Breaker
from nlu.rasa.client import RasaEngine, known_signs
from nlu.text import LONGEST, normalise
from nlu.types import Parse

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from typing import Any

    from nlu.pipeline import Engine
    from nlu.types import Ranked

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)
INTENTS = frozenset(intent_kinds(Settings().data_dir))


class Asked:
    """An engine with an event loop of its own, so that its connections outlive a test."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.pipeline = Pipeline(engine)
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def classify(self, text: str) -> tuple[Ranked, ...]:
        ranking: tuple[Ranked, ...] = self.run(self.engine.classify(normalise(text)))
        return ranking

    def parse(self, text: str) -> Parse:
        parse = self.run(self.pipeline.parse(text, NOW))
        assert isinstance(parse, Parse)
        return parse

    def close(self) -> None:
        self._runner.close()


@pytest.fixture(scope="session", params=["embedded", pytest.param("rasa", marks=pytest.mark.peer)])
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    if request.param == "embedded":
        one = Asked(request.getfixturevalue("pipeline")._engine)
        yield one
        one.close()
        return
    peer = request.getfixturevalue("peer")
    known = known_signs(example.text for example in read(ROOT / "data" / "nlu"))
    breaker = Breaker(failures=1000, pause=1, clock=time.monotonic)
    engine = RasaEngine(peer.rasa.url, known=known, token=peer.rasa.token, seconds=30, breaker=breaker)
    one = Asked(engine)
    yield one
    one.run(engine.close())
    one.close()


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("我想预约心理咨询", "book_counseling"),
        ("预约瑜伽室", "book_room"),
        ("绑定工号", "bind"),
        ("你好", "greet"),
        ("谢谢", "thanks"),
        ("再见", "goodbye"),
    ],
)
def test_the_plainest_words_are_understood(asked: Asked, text: str, intent: str) -> None:
    assert asked.parse(text).intent == intent


@pytest.mark.parametrize("text", ["下周三下午想约心理咨询", "今天天气怎么样", "好的可以", "a", "12", "心" * LONGEST])
def test_a_ranking_is_best_first_names_each_intent_once_and_only_ours(asked: Asked, text: str) -> None:
    ranking = asked.classify(text)
    names = [ranked.intent for ranked in ranking]
    assert len(set(names)) == len(names)
    assert set(names) <= INTENTS
    shares = [ranked.confidence for ranked in ranking[1:]]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= ranked.confidence <= 1 for ranked in ranking)


@pytest.mark.parametrize("text", ["龘靐齉", "㗊㗊㗊", "魑魅魍魉", "ßßß", "?!", ""])
def test_words_that_it_never_met_are_agreed_to_by_nobody(asked: Asked, text: str) -> None:
    assert asked.parse(text).intent == "out_of_scope"


@pytest.mark.parametrize("text", ["的的的", "今天天气怎么样", "股票明天会涨吗", "给我讲个笑话", "红烧肉要炖多久"])
def test_what_is_not_ours_is_never_a_yes(asked: Asked, text: str) -> None:
    assert asked.parse(text).intent not in ("affirm", "crisis")


@pytest.mark.parametrize("text", ["我不想活了", "活着没意思，想从楼上跳下去"])
def test_a_crisis_is_seen(asked: Asked, text: str) -> None:
    parse = asked.parse(text)
    assert (parse.intent, parse.crisis) == ("crisis", "despair")


def test_times_are_ours_whoever_ranks(asked: Asked) -> None:
    parse = asked.parse("下周三下午想约心理咨询")
    assert [mention.text for mention in parse.times] == ["下周三下午"]


def test_the_same_message_is_ranked_the_same(asked: Asked) -> None:
    first = asked.classify("我想预约心理咨询")
    assert all(asked.classify("我想预约心理咨询") == first for _ in range(3))


def test_many_at_once_are_answered_each_its_own(asked: Asked) -> None:
    texts = ["我想预约心理咨询", "你好", "谢谢", "绑定工号"] * 4

    async def together() -> list[tuple[Ranked, ...]]:
        return await asyncio.gather(*(asked.engine.classify(normalise(text)) for text in texts))

    apart = {text: asked.classify(text)[0].intent for text in set(texts)}
    assert [ranking[0].intent for ranking in asked.run(together())] == [apart[text] for text in texts]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_whatever_is_parsed(asked: Asked, text: str) -> None:
    parse = asked.parse(text)
    assert parse.text == text
    assert parse.intent in INTENTS
    assert len(parse.ranking) <= 5
