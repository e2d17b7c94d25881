"""Every sentence the assistant says: templates in data/responses, rendered with Jinja2."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """A template as it is written, and where."""

    text: str
    place: str


class Wording:
    """All sentences by key ("errors.slot_full"). A template is compiled when it is first said: there are many."""

    def __init__(self, environment: Environment, sentences: Mapping[str, Sentence]) -> None:
        self._environment = environment
        self._sentences = dict(sentences)
        self._compiled: dict[str, Template] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._sentences

    def keys(self) -> frozenset[str]:
        """All keys."""
        return frozenset(self._sentences)

    def faults(self) -> list[str]:
        """The templates that do not compile, each with its file and line."""
        found = []
        for key in self._sentences:
            try:
                self._template(key)
            except ConfigurationError as error:
                found.append(str(error))
        return found

    def _template(self, key: str) -> Template:
        """The compiled template. Raises ConfigurationError with file and line."""
        if key not in self._compiled:
            sentence = self._sentences[key]
            try:
                self._compiled[key] = self._environment.from_string(sentence.text)
            except TemplateSyntaxError as error:
                raise ConfigurationError(f"{sentence.place}: {key}: {error.message}") from error
        return self._compiled[key]

    def text(self, key: str, params: Mapping[str, Any]) -> str:
        """A sentence. Raises ConfigurationError that names the key where it is not there or a parameter is missing."""
        if key not in self._sentences:
            raise ConfigurationError(f"data/responses: there is no sentence {key!r}")
        try:
            return self._template(key).render(params).strip()
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
        rows = [(key.removeprefix(_ROWS), self.text(key, entry)) for key in self._sentences if key.startswith(_ROWS)]
        filled = tuple((label, text) for label, text in rows if text)
        return Card(title=self.text("card.title", entry), rows=filled, token=entry["token"])


def load_wording(folder: Path, fixed: Mapping[str, Any]) -> Wording:
    """Reads every file of the folder. `fixed` are parameters that every sentence may use (`union.phone`).

    Raises ConfigurationError that names file and line of a doubled key; templates that do not compile are the
    wording's `faults`.
    """
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 - the output is plain text
    environment.filters.update(when=_when, day=_day, clock=_clock)
    environment.globals.update(fixed)
    sentences: dict[str, Sentence] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        if path.name in _OTHERS:
            continue
        file = YamlFile(path)
        for where, text in _sentences(file.data or {}, ()):
            key, place = ".".join(where), f"{path}:{file.line(where)}"
            if key in sentences:
                faults.append(f"{place}: {key} is there twice")
            sentences[key] = Sentence(text=str(text), place=place)
    if faults:
        raise ConfigurationError("\n".join(faults))
    return Wording(environment, sentences)


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
