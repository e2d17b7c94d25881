"""Both engines side by side on data/evaluation, what each understands and what it costs: `nlu --peer rasa`.

They stand in the same pipeline and learn from the same data/nlu. Rasa is trained where data or recipe have changed
since it was (`bot rasa train` does the same), and served on the loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.start import memory
from bot.rasa.commands import prepared
from bot.settings import ROOT, load_settings
from nlu.artefact import ensure_model
from nlu.data import read
from nlu.evaluation import auroc, judge, report
from nlu.pipeline import Embedded, Pipeline
from nlu.rasa.breaker import Breaker
from nlu.rasa.client import RasaEngine, known_signs
from nlu.rasa.server import Launch, serving
from nlu.training import train
from tests.peers.server import environment, new_var

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.settings import Settings
    from nlu.data import Example
    from nlu.evaluation import Judged

CLIENTS = 8
_AT_ONCE = 1500  # messages of the throughput
_EVALUATION = ROOT / "data" / "evaluation"


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """An engine that is up: its pipeline, and what it cost to get there (seconds, MB)."""

    name: str
    pipeline: Pipeline
    trained: float
    started: float
    memory: Callable[[], float]


def run(say: Callable[[str], None]) -> None:
    """Measures one after the other, prints a table with a column for each."""
    settings = load_settings()
    columns = []
    for engine in (embedded, rasa):
        with engine(settings) as up:
            columns.append((up.name, asyncio.run(measured(up))))
    say(f"{'':<38}" + "".join(f"{name:>12}" for name, _ in columns))
    for title in columns[0][1]:
        say(f"{title:<38}" + "".join(f"{figures[title]:>12}" for _, figures in columns))


# --- the engines


@contextlib.contextmanager
def embedded(settings: Settings) -> Iterator[Engine]:
    """The embedded engine: learned once more for its time, and started in a process of its own for its memory."""
    data = settings.data_dir / "nlu"
    examples = read(data)
    model = ensure_model(data, settings.var_dir / "models")
    began = time.perf_counter()
    train(examples)
    trained = time.perf_counter() - began
    started, used = _alone()
    pipeline = Pipeline(Embedded(model))
    yield Engine(name="embedded", pipeline=pipeline, trained=trained, started=started, memory=lambda: used)


def _alone() -> tuple[float, float]:
    """Seconds to the first parse and memory (MB) of `bot parse`: the whole pipeline, names and times included."""
    with tempfile.TemporaryDirectory(prefix="niangjiaren-bench-") as folder:
        began = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "bot", "parse"],
            cwd=ROOT,
            env=environment(new_var(Path(folder))),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("a pipe was asked for")
        child.stdin.write('{"text": "你好"}\n'.encode())
        child.stdin.flush()
        child.stdout.readline()
        started, used = time.perf_counter() - began, memory(child.pid)
        child.stdin.close()
        child.wait()
        child.stdout.close()
    return started, used


@contextlib.contextmanager
def rasa(settings: Settings) -> Iterator[Engine]:
    """Rasa 3.6.21 with config.yml, over its own HTTP interface."""
    venv, model, path = prepared(settings)
    known = known_signs(example.text for example in read(settings.data_dir / "nlu"))
    with (
        tempfile.TemporaryDirectory(prefix="niangjiaren-bench-") as folder,
        serving(Launch(venv=venv, model=path, token="bench"), folder=Path(folder)) as server,
    ):
        breaker = Breaker(failures=1_000_000, pause=1, clock=time.monotonic)
        engine = RasaEngine(server.url, known=known, token=server.token, seconds=30, breaker=breaker)
        yield Engine(
            name="Rasa",
            pipeline=Pipeline(engine),
            trained=model.seconds,
            started=server.seconds,
            memory=lambda: memory(server.pid),
        )


# --- the figures


async def measured(engine: Engine) -> dict[str, str]:
    """Every figure of an engine, by its title."""
    now = datetime.now(UTC)
    names = ("intents", "typos", "out_of_scope", "false_affirm", "crisis", "false_alarms")
    judged = {name: await judge(engine.pipeline, _messages(name), now) for name in names}
    plain, typos = report(judged["intents"]), report(judged["typos"])
    ours = [each.in_scope for each in judged["intents"] if each.intent != "out_of_scope"]
    apart = auroc(ours, [each.in_scope for each in judged["out_of_scope"]]) or 0.0
    return {
        "accuracy": f"{plain.accuracy:.1%}",
        "accuracy with typos": f"{typos.accuracy:.1%}",
        "macro-F1": f"{plain.macro_f1:.3f}",
        "out-of-scope AUROC": f"{apart:.3f}",
        "out of scope that is seen as such": f"{_share(judged['out_of_scope'], 'out_of_scope'):.1%}",
        "false affirm, unseen words": f"{_share(judged['false_affirm'], 'affirm'):.2%}",
        "crisis recall": f"{_share(judged['crisis'], 'crisis'):.1%}",
        "false alarms": f"{_share(judged['false_alarms'], 'crisis'):.1%}",
        "training, s": f"{engine.trained:.1f}",
        "start to the first parse, s": f"{engine.started:.1f}",
        "memory (RSS), MB": f"{engine.memory():.0f}",
        **{f"latency {name}, ms": f"{value:.1f}" for name, value in plain.latency.items()},
        f"parses a second, {CLIENTS} clients": f"{await _throughput(engine.pipeline, now):.0f}",
    }


def _share(judged: Sequence[Judged], intent: str) -> float:
    return sum(each.said == intent for each in judged) / len(judged)


def _messages(name: str) -> tuple[Example, ...]:
    return read(_EVALUATION / f"{name}.jsonl")


async def _throughput(pipeline: Pipeline, now: datetime) -> float:
    texts = [each.text for each in _messages("intents")]
    waiting = iter([texts[place % len(texts)] for place in range(_AT_ONCE)])

    async def client() -> None:
        for text in waiting:
            await pipeline.parse(text, now)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return _AT_ONCE / (time.perf_counter() - began)
