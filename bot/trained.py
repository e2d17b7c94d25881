"""What is known of a trained model, beside its artefact: of both engines the same."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from actions.core.errors import ConfigurationError
from nlu.data import data_hash, read
from nlu.evaluation import judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from nlu.evaluation import Judged, Parser


_INTENTS, _CRISIS = "intents.jsonl", "crisis.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """A model and what is known of it.

    `seconds` is what the training took, `data` the hash of the training data, `project` of the recipe. On
    data/evaluation: `accuracy` over the intents, `crisis` the share of calls for help that are seen; None where
    nobody has looked yet; `evaluation` is the hash of what they were found on. `suffix` ends the artefact's name.
    """

    name: str
    data: str
    project: str
    examples: int
    seconds: float
    trained_at: str
    accuracy: float | None = None
    crisis: float | None = None
    evaluation: str = ""
    suffix: str = ".tar.gz"

    def path(self, models: Path) -> Path:
        """The artefact."""
        return models / f"{self.name}{self.suffix}"

    def keep(self, models: Path) -> None:
        """Writes what is known of it beside it, in one move."""
        part = models / f"{self.name}.json.{os.getpid()}.part"
        part.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")
        part.replace(models / f"{self.name}.json")

    def told(self) -> str:
        """Its figures in a line."""
        if self.accuracy is None:
            return f"{self.name}: not evaluated"
        return f"{self.name}: accuracy {self.accuracy:.4f}, crisis {self.crisis or 0:.4f}"


def known_models(models: Path) -> list[Trained]:
    """Models that are there, the latest first. What cannot be read is no model."""
    found = []
    for path in models.glob("*.json"):
        try:
            model = Trained(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            continue
        if model.path(models).exists():
            found.append(model)
    return sorted(found, key=lambda model: model.trained_at, reverse=True)


async def evaluated(model: Trained, parser: Parser, evaluation: Path, now: datetime) -> Trained:
    """The model with its figures on a folder of labelled messages. Raises DataError."""
    accuracy = await judge(parser, read(evaluation / _INTENTS), now)
    crisis = await judge(parser, read(evaluation / _CRISIS), now)
    on = evaluation_hash(evaluation)
    return replace(model, accuracy=_right(accuracy), crisis=_right(crisis), evaluation=on)


def evaluation_hash(evaluation: Path) -> str:
    """What figures are told of: those of other messages cannot be compared. Raises DataError."""
    return data_hash([*read(evaluation / _INTENTS), *read(evaluation / _CRISIS)])


def _right(judged: Sequence[Judged]) -> float:
    return round(sum(each.said == each.intent for each in judged) / len(judged), 4)


def refuse_worse(new: Trained, old: Trained | None) -> None:
    """Raises ConfigurationError where the new model is worse than the one that runs, in either figure."""
    if old is None:
        return
    pairs = ((new.accuracy, old.accuracy), (new.crisis, old.crisis))
    if any(mine is not None and its is not None and mine < its for mine, its in pairs):
        message = f"worse on data/evaluation than the model that runs ({old.told()}): {new.told()}"
        raise ConfigurationError(f"{message}; --force loads it anyway")
