"""Training data: labelled messages in Rasa 3.1 YAML or JSONL, read with the place each one came from."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import yaml

from nlu.text import normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

#: An intent with fewer examples than this is learned too badly to be offered to members.
FEWEST_EXAMPLES = 15

_YAML = {".yml", ".yaml"}
_SUFFIXES = _YAML | {".jsonl"}
# libyaml's loader, where PyYAML was built with it, is thirty times faster: the data is read at every start.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ANNOTATION = re.compile(r"\[([^\]\[]+)\](?:\([^)]*\)|\{[^}]*\})")
_VERSION = re.compile(r"[23](\.\d+)?")


class DataError(ValueError):
    """Training data that cannot be read; the message begins with file:line."""


class ModelError(ValueError):
    """An artefact that is damaged, of another version, or no model at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One labelled message; `file` and `line` (from 1) say where it stands and do not take part in comparison."""

    text: str
    intent: str
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def place(self) -> str:
        """`file:line`, as editors understand it."""
        return f"{self.file}:{self.line}"


def read(path: Path) -> tuple[Example, ...]:
    """Read one file, or every .yml, .yaml and .jsonl file below a folder in the order of their names.

    Args:
        path: a file in Rasa YAML (`nlu: - intent: X, examples: |`) or JSONL (`{"text", "intent"}` a line), or a folder.

    Returns:
        The examples in file order; entity annotations of Rasa are reduced to their text.

    Raises:
        DataError: nothing there, or something in it that is no training data.

    """
    if not path.is_dir():
        return tuple(_read_file(path))
    files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    if not files:
        raise DataError(f"{path}:0: no .yml, .yaml or .jsonl file in this folder")
    return tuple(chain.from_iterable(_read_file(file) for file in files))


def _read_file(file: Path) -> Iterator[Example]:
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise DataError(f"{file}:0: cannot be read: {error}") from error
    return _read_yaml(file, content) if file.suffix in _YAML else _read_jsonl(file, content)


def _read_jsonl(file: Path, content: str) -> Iterator[Example]:
    for number, row in enumerate(content.split("\n"), start=1):
        if not row.strip():
            continue
        try:
            value = json.loads(row)
        except ValueError as error:
            raise DataError(f"{file}:{number}: no JSON: {error}") from error
        if not isinstance(value, dict):
            raise DataError(f"{file}:{number}: an object with text and intent is wanted")
        text, intent = value.get("text"), value.get("intent")
        if not isinstance(text, str) or not isinstance(intent, str) or not intent:
            raise DataError(f"{file}:{number}: text and intent must both be strings")
        yield Example(text=text, intent=intent, file=str(file), line=number)


def _read_yaml(file: Path, content: str) -> Iterator[Example]:
    try:
        root = yaml.compose(content, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        line = min(line, len(content.splitlines()))  # what is missing at the end is missed behind it
        raise DataError(f"{file}:{line}: no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise DataError(f"{file}:0: no YAML: {error}") from error
    top = _mapping(root)
    version = top.get("version")
    if isinstance(version, yaml.ScalarNode) and not _VERSION.fullmatch(version.value):
        raise DataError(f'{file}:{_line(version)}: version {version.value} is not known; write "3.1"')
    blocks = top.get("nlu")
    if not isinstance(blocks, yaml.SequenceNode):
        raise DataError(f"{file}:{_line(blocks or root)}: a list under `nlu:` is wanted")
    for block in blocks.value:
        yield from _read_block(file, block)


def _read_block(file: Path, block: yaml.Node) -> Iterator[Example]:
    keys = _mapping(block)
    if not keys:
        raise DataError(f"{file}:{_line(block)}: an entry with `intent:` and `examples:` is wanted")
    if "intent" not in keys:  # Rasa's lookup tables, synonyms and patterns name no intent
        return
    intent, examples = keys["intent"], keys.get("examples")
    if not isinstance(intent, yaml.ScalarNode) or not intent.value:
        raise DataError(f"{file}:{_line(intent)}: `intent:` must be a name")
    if isinstance(examples, yaml.ScalarNode):
        rows = _scalar_rows(file, examples)
    elif isinstance(examples, yaml.SequenceNode):
        rows = _listed_rows(file, examples)
    else:
        raise DataError(f"{file}:{_line(examples or block)}: `examples:` of {intent.value} must be text (`|`)")
    for text, line in rows:
        yield Example(text=_ANNOTATION.sub(r"\1", text), intent=intent.value, file=str(file), line=line)


def _scalar_rows(file: Path, node: yaml.ScalarNode) -> Iterator[tuple[str, int]]:
    first = _line(node) + (node.style in {"|", ">"})  # the text of a block begins under its mark
    for line, row in enumerate(node.value.split("\n"), start=first):
        stripped = row.strip()
        if not stripped:
            continue
        if not stripped.startswith("-"):
            raise DataError(f"{file}:{line}: an example begins with `- `")
        yield stripped[1:].strip(), line


def _listed_rows(file: Path, node: yaml.SequenceNode) -> Iterator[tuple[str, int]]:
    for entry in node.value:
        text = entry if isinstance(entry, yaml.ScalarNode) else _mapping(entry).get("text")
        if not isinstance(text, yaml.ScalarNode):
            raise DataError(f"{file}:{_line(entry)}: an example must be text, or have `text:`")
        yield text.value.strip().removeprefix("- "), _line(text) + (text.style in {"|", ">"})


def _mapping(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _line(node: yaml.Node | None) -> int:
    return node.start_mark.line + 1 if node is not None else 0


def lint(examples: Sequence[Example], intents: Collection[str], *, fewest: int = FEWEST_EXAMPLES) -> list[str]:
    """Look for what would spoil a model.

    Args:
        examples: as read.
        intents: the names that exist.
        fewest: examples an intent must have.

    Returns:
        One line a problem, each beginning with file:line (the intent's first example where a whole intent is
        meant); empty when all is well.

    """
    return [
        *(_problem(e, f"unknown intent {e.intent}") for e in examples if e.intent not in intents),
        *(_problem(e, f"an example of {e.intent} without words") for e in examples if not normalise(e.text)),
        *_conflicts(examples),
        *_thin(examples, intents, fewest),
    ]


def _problem(example: Example, what: str) -> str:
    return f"{example.place}: {what}"


def _conflicts(examples: Iterable[Example]) -> Iterator[str]:
    first: dict[str, Example] = {}
    for example in examples:
        key = normalise(example.text)
        other = first.setdefault(key, example)
        if key and other.intent != example.intent:
            yield _problem(example, f"“{example.text}” is {example.intent} here and {other.intent} at {other.place}")


def _thin(examples: Sequence[Example], intents: Collection[str], fewest: int) -> Iterator[str]:
    counts = Counter(example.intent for example in examples)
    for intent in sorted(intents):
        if counts[intent] < fewest:
            place = next((e.place for e in examples if e.intent == intent), ":0")
            yield f"{place}: {intent} has {counts[intent]} examples, at least {fewest} are wanted"


def data_hash(examples: Iterable[Example]) -> str:
    """SHA-256 (hex) of the labelled texts; neither their order nor their files matter."""
    rows = sorted(json.dumps([e.intent, e.text], ensure_ascii=True) for e in examples)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
