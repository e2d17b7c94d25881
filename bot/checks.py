"""`bot check`: what people edit is held against its schema and against the rest; faults name file and line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from actions.core.errors import ConfigurationError
from bot import app as root
from bot.demo import load_world
from bot.migrations import migrate, pending
from bot.settings import load_settings
from nlu.data import DataError, lint, read

if TYPE_CHECKING:
    from bot.app import App
    from bot.settings import Settings


async def faults() -> list[str]:
    """Every fault found, one line each; empty where all is well."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return str(error).splitlines()
    found = [*_training_data(settings)]
    try:
        with tempfile.TemporaryDirectory(prefix="niangjiaren-check-") as folder:
            found += await _house(settings, Path(folder))
    except ConfigurationError as error:
        found += str(error).splitlines()
    return found


def _training_data(settings: Settings) -> list[str]:
    try:
        return lint(read(settings.data_dir / "nlu"), frozenset(root.intent_kinds(settings.data_dir)))
    except DataError as error:
        return str(error).splitlines()


async def _house(settings: Settings, folder: Path) -> list[str]:
    """Builds the house on a fresh database with the demo world: what cannot be built is a fault."""
    fresh = settings.model_copy(
        update={"var_dir": folder, "database": settings.database.model_copy(update={"url": ""})}
    )
    app = root.build(fresh, pipeline=root.NO_NLU)
    try:
        await migrate(app.house.database)
        found = ["migrations: the tables differ from what the newest revision makes"] if await _differs(app) else []
        await root.prepare(app, demo=True)
        load_world(settings.data_dir)
        return [*found, *_intents(app), *_wording(app)]
    finally:
        await app.house.database.close()


async def _differs(app: App) -> bool:
    return await pending(app.house.database)


def _intents(app: App) -> list[str]:
    known = app.house.registry.kinds
    return [
        f"data/services/{declaration.id}.yml: triggers: there is no intent {intent!r}"
        for declaration in app.house.catalogue
        for intent in declaration.triggers.intents
        if intent not in known
    ]


def _wording(app: App) -> list[str]:
    """Sentences that declarations name must be there."""
    wanted = [
        (declaration.id, reminder.wording)
        for declaration in app.house.catalogue
        for reminder in getattr(declaration.rules, "reminders", ())
    ]
    return [
        f"data/services/{service}.yml: reminders: there is no sentence {key!r} in data/responses"
        for service, key in wanted
        if key not in app.house.wording
    ]
