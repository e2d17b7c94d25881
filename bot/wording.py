"""Every sentence the assistant says: templates in data/responses, rendered with Jinja2."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, UndefinedError

from actions.core.errors import ConfigurationError
from actions.core.yamlfile import YamlFile
from actions.core.zones import local, spoken, spoken_day
from bot.messages import Address, Card, File, Mention, Option, Outbound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: Files of the folder that hold no sentences.
_OTHERS = ("keywords.yml", "shortcuts.yml")
_ROWS = "card.rows."


class Wording:
    """All sentences by key ("errors.slot_full")."""

    def __init__(self, templates: Mapping[str, Template]) -> None:
        self._templates = dict(templates)

    def __contains__(self, key: str) -> bool:
        return key in self._templates

    def keys(self) -> frozenset[str]:
        """All keys."""
        return frozenset(self._templates)

    def text(self, key: str, params: Mapping[str, Any]) -> str:
        """A sentence. Raises ConfigurationError that names the key where it is not there or a parameter is missing."""
        template = self._templates.get(key)
        if template is None:
            raise ConfigurationError(f"data/responses: there is no sentence {key!r}")
        try:
            return template.render(params).strip()
        except UndefinedError as error:
            raise ConfigurationError(f"data/responses: {key}: {error.message}") from error

    def outbound(self, address: Address, content: Mapping[str, Any], *, row_id: int = 0) -> Outbound:
        """What an outgoing row says: its parts one below the other, with its options."""
        parts = [self.text(key, params) for key, params in content["parts"]]
        options = tuple(Option(label=o["label"], value=o["value"]) for o in content.get("options", ()))
        text = "\n\n".join(filter(None, parts))
        files = tuple(File(**file) for file in content.get("files", ()))
        card, mention = self._card(content.get("card")), content.get("mention")
        return Outbound(
            address=address,
            text=text,
            options=options,
            id=row_id,
            card=card,
            files=files,
            mention=Mention(**mention) if mention else None,
        )

    def _card(self, entry: Mapping[str, Any] | None) -> Card | None:
        """The card of a record: a row for every sentence under card.rows that says something, in their order."""
        if entry is None:
            return None
        rows = [(key.removeprefix(_ROWS), self.text(key, entry)) for key in self._templates if key.startswith(_ROWS)]
        filled = tuple((label, text) for label, text in rows if text)
        return Card(title=self.text("card.title", entry), rows=filled, token=entry["token"])


def load_wording(folder: Path, fixed: Mapping[str, Any]) -> Wording:
    """Reads every file of the folder. `fixed` are parameters that every sentence may use (`union.phone`).

    Raises ConfigurationError that names file and line of a template that does not compile, and of a doubled key.
    """
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 - the output is plain text
    environment.filters.update(when=_when, day=_day, clock=_clock)
    environment.globals.update(fixed)
    templates: dict[str, Template] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        if path.name in _OTHERS:
            continue
        file = YamlFile(path)
        for where, text in _sentences(file.data or {}, ()):
            key = ".".join(where)
            if key in templates:
                faults.append(f"{path}:{file.line(where)}: {key} is there twice")
            try:
                templates[key] = environment.from_string(str(text))
            except TemplateSyntaxError as error:
                faults.append(f"{path}:{file.line(where)}: {key}: {error.message}")
    if faults:
        raise ConfigurationError("\n".join(faults))
    return Wording(templates)


def _sentences(data: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in data.items():
        where = (*above, str(key))
        if isinstance(value, dict):
            yield from _sentences(value, where)
        else:
            yield where, value


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _when(value: datetime | str) -> str:
    return spoken(_moment(value))


def _day(value: datetime | str) -> str:
    return spoken_day(_moment(value))


def _clock(value: datetime | str) -> str:
    return f"{local(_moment(value)):%H:%M}"
