"""The NLU of the settings, put together without the rest of the house: `bot parse` needs no life and no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.core.catalogue import load_names
from actions.core.yamlfile import YamlFile
from bot.names import demo_gazetteer
from bot.world import load_world
from nlu.types import Parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from bot.gateway.turn import Understanding
    from bot.settings import Settings
    from nlu.pipeline import Embedded, Pipeline
    from nlu.rasa.client import Reserve


class _NoNlu:
    """For commands that understand nothing: the model need not be loaded."""

    async def parse(self, text: str, now: datetime) -> Parse:
        del now
        return Parse(text=text, intent="out_of_scope", confidence=0.0)


NO_NLU: Understanding = _NoNlu()


def build_pipeline(settings: Settings) -> Pipeline:
    """The NLU of the settings: the embedded engine, or Rasa with the embedded one in reserve.

    The embedded engine has learned the data as they are: it is loaded from var/models, or trained.
    """
    from nlu.artefact import ensure_model  # noqa: PLC0415 - numpy and the model are for those who parse
    from nlu.pipeline import Embedded, Pipeline  # noqa: PLC0415

    embedded = Embedded(ensure_model(settings.data_dir / "nlu", settings.var_dir / "models"))
    return Pipeline(build_reserve(settings, embedded) or embedded)


def build_reserve(settings: Settings, embedded: Embedded) -> Reserve | None:
    """Rasa, with the embedded engine to stand in for it; None where Rasa is not the engine."""
    if settings.nlu.engine != "rasa":
        return None
    from nlu.rasa.client import Reserve, connect  # noqa: PLC0415

    rasa = settings.nlu.rasa
    engine = connect(
        rasa.url,
        token=rasa.token.get_secret_value(),
        seconds=rasa.seconds,
        failures=rasa.failures,
        pause=rasa.pause_seconds,
        data=settings.data_dir / "nlu",
        folder=settings.var_dir / "rasa",
    )
    return Reserve(engine, embedded)


def build_parser(settings: Settings, pipeline: Pipeline | None = None) -> Pipeline:
    """The NLU with the names of the catalogue and the demo world. Raises ConfigurationError."""
    pipeline = pipeline or build_pipeline(settings)
    names = demo_gazetteer(load_names(settings.data_dir / "services"), load_world(settings.data_dir))
    pipeline.update_gazetteer(names)
    return pipeline


def intent_kinds(data_dir: Path) -> dict[str, str]:
    """talk, service or ask, by intent, from data/intents.yml."""
    return {name: entry["kind"] for name, entry in intents_of(data_dir).items()}


def intents_of(data_dir: Path) -> Mapping[str, Mapping[str, str]]:
    """What data/intents.yml says of each intent: `kind` and `means`."""
    intents: Mapping[str, Mapping[str, str]] = YamlFile(data_dir / "intents.yml").data["intents"]
    return intents
