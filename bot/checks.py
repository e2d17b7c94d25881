"""`bot check`: what people edit is held against its schema and against the rest; faults name file and line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from actions.core.errors import ConfigurationError, DomainError
from actions.core.yamlfile import YamlFile
from actions.knowledge import LIFE, load_passages, load_words
from bot import app as root
from bot.demo import dated
from bot.lives import load_services
from bot.migrations import migrate, pending
from bot.settings import load_settings, settings_path
from bot.understanding import NO_NLU, intent_kinds
from bot.world import load_world, read_offerings
from nlu.data import DataError, lint, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.app import App
    from bot.settings import Settings
    from bot.world import DemoOffering

_WORLD = "demo/world.yml"


async def faults() -> list[str]:
    """Every fault found, one line each; empty where all is well."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return str(error).splitlines()
    found: list[str] = []
    try:
        found += _training_data(settings)
        found += _knowledge(settings)
        with tempfile.TemporaryDirectory(prefix="niangjiaren-check-") as folder:
            found += await _house(settings, Path(folder))
    except ConfigurationError as error:
        found += [_placed(line) for line in str(error).splitlines()]
    return found


def _training_data(settings: Settings) -> list[str]:
    try:
        return lint(read(settings.data_dir / "nlu"), frozenset(intent_kinds(settings.data_dir)))
    except DataError as error:
        return str(error).splitlines()


def _knowledge(settings: Settings) -> list[str]:
    """Passages must be readable, and of a question service."""
    folder = settings.data_dir / "knowledge"
    try:
        load_words(folder / "words.yml")
        passages = load_passages(folder)
    except ConfigurationError as error:
        return str(error).splitlines()
    services = {each.id for each in load_services(settings) if each.life == LIFE}
    strange = {each.ref.partition("#")[0]: each.service for each in passages if each.service not in services}
    return [f"{_service_line(folder / f'{name}.md')}: no question service {each!r}" for name, each in strange.items()]


def _service_line(path: Path) -> str:
    """Where a file of passages names its service."""
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines, 1) if line.startswith("service:"))
    return f"{path}:{number}: service"


def _placed(fault: str) -> str:
    """A fault of the settings with the file and the line of what it names, where it stands in a file."""
    name, path = fault.removeprefix("settings: ").partition(": ")[0], settings_path()
    if not fault.startswith("settings: ") or not path.exists():
        return fault
    return f"{path}:{YamlFile(path).line(name.split('.'))}: {fault}"


async def _house(settings: Settings, folder: Path) -> list[str]:
    """Builds the house on a fresh database with the demo world: what cannot be built is a fault."""
    fresh = settings.model_copy(
        update={"var_dir": folder, "database": settings.database.model_copy(update={"url": ""})}
    )
    app = root.build(fresh, pipeline=NO_NLU)
    try:
        await migrate(app.house.database)
        found = [*app.house.wording.faults(), *_intents(app), *_reminders(app), *_shortcuts(app), *_demo(app)]
        if await pending(app.house.database):
            found.append("migrations: the tables differ from what the newest revision makes")
        return found or await _demo_fills(app)
    finally:
        await app.house.database.close()


def _at(app: App, *steps: str | int, file: str) -> str:
    """File and line of a place in the data."""
    path = app.settings.data_dir / file
    return f"{path}:{YamlFile(path).line(steps)}"


def _intents(app: App) -> Iterator[str]:
    """Intents that declarations name must be there."""
    for declaration in app.house.catalogue:
        for number, intent in enumerate(declaration.triggers.intents):
            if intent not in app.house.registry.kinds:
                where = _at(app, "triggers", "intents", number, file=f"services/{declaration.id}.yml")
                yield f"{where}: triggers: there is no intent {intent!r}"


def _reminders(app: App) -> Iterator[str]:
    """Sentences that declarations name must be there."""
    for declaration in app.house.catalogue:
        for state, wording in getattr(declaration.rules, "wordings", {}).items():
            if wording not in app.house.wording:
                where = _at(app, "rules", "wordings", state, file=f"services/{declaration.id}.yml")
                yield f"{where}: wordings: there is no sentence {wording!r} in data/responses"
        for number, reminder in enumerate(getattr(declaration.rules, "reminders", ())):
            if reminder.wording not in app.house.wording:
                where = _at(app, "rules", "reminders", number, file=f"services/{declaration.id}.yml")
                yield f"{where}: reminders: there is no sentence {reminder.wording!r} in data/responses"


def _shortcuts(app: App) -> Iterator[str]:
    """Keywords must run commands that are there."""
    for number, shortcut in enumerate(app.house.shortcuts):
        if shortcut.service:
            if shortcut.service not in app.house.catalogue:
                where = _at(app, "shortcuts", number, file="responses/shortcuts.yml")
                yield f"{where}: shortcuts: there is no service {shortcut.service!r}"
            continue
        try:
            app.house.bus.command(shortcut.command, shortcut.arguments)
        except DomainError as error:
            where = _at(app, "shortcuts", number, file="responses/shortcuts.yml")
            yield f"{where}: shortcuts: {_told(app, error)}"


def _demo(app: App) -> Iterator[str]:
    """What the demo world's people and offerings refer to must be there."""
    world = load_world(app.settings.data_dir)
    if world.default not in {person.name for person in world.members}:
        yield f"{_at(app, 'default', file=_WORLD)}: default: nobody is called {world.default!r}"
    for number, person in enumerate(world.members):
        for unit in {person.unit, *(role.unit for role in person.roles if role.unit)} - set(world.units):
            yield f"{_at(app, 'members', number, file=_WORLD)}: members: there is no unit {unit!r}"
    staff = {person.staff_id for person in world.members}
    for file, number, offering in read_offerings(app.settings.data_dir):
        where = f"{file.path}:{file.line([number])}"
        if offering.service not in app.house.catalogue:
            yield f"{where}: there is no service {offering.service!r}"
        elif offering.owner and offering.owner not in staff:
            yield f"{where}: nobody has the 工号 {offering.owner}"
        else:
            yield from _spec(app, file, number, offering)


def _spec(app: App, file: YamlFile, number: int, offering: DemoOffering) -> list[str]:
    """An offering must fit the life of its service."""
    spec: Any = app.house.lives[app.house.catalogue[offering.service].life].spec
    try:
        spec.model_validate(dated(offering.spec, root.utc_now()))
    except ValidationError as error:
        return file.faults(error, below=(number, "spec"))
    return []


async def _demo_fills(app: App) -> list[str]:
    """The demo world as the first run makes it."""
    try:
        await root.prepare(app, demo=True)
    except DomainError as error:
        return [f"{app.settings.data_dir / 'demo'}: {_told(app, error)}"]
    return []


def _told(app: App, error: DomainError) -> str:
    return app.house.wording.text(f"errors.{error.code}", error.params)
