"""Every table that names members is classified, and what data/held.yml says is held against the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

import bot.lives  # noqa: F401 - brings every table
from actions.core.errors import ConfigurationError
from actions.core.tables import Base
from actions.held import load_kinds, unclassified
from bot.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_GOOD = "{table: pet, title: 宠物, person: owner, columns: {name: 名字}, erasure: delete}"
FAULTS = [
    ("{table: dog, title: 狗, person: owner, columns: {name: 名字}, erasure: delete}", "no table dog"),
    ("{table: pet, title: 宠物, person: owner, columns: {race: 种}, erasure: delete}", "no column race"),
    ("{table: pet, title: 宠物, person: owner, columns: {name: 名字}, erasure: keep}", "needs a reason"),
    ("{table: pet, title: 宠物, person: owner, columns: {name: 名字}, erasure: burn}", "erasure"),
    ("{table: pet, title: 宠物, person: owner, columns: {name: 名字}, erasure: delete, over: name}", "needs a reason"),
    (f"{_GOOD}\n  - {_GOOD}", "twice"),
    ("{table: pet, title: 宠物, person: owner, columns: {name: 名字}, erasure: delete, through: owner}", "through"),
    (
        "{table: pet, title: 宠物, person: owner, columns: {name: 名字}, erasure: keep, over: name, reason: 要留}",
        "nothing is",
    ),
]


def _pets() -> MetaData:
    metadata = MetaData()
    Table("member", metadata, Column("id", Integer, primary_key=True))
    members: list[Column[int]] = [Column(name, ForeignKey("member.id")) for name in ("owner", "vet")]
    Table("pet", metadata, Column("id", Integer, primary_key=True), Column("name", String(9)), *members)
    return metadata


def _file(folder: Path, kinds: str) -> Path:
    (folder / "held.yml").write_text(f"kinds:\n  - {kinds}\n", encoding="utf-8")
    return folder


def test_every_table_that_names_a_member_is_classified() -> None:
    assert unclassified(Base.metadata, load_kinds(ROOT / "data", Base.metadata)) == []


def test_a_table_that_nobody_classified_is_found(tmp_path: Path) -> None:
    metadata = _pets()
    kinds = load_kinds(_file(tmp_path, _GOOD), metadata)
    assert unclassified(metadata, kinds) == ["pet.vet"]
    assert unclassified(metadata, ()) == ["pet.owner", "pet.vet"]


@pytest.mark.parametrize(("kinds", "fault"), FAULTS)
def test_what_is_wrong_is_told(tmp_path: Path, kinds: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        load_kinds(_file(tmp_path, kinds), _pets())
