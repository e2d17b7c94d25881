"""The NLU on data/evaluation: what it understands, what it takes for something else, times, speed, memory, training."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from actions.core.zones import SHANGHAI
from bot.settings import ROOT
from nlu import times
from nlu.artefact import artefact_path, ensure_model
from nlu.data import data_hash, read
from nlu.evaluation import judge, picture, report
from nlu.pipeline import Embedded, Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nlu.evaluation import Judged

EVALUATION = ROOT / "data" / "evaluation"
LABELLED = ("intents", "typos", "out_of_scope", "crisis", "false_alarms", "false_affirm")
PICTURE = ROOT / "docs" / "screens" / "confusion.svg"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)

# A process of its own that does nothing but load and understand: bytes before, bytes and seconds after.
_ALONE = """
import asyncio, json, sys, time
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before, began = resident(), time.perf_counter()
from datetime import datetime
from pathlib import Path
from nlu.engine import Model
from nlu.pipeline import Embedded, Pipeline
pipeline = Pipeline(Embedded(Model.load(Path(sys.argv[1]))))
now = datetime.fromisoformat(sys.argv[2])
asyncio.run(pipeline.parse("下周三下午想约心理咨询", now))
seconds, processor = time.perf_counter() - began, time.process_time()
print(json.dumps({"seconds": seconds, "processor": processor, "bytes": resident() - before}))
"""


def run(say: Callable[[str], None]) -> None:
    """Trains, parses data/evaluation, prints the table and draws the confusion picture into docs/screens."""
    examples = read(ROOT / "data" / "nlu")
    say(f"training data   {len(examples)} messages, sha256 {data_hash(examples)[:16]}")
    with tempfile.TemporaryDirectory(prefix="niangjiaren-bench-") as folder:
        began, used = perf_counter(), process_time()
        model = ensure_model(ROOT / "data" / "nlu", Path(folder))
        say(f"bot train       {perf_counter() - began:.1f} s ({process_time() - used:.1f} s of processor)")
        alone = _alone(artefact_path(Path(folder), model.data))
    say(f"load, 1st parse {alone['seconds']:.2f} s ({alone['processor']:.2f} s of processor)")
    say(f"memory          {alone['bytes'] / 2**20:.0f} MB")
    say(f"temperature     {model.temperature}, threshold {model.threshold}")
    pipeline = Pipeline(Embedded(model))
    used = process_time()
    judged = {path.stem: asyncio.run(judge(pipeline, read(path), NOW)) for path in _files()}
    spent = (process_time() - used) * 1000 / sum(map(len, judged.values()))
    _say_figures(say, judged)
    say(f"{'ms of processor, mean':<28}{spent:>8.4f}")
    _say_times(say)
    mixed = [*judged["intents"], *judged["out_of_scope"], *judged["crisis"]]
    say("")
    say(report(mixed).table())
    PICTURE.write_text(picture(mixed), encoding="utf-8")


def _files() -> list[Path]:
    return [EVALUATION / f"{name}.jsonl" for name in LABELLED]


def _alone(model: Path) -> Any:
    arguments = [sys.executable, "-c", _ALONE, str(model), NOW.isoformat()]
    return json.loads(subprocess.run(arguments, check=True, capture_output=True, cwd=ROOT).stdout)


def _say_figures(say: Callable[[str], None], judged: dict[str, list[Judged]]) -> None:
    known, strange = judged["intents"], judged["out_of_scope"]
    both = report([*known, *strange])
    others = [each for name, rows in judged.items() if name != "crisis" for each in rows]
    rows = (
        ("accuracy", _right(known), "≥ 0.94"),
        ("accuracy with typos", _right(judged["typos"]), "≥ 0.88"),
        ("out-of-scope AUROC", both.auroc or 0.0, "≥ 0.95"),
        ("out of scope seen as such", _right(strange), ""),
        ("false affirm", report(judged["false_affirm"]).false_affirm, "≤ 0.005"),
        ("crisis recall", _right(judged["crisis"]), "1.0"),
        ("false alarms", _said(judged["false_alarms"], "crisis"), "≤ 0.02"),
        ("false alarms, all files", _said(others, "crisis"), ""),
        ("p50 ms", both.latency["p50"], "≤ 3"),
        ("p99 ms", both.latency["p99"], ""),
    )
    for name, value, target in rows:
        say(f"{name:<28}{value:>8.4f}   {target}")


def _right(rows: Sequence[Judged]) -> float:
    return sum(each.said == each.intent for each in rows) / len(rows)


def _said(rows: Sequence[Judged], intent: str) -> float:
    wrong = [each for each in rows if each.intent != intent]
    return sum(each.said == intent for each in wrong) / len(wrong)


def _say_times(say: Callable[[str], None]) -> None:
    rows = [json.loads(line) for line in (EVALUATION / "times.jsonl").read_text(encoding="utf-8").splitlines()]
    right = sum(_found(row) == [_read(each) for each in row["times"]] for row in rows)
    say(f"{'times exactly right':<28}{right / len(rows):>8.4f}   ≥ 0.96   ({len(rows)} messages)")


def _found(row: dict[str, Any]) -> list[tuple[datetime, datetime, str]]:
    now = datetime.fromisoformat(row["now"])
    return [(each.start, each.end, each.kind) for each in times.parse(row["text"], now)]


def _read(told: dict[str, str]) -> tuple[datetime, datetime, str]:
    return datetime.fromisoformat(told["start"]), datetime.fromisoformat(told["end"]), told["kind"]
