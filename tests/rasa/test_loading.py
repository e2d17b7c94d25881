"""The life of a Rasa model: it changes while people write, a worse one is refused, and the old one comes back."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from actions.core.errors import ConfigurationError
from bot.rasa.loading import choose, load, running
from bot.settings import ROOT
from bot.trained import Trained, evaluation_hash, known_models, refuse_worse
from nlu.data import read
from nlu.rasa.breaker import Breaker
from nlu.rasa.client import RasaEngine, Reserve, known_signs
from nlu.types import Ranked
from tests.rasa.conftest import bot_rasa

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rasa.conftest import Peer

OLD = Trained(name="rasa-old", data="d", project="p", examples=1, seconds=1.0, trained_at="2026", accuracy=0.8)


@pytest.mark.parametrize("accuracy", [0.8, 0.9, None])
def test_one_that_is_as_good_is_taken(accuracy: float | None) -> None:
    refuse_worse(replace(OLD, name="rasa-new", accuracy=accuracy), OLD)
    refuse_worse(replace(OLD, accuracy=0.1), None)


def test_one_that_is_worse_is_refused_with_both_figures() -> None:
    with pytest.raises(ConfigurationError, match=r"rasa-old: accuracy 0\.8000.*rasa-new: accuracy 0\.7999.*--force"):
        refuse_worse(replace(OLD, name="rasa-new", accuracy=0.7999), OLD)


def test_one_that_misses_a_call_for_help_is_refused_however_right_it_is_else() -> None:
    with pytest.raises(ConfigurationError, match=r"crisis 0\.9900.*crisis 0\.9800"):
        refuse_worse(replace(OLD, accuracy=0.99, crisis=0.98), replace(OLD, crisis=0.99))


def test_only_models_that_were_trained_here_are_chosen(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no model of `bot rasa train`"):
        choose(tmp_path, None)
    OLD.keep(tmp_path)
    OLD.path(tmp_path).touch()
    assert choose(tmp_path, None) == OLD
    stray = tmp_path / "stray.tar.gz"
    stray.touch()
    with pytest.raises(ConfigurationError, match="stray"):
        choose(tmp_path, stray)


def test_where_no_rasa_is_it_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"nlu\.rasa\.url"):
        running("http://127.0.0.1:9", "token")


class Standing:
    threshold = 0.4

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        return (Ranked(intent="greet", confidence=0.9),)


@pytest.mark.peer
async def test_a_model_changes_while_people_write_and_nobody_waits_in_vain(peer: Peer) -> None:
    known = known_signs(example.text for example in read(ROOT / "data" / "nlu"))
    breaker = Breaker(failures=3, pause=0.1, clock=time.monotonic)
    rasa = RasaEngine(peer.rasa.url, known=known, token=peer.rasa.token, seconds=1.0, breaker=breaker)
    both = Reserve(rasa, Standing())
    loading = asyncio.create_task(asyncio.to_thread(load, peer.rasa.url, peer.rasa.token, peer.model))
    answered = []
    while not loading.done():
        answered.append((await both.classify("你好"))[0].intent)
        await asyncio.sleep(0.02)
    await loading
    assert set(answered) == {"greet"}
    assert (await rasa.classify("我想预约心理咨询"))[0].intent == "book_counseling"
    await both.close()


@pytest.mark.peer
def test_a_worse_one_is_refused_unless_forced_and_the_old_one_comes_back(peer: Peer, tmp_path: Path) -> None:
    models = tmp_path / "rasa" / "models"
    models.mkdir(parents=True)
    good = replace(
        known_models(peer.model.parent)[0],
        accuracy=0.9,
        crisis=0.9,
        evaluation=evaluation_hash(ROOT / "data" / "evaluation"),
    )
    bad = replace(good, name="rasa-worse", accuracy=0.5, trained_at="2999-01-01T00:00:00Z")
    for model in (good, bad):
        model.keep(models)
        shutil.copy(peer.model, model.path(models))
    load(peer.rasa.url, peer.rasa.token, good.path(models))
    where = {"NJR_NLU__RASA__URL": peer.rasa.url, "NJR_NLU__RASA__TOKEN": peer.rasa.token}
    with pytest.raises(AssertionError, match=r"rasa-worse: accuracy 0\.5000"):
        bot_rasa("load", var=tmp_path, seconds=300, **where)
    assert running(peer.rasa.url, peer.rasa.token) == good.name
    bot_rasa("load", "--force", var=tmp_path, seconds=300, **where)
    assert running(peer.rasa.url, peer.rasa.token) == "rasa-worse"
    bot_rasa("load", "--model", str(good.path(models)), var=tmp_path, seconds=300, **where)
    assert running(peer.rasa.url, peer.rasa.token) == good.name
