"""YAML files that people edit: a fault names the file and the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from actions.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

M = TypeVar("M", bound=BaseModel)


def _parsed(path: Path, text: str) -> tuple[yaml.Node | None, Any]:
    """The nodes of a file, which know their lines, and its data. Raises ConfigurationError with file and line."""
    try:
        loader = yaml.CSafeLoader(text)
        root = loader.get_single_node()
        _refuse_double_keys(path, root)
        return root, None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigurationError(f"{path}:{line}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError) as error:
        # A ValueError is a date that does not exist (2026-02-30), written without quotes.
        raise ConfigurationError(f"{path}: {error}") from error


def _refuse_double_keys(path: Path, node: yaml.Node | None, above: tuple[yaml.Node, ...] = ()) -> None:
    if isinstance(node, yaml.ScalarNode) or node is None:
        return
    if node in above:
        raise ConfigurationError(f"{path}:{node.start_mark.line + 1}: an alias stands within its own anchor")
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_double_keys(path, child, (*above, node))
        return
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        if name in seen:
            raise ConfigurationError(f"{path}:{key.start_mark.line + 1}: the key {name!r} is there twice")
        seen.add(name)
        _refuse_double_keys(path, value, (*above, node))


class YamlFile:
    """One parsed file with the line of each of its values."""

    def __init__(self, path: Path, *, text: str | None = None) -> None:
        """Reads the file, or the `text` that is a part of it (with the file's own line numbers).

        Raises ConfigurationError where it is no YAML or holds a key twice.
        """
        self.path = path
        try:
            self._root, self.data = _parsed(path, path.read_text(encoding="utf-8") if text is None else text)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: {error}") from error

    def line(self, where: Sequence[str | int]) -> int:
        """The line, from 1, of the value at a path of keys and indexes, or of the nearest value above it."""
        node: Any = self._root
        line = 1
        for step in where:
            if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            elif isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == str(step)]
                if not found:
                    continue  # a step that pydantic adds (the tag of a union), or a missing key
                key, node = found[0]
                line = key.start_mark.line + 1
                continue
            else:
                break
            line = node.start_mark.line + 1
        return line

    def validate(self, model: type[M], data: Any = None) -> M:
        """The file's data as a model. Raises ConfigurationError that lists each fault with its line."""
        try:
            return model.model_validate(self.data if data is None else data)
        except ValidationError as error:
            raise ConfigurationError("\n".join(self.faults(error))) from error

    def faults(self, error: ValidationError, *, below: Sequence[str | int] = ()) -> list[str]:
        """One line per fault of a validation error; `below` is where in the file the data stood."""
        lines = []
        for fault in error.errors():
            where = [*below, *fault["loc"]]
            name = ".".join(map(str, where)) or "the file"
            lines.append(f"{self.path}:{self.line(where)}: {name}: {fault['msg']}")
        return lines
