"""`bot train` and `bot eval`: a model from labelled messages, and how well an engine understands others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.understanding import build_parser, intent_kinds
from nlu.artefact import FILE, load_model
from nlu.data import DataError, read
from nlu.evaluation import judge, picture, report
from nlu.pipeline import Embedded, Pipeline
from nlu.training import train

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bot.settings import Settings
    from nlu.engine import Model
    from nlu.evaluation import Judged, Report


def train_model(data: Path, out: Path) -> dict[str, Any]:
    """Learns from a file or folder of labelled messages and writes the model to a folder.

    Returns what `bot train` prints. Raises DataError where the data cannot be read or is too little.
    """
    examples = read(data)
    model = train(examples)
    path = out / FILE
    model.save(path)
    return {
        "model": str(path),
        "examples": len(examples),
        "intents": len(model.intents),
        "threshold": model.threshold,
        "data": model.data,
    }


def parser_of(settings: Settings, folder: Path | None) -> Pipeline:
    """The NLU of the settings, or the one of a folder that `bot train` wrote.

    Where that model knows other intents than the project's, no rule of the project is applied to it.
    Raises FileNotFoundError, ModelError.
    """
    if folder is None:
        return build_parser(settings)
    model = load_model(folder)
    return build_parser(settings, Pipeline(Embedded(model), ours=_is_ours(model, settings)))


def _is_ours(model: Model, settings: Settings) -> bool:
    return set(model.intents) <= set(intent_kinds(settings.data_dir))


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Figures, and every message they rest on."""

    report: Report
    judged: tuple[Judged, ...]

    def draw(self, path: Path) -> None:
        """Writes the confusion picture (SVG)."""
        path.write_text(picture(self.judged), encoding="utf-8")


async def evaluate(pipeline: Pipeline, file: Path, now: datetime) -> Evaluation:
    """Holds a pipeline against labelled messages. Raises DataError, also where there are none."""
    examples = read(file)
    if not examples:
        raise DataError(f"{file}:0: no labelled message in it")
    judged = tuple(await judge(pipeline, examples, now))
    return Evaluation(report=report(judged), judged=judged)
