"""Files that people edit: what is wrong with them is told with the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict

from actions.core.errors import ConfigurationError
from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from pathlib import Path


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    hours: int = 0


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    parts: tuple[Part, ...] = ()


def file(folder: Path, text: str) -> Path:
    path = folder / "some.yml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' is there twice"),
        ("a:\n  - {b: 1}\n  - {b: 1, c: 2,\n     b: 3}\n", 4, "the key 'b' is there twice"),
        ("a: 1\n b: 2\n", 2, "mapping values are not allowed"),
        ("a: [1, 2\n", 2, "expected"),
        ("a: *unknown\n", 1, "undefined alias"),
        ("a: &b\n  c: *b\n", 1, "an alias stands within its own anchor"),
        ("---\na: 1\n---\nb: 2\n", 3, "another document"),
        ("? [1, 2]\n: x\n", 1, "unhashable"),
    ],
)
def test_what_is_no_good_yaml_is_told_with_its_line(tmp_path: Path, text: str, line: int, says: str):
    path = file(tmp_path, text)
    with pytest.raises(ConfigurationError) as fault:
        YamlFile(path)
    assert str(fault.value).startswith(f"{path}:{line}: ")
    assert says in str(fault.value)


@pytest.mark.parametrize("text", ["a: 2026-02-30\n", "a: \x07\n"])
def test_what_yaml_cannot_place_is_told_with_the_file(tmp_path: Path, text: str):
    path = file(tmp_path, text)
    with pytest.raises(ConfigurationError, match=r"some\.yml"):
        YamlFile(path)


def test_a_file_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"missing\.yml"):
        YamlFile(tmp_path / "missing.yml")
    path = tmp_path / "latin.yml"
    path.write_bytes("名: 1".encode("gbk"))
    with pytest.raises(ConfigurationError, match=r"latin\.yml"):
        YamlFile(path)


def test_an_empty_file_holds_nothing(tmp_path: Path):
    assert YamlFile(file(tmp_path, "# 空\n")).data is None


def test_faults_of_the_schema_are_told_with_their_lines(tmp_path: Path):
    path = file(tmp_path, "name: 室\nparts:\n  - hours: 1\n  - hours: lots\n  - huors: 2\n")
    with pytest.raises(ConfigurationError) as fault:
        YamlFile(path).validate(Whole)
    lines = str(fault.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"{path}:4", f"{path}:5"]
    assert "parts.1.hours" in lines[0]
    assert "parts.2.huors" in lines[1]


def test_a_missing_key_is_told_at_the_place_it_is_missing_from(tmp_path: Path):
    path = file(tmp_path, "parts: []\n")
    with pytest.raises(ConfigurationError, match=f"{path}:1: name: Field required"):
        YamlFile(path).validate(Whole)


def test_lines_of_values(tmp_path: Path):
    found = YamlFile(file(tmp_path, "a:\n  b:\n    - 1\n    - c: 2\n"))
    places: list[list[str | int]] = [
        [],
        ["a"],
        ["a", "b"],
        ["a", "b", 0],
        ["a", "b", 1, "c"],
        ["a", "x"],
        ["a", "b", 9],
    ]
    assert [found.line(place) for place in places] == [1, 1, 2, 3, 4, 1, 2]
